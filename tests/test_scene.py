"""What live mode tells: new scenes, once, and nothing that noise, light or a passer-by does."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.caption import Caption, Level, Thing
from core.scene import SceneWatch, Step, grey_view
from core.speaking import speak

Pixels = np.ndarray
LOOK = 0.5  # seconds


def direction(angle: float) -> np.ndarray:
    """Features at an angle, in degrees, from those of the first scene."""
    radians = np.radians(angle)
    return np.array([np.cos(radians), np.sin(radians)], np.float32)


def scene(seed: int) -> Pixels:
    blocks = np.random.default_rng(seed).integers(20, 220, (6, 8, 3), dtype=np.uint8)
    return blocks.repeat(40, axis=0).repeat(40, axis=1)


def said(sentence: str | None, *notes: str, things: Sequence[str] = ()) -> Caption:
    level: Level = "sure" if sentence else "none"
    named = tuple(Thing(name, 0.9) for name in things)
    spoken = speak(sentence, level, notes, named, "")
    return Caption("camera", sentence, 0.9, level, spoken, (), (), notes, named, 0.1, "model")


class Viewer:
    """Looks every half second at what it is shown."""

    def __init__(self) -> None:
        self.watch = SceneWatch()
        self.now = 0.0
        self.described = 0

    def look(self, pixels: Pixels, angle: float, caption: Caption) -> bool:
        """Whether the caption is told."""
        self.now += LOOK
        if not self.watch.glimpse(grey_view(pixels)):
            return False
        if self.watch.see(direction(angle), self.now) is not Step.DESCRIBE:
            return False
        self.described += 1
        return self.watch.judge(caption, self.now)

    def told(self, seconds: float, pixels: Pixels, angle: float, caption: Caption) -> int:
        """How many times it is told in some seconds."""
        return sum(self.look(pixels, angle, caption) for _ in range(round(seconds / LOOK)))


@pytest.fixture
def viewer() -> Viewer:
    """Has been told of the first scene."""
    viewer = Viewer()
    assert viewer.told(5, scene(0), 0, said("Two dogs run over the grass.")) == 1
    return viewer


def test_a_scene_is_told_once_and_described_once(viewer: Viewer) -> None:
    assert viewer.told(60, scene(0), 3, said("Two cats sleep on a sofa.")) == 0
    assert viewer.described == 1


def test_each_new_scene_is_told_also_one_that_was_there_before(viewer: Viewer) -> None:
    assert viewer.told(5, scene(1), 80, said("A man sits at a table.")) == 1
    assert viewer.told(5, scene(0), 0, said("Two dogs run over the grass.")) == 1


def test_another_view_of_what_the_sentence_said_is_no_news(viewer: Viewer) -> None:
    assert viewer.told(30, scene(1), 80, said("Two dogs run over the grass.")) == 0
    assert viewer.described == 2  # the first scene, and once this one


def test_half_a_change_needs_a_wholly_different_sentence(viewer: Viewer) -> None:
    assert viewer.told(30, scene(1), 46, said("Two dogs run through a field.")) == 0
    assert viewer.told(30, scene(2), 92, said("A man sits at a table.")) == 1


def test_light_and_noise_do_not_make_a_scene(viewer: Viewer) -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        seen = scene(0) * random.uniform(0.85, 1.15) + random.normal(0, 10, scene(0).shape)
        # Whatever noise does to features and sentences.
        sentence = said(f"A {random.integers(99)} stands.")
        assert not viewer.look(np.clip(seen, 0, 255).astype(np.uint8), 0, sentence)


def test_what_moves_is_not_told_until_it_rests(viewer: Viewer) -> None:
    for step in range(8):
        assert not viewer.look(scene(10 + step), 70, said("A bus drives along a street."))
    assert viewer.told(3, scene(17), 70, said("A bus drives along a street.")) == 1


def test_what_never_rests_is_told_seldom(viewer: Viewer) -> None:
    told = sum(
        viewer.look(scene(10 + step), 60 + 40 * (step % 2), said(f"A thing{'x' * step} moves."))
        for step in range(120)
    )
    assert 1 <= told <= 60 / 6


def test_tellings_keep_their_distance(viewer: Viewer) -> None:
    times = []
    for step in range(120):
        number = step // 2  # a cut every second
        if viewer.look(scene(number), 90 * (number % 2), said(f"Only thing{'x' * number}.")):
            times.append(viewer.now)
    assert len(times) > 10
    assert np.diff(times).min() >= 2.5


def test_a_bad_picture_is_told_once_when_it_lasts(viewer: Viewer) -> None:
    black = np.zeros_like(scene(0))
    assert viewer.told(0.5, black, 90, said(None, "dark")) == 0  # a hand before the lens
    assert viewer.told(5, scene(0), 0, said("Two dogs run over the grass.")) == 0
    assert viewer.told(5, black, 90, said(None, "dark")) == 1
    assert viewer.told(30, black, 85, said(None, "dark")) == 0
    assert viewer.told(5, scene(0), 0, said("Two dogs run over the grass.")) == 1


def test_two_scenes_of_which_nothing_can_be_said_are_two(viewer: Viewer) -> None:
    assert viewer.told(5, scene(1), 90, said(None)) == 1
    assert viewer.told(5, scene(1), 80, said(None)) == 0
    assert viewer.told(5, scene(2), 180, said(None)) == 1


def test_features_alone_decide_where_nothing_can_be_said(viewer: Viewer) -> None:
    assert viewer.told(5, scene(1), 42, said(None)) == 0  # somebody passes by
    assert viewer.told(5, scene(2), 92, said(None)) == 1
    assert viewer.told(5, scene(3), 140, said(None)) == 1


def test_things_make_a_scene_and_not_the_words_around_them(viewer: Viewer) -> None:
    assert viewer.told(5, scene(1), 50, said(None, things=["cup", "laptop"])) == 1
    assert viewer.told(5, scene(2), 95, said(None, things=["laptop", "cup"])) == 0
    assert viewer.told(5, scene(3), 140, said(None, things=["cat"])) == 1


def test_a_trouble_that_comes_and_goes_does_not_chatter(viewer: Viewer) -> None:
    black = np.zeros_like(scene(0))
    told = 0
    for _ in range(10):
        told += viewer.told(3, black, 90, said(None, "dark"))
        told += viewer.told(3, scene(0), 0, said("Two dogs run over the grass."))
    assert told <= 2 * 60 / 20 + 2


def test_what_the_user_heard_by_asking_is_not_told_again(viewer: Viewer) -> None:
    viewer.watch.heard(said("A man sits at a table."), viewer.now)
    assert viewer.told(10, scene(1), 80, said("A man sits at a table.")) == 0
