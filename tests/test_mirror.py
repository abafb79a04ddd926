"""A model that looks at the mirror image of each picture as well."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.grounding import ground
from core.model_file import load_model
from core.network import Network
from core.preprocess import squeeze_many
from core.search import beam_search
from core.torch_network import TorchNetwork
from tests.picture_kinds import snapshot


@pytest.fixture
def networks(tiny_model: Path) -> tuple[Network, Network]:
    """The same model without mirror images, and with them."""
    plain, twice = (load_model(tiny_model)[0].eval() for _ in range(2))
    twice.config = replace(twice.config, mirror=True)
    return TorchNetwork(plain), TorchNetwork(twice)


def test_a_picture_and_its_mirror_image_are_described_alike(
    networks: tuple[Network, Network],
) -> None:
    plain, twice = networks
    pictures = squeeze_many([snapshot(seed) for seed in range(4)], 64)
    sight, mirrored = twice.see(pictures), twice.see(pictures[..., ::-1].copy())
    assert sight.summary == pytest.approx(mirrored.summary, abs=1e-4)
    assert sight.summary != pytest.approx(plain.see(pictures).summary, abs=1e-4)
    found, of_mirrored = beam_search(twice, sight), beam_search(twice, mirrored)
    assert [one.words for one in found] == [one.words for one in of_mirrored]
    assert len({one.words for one in found}) > 1
    for number, one in enumerate(found):
        maps, grounded = ground(twice, sight, number, one.words)
        other_maps, other_grounded = ground(twice, mirrored, number, one.words)
        assert maps[:, :, ::-1] == pytest.approx(other_maps, abs=1e-4)
        assert grounded == pytest.approx(other_grounded, abs=1e-4)


def test_each_region_stands_beside_its_own_mirror_image(networks: tuple[Network, Network]) -> None:
    plain, twice = networks
    pictures = squeeze_many([snapshot(1)], 64)
    sight = twice.see(pictures)
    one, other = plain.see(pictures), plain.see(pictures[..., ::-1].copy())
    regions = one.keys.shape[3]
    side = int(regions**0.5)
    assert sight.keys[..., :regions] == pytest.approx(one.keys, abs=1e-4)
    back = other.keys.reshape(*other.keys.shape[:3], side, side)[..., ::-1]
    assert sight.keys[..., regions:].reshape(back.shape) == pytest.approx(back, abs=1e-4)
    flipped = other.summaries.reshape(side, side, -1)[:, ::-1].reshape(regions, -1)
    assert sight.summaries[0] == pytest.approx((one.summaries[0] + flipped) / 2, abs=1e-4)
    # Of the picture alone: what live mode compares, and what is told by name.
    assert sight.pooled == pytest.approx(one.pooled, abs=1e-4)
    assert np.array_equal(sight.answers, one.answers)
