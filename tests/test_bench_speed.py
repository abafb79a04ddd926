"""The speed benchmark: what it counts and forces, where a mistake would pass for a result."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from core.model_file import load_model
from core.parts import See
from tests.benchmarks.bench_speed import worse_than_half
from tests.benchmarks.floor import count_work
from tests.benchmarks.peer_tutorial import VOCABULARY, Tutorial


def test_the_floor_counts_the_multiply_adds_of_every_layer(tiny_model: Path) -> None:
    model, _, _ = load_model(tiny_model)
    counts = []

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            counts.append(output.numel() * layer.weight[0].numel())
        elif isinstance(layer, nn.Linear):
            counts.append(output.numel() * layer.in_features)

    side, hidden = model.config.image_size, model.config.hidden
    see = See(model)
    for layer in see.modules():
        layer.register_forward_hook(count)
    with torch.inference_mode():
        see(torch.zeros(1, 3, side, side, dtype=torch.uint8))
    for layer in see.modules():
        layer._forward_hooks.clear()
    # What the picture gives to the gates is computed without a layer, from parts of their weights.
    assert count_work(model).encoder_macs == sum(counts) + 5 * hidden**2


def test_the_floor_counts_a_steps_weights_once_and_its_products_for_each_beam(
    tiny_model: Path,
) -> None:
    model, vocabulary, _ = load_model(tiny_model)
    hidden, regions = model.config.hidden, model.encoder.rows * model.encoder.columns
    # To the gates from what was said, 5 (from the word, it is read from a table); of what was said
    # also the sentinel's memory and the query; the sentinel's key, the output, the words; and in
    # attention every key and every value.
    weights = hidden**2 * (5 + 2 + 1 + 1) + hidden * (len(vocabulary) + 2 * regions)
    assert count_work(model, beam=1).step_bytes == 4 * weights
    assert count_work(model, beam=3).step_bytes == 4 * weights
    assert count_work(model, beam=3).step_macs == 3 * weights


def test_the_tutorials_captioner_writes_as_many_words_as_told() -> None:
    torch.manual_seed(1)
    model = Tutorial(nn.Conv2d(3, 8, 16, 16), channels=8).eval()
    pixels = torch.randn(2, 3, 64, 64)
    together = model.write(pixels, length=7)
    assert together.shape == (2, 7)
    assert together.max() < VOCABULARY
    assert [model.write(one[None], length=7)[0].tolist() for one in pixels] == together.tolist()


def test_the_exported_step_of_gpt2_computes_what_transformers_does() -> None:
    pytest.importorskip("transformers")
    from tests.benchmarks.gpt2_step import See as PeerSee
    from tests.benchmarks.gpt2_step import Step
    from tests.benchmarks.peers import vit_gpt2

    torch.manual_seed(1)
    model = vit_gpt2(layers=2)
    see, step = PeerSee(model), Step(model.decoder)
    pixels, words = torch.randn(1, 3, 224, 224), torch.tensor([[50256, 5, 6]])
    with torch.inference_mode():
        expected = model(pixel_values=pixels, decoder_input_ids=words).logits.log_softmax(dim=2)
        cross = see(pixels)
        past = [torch.zeros(1, 12, 0, 64) for _ in cross]
        for place in range(3):
            log_probs, *past = step(words[:, [place]], torch.tensor([place]), past, cross)
            torch.testing.assert_close(log_probs, expected[:, place], rtol=1e-3, atol=1e-3)


def test_a_ratio_worse_than_half_its_bar_is_told() -> None:
    good = {
        "vit_gpt2_float32": 20.1,
        "vit_gpt2_int8": 7.6,
        "encoder_over_floor": 4.9,
        "decoder_over_floor": 7.9,
    }
    assert worse_than_half({**good}) == []
    assert len(worse_than_half({**good, "vit_gpt2_float32": 19.9})) == 1
    assert len(worse_than_half({**good, "vit_gpt2_int8": None})) == 1
    assert len(worse_than_half({**good, "decoder_over_floor": 8.1})) == 1
