"""Whether a camera sees another scene than the one that was told last."""

import math
import re
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.caption import Caption

# Distances are 0 for the same view, about 1 for two that have nothing in common. The limits were
# chosen on 400 train pictures of Flickr8k as a camera would see them again: with noise of 2 to 12
# (of 255), 15 % more or less light, shifted by 2 %, another JPEG quality. The features of one scene
# were up to 0.23 apart (median 0.06; 99 % below 0.15), with a person's width covered 0.15 to 0.5,
# those of two scenes 0.24 to 0.75 (99 % above 0.3). In grey, one scene was up to 0.28 apart
# (95 % below 0.13), two scenes 0.22 and more (99 % above 0.43).
_FAMILIAR = 0.03  # grey: too near to look any closer
_STEADY = 0.15  # grey: the camera and what it sees hold still between two looks
_SAME = 0.22  # features: hardly ever do noise, flicker or a shaking hand go so far
_OTHER = 0.4  # features: no longer a matter of noise; in between, the sentence decides
_UNSAID = 0.3  # features: another scene where nothing can be said that could decide

# Share of their words that two sentences have in common. A shaky sentence changes a word or two
# without a reason, so that features half-way to another scene need a wholly different one; what
# has to differ shrinks from `_UNSAID` to `_OTHER`.
_ALIKE = 0.75
_UNLIKE = 0.25

_PAUSE = 2.5  # seconds between two tellings
_SOON_FOR = 1.0  # seconds after a change or before a telling in which looking more often pays
_PATIENCE = 6.0  # seconds until what never holds still is looked at all the same
_BAD_FOR = 0.45  # seconds that a bad picture must last: a hand before the lens, a quick turn
_BAD_AGAIN = 20.0  # seconds in which the same trouble is not told twice
_MOST_VIEWS = 8  # of one scene that are remembered

# Notes of pictures that are bad, and say nothing of what is there.
_BAD = frozenset({"dark", "blank", "overexposed", "blurred", "noise"})

_GREY = (16, 12)  # columns, rows
_GREY_FLOOR = 4.0  # of 255: contrast below is noise
_SMALL_WORDS = frozenset(
    [
        *("a", "an", "and", "are", "as", "at", "by", "for", "from", "her", "his", "in", "into"),
        *("is", "it", "its", "of", "on", "onto", "out", "over", "perhaps", "some", "that", "the"),
        *("their", "there", "this", "through", "to", "two", "under", "up", "while", "with"),
    ]
)


class Step(Enum):
    """What to do after a look."""

    WAIT = auto()
    """There is nothing new, or it has time: look again in a while."""
    LOOK_SOON = auto()
    """Something has just changed: look again soon."""
    DESCRIBE = auto()
    """This may be a new scene: its caption decides."""


@dataclass(frozen=True)
class _View:
    grey: NDArray[np.float32]  # as `grey_view` makes it
    features: NDArray[np.float32]  # (channels,) of length 1


class SceneWatch:
    """Follows a camera, look by look, and decides what is worth telling.

    For each look, call `glimpse`; if that is not enough, `see`; and `judge` where that asks for a
    caption. Features say whether a scene may be new, and the sentence whether that is worth a
    word. Views which turned out not to be are remembered, so that they are not described again,
    and only a larger change is a new scene.
    """

    def __init__(self) -> None:
        self._views: list[_View] = []  # of the scene that was told
        self._content: str | None = None  # of what was told
        self._told_at = -math.inf
        self._grey: NDArray[np.float32] | None = None  # of the present look
        self._steady = False
        self._seen: _View | None = None
        self._changed_at: float | None = None
        self._asked_at = 0.0  # for the last caption
        self._takes = 0.0  # seconds that it took, as far as that matters
        self._bad: tuple[str, float] | None = None  # a bad picture and since when it is seen
        self._troubles: dict[str, float] = {}  # what was told of bad pictures, and when

    def glimpse(self, grey: NDArray[np.float32]) -> bool:
        """Look at little: whether the features are needed to know more.

        Args:
            grey: as `grey_view` makes it.
        """
        self._steady = self._grey is not None and _apart(self._grey, grey) < _STEADY
        self._grey = grey
        if any(_apart(view.grey, grey) < _FAMILIAR for view in self._views):
            self._rest()
            return False
        return True

    def see(self, features: NDArray[np.float32], now: float) -> Step:
        """Look at the features of the picture of the last `glimpse`.

        Args:
            features: (channels,) of length 1.
            now: in seconds, of a clock that never goes back.
        """
        assert self._grey is not None
        self._seen = _View(self._grey, features)
        if self._distance() < _SAME:
            self._rest()
            return Step.WAIT
        if self._changed_at is None:
            self._changed_at = now
        # A caption that takes a while is asked for so much sooner.
        pause_left = self._told_at + _PAUSE - self._takes - now
        if pause_left > 0:
            return Step.WAIT if pause_left > _SOON_FOR else Step.LOOK_SOON
        lasted = now - self._changed_at
        if self._steady or lasted >= _PATIENCE:
            self._asked_at = now
            return Step.DESCRIBE
        return Step.LOOK_SOON if lasted < _SOON_FOR else Step.WAIT

    def judge(self, caption: Caption, now: float) -> bool:
        """Whether to tell the caption of the picture that was seen last; if so, it counts as told.

        Args:
            caption: of that picture.
            now: in seconds, of the same clock.
        """
        assert self._seen is not None
        self._takes = min(now - self._asked_at, _SOON_FOR)
        self._changed_at = None
        content = _content(caption)
        if not self._is_news(content):
            self._views = [*self._views[1 - _MOST_VIEWS :], self._seen]
            self._bad = None
            return False
        if _BAD.isdisjoint(caption.notes):
            self._bad = None
        elif not self._is_bad_for_good(caption.spoken, now):
            return False
        self._views = [self._seen]
        self._content = content
        self._told_at = now
        return True

    def heard(self, caption: Caption, now: float) -> None:
        """Note that the user was told this of the camera's picture by other means."""
        self._content = _content(caption)
        self._told_at = now

    def _rest(self) -> None:
        self._changed_at = None
        self._bad = None

    def _distance(self) -> float:
        """From what is seen to the nearest view of the scene that was told."""
        assert self._seen is not None
        near = max((float(view.features @ self._seen.features) for view in self._views), default=-1)
        return 1 - near

    def _is_news(self, content: str) -> bool:
        if self._content is None:
            return True
        distance = self._distance()
        if not content:
            return distance >= _UNSAID and self._steady
        alike = _UNLIKE
        if self._steady:
            alike = float(np.interp(distance, (_UNSAID, _OTHER), (_UNLIKE, _ALIKE)))
        return _likeness(self._content, content) <= alike

    def _is_bad_for_good(self, trouble: str, now: float) -> bool:
        """Whether a bad picture has lasted, and its trouble was not told a moment ago."""
        if self._bad is None or self._bad[0] != trouble:
            self._bad = (trouble, now)
        if now - self._bad[1] < _BAD_FOR:
            return False
        if now - self._troubles.get(trouble, -math.inf) < _BAD_AGAIN:
            return False
        self._troubles[trouble] = now
        return True


def grey_view(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A picture as little as a glimpse: (12, 16) grey levels without their brightness and contrast.

    Args:
        pixels: (height, width, 3) uint8 RGB.
    """
    # A tenth of the pixels is enough, and keeps a large picture from costing more than features.
    step = max(1, min(pixels.shape[:2]) // 96)
    sample = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step])).convert("L")
    grey = np.asarray(sample.resize(_GREY, Image.Resampling.BOX), dtype=np.float32)
    grey = grey - grey.mean()
    return grey / math.sqrt(float((grey**2).mean()) + _GREY_FLOOR**2)


def _apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """0 for the same view whatever its light, 1 for two that are not alike, 0.5 for a plain one."""
    return float(((one - other) ** 2).mean()) / 2


def _content(caption: Caption) -> str:
    """What is known of the scene itself; "" where nothing can be said, in whatever words."""
    if caption.notes:
        return caption.spoken
    # Also a sentence that things are said instead of: it tells one dog from another.
    return caption.caption or " ".join(thing.name for thing in caption.things)


def _likeness(one: str, other: str) -> float:
    """Share of the words of two contents that both have, small words left out."""
    if one == other:
        return 1.0
    words, others = _words(one), _words(other)
    return len(words & others) / max(1, len(words | others))


def _words(content: str) -> set[str]:
    return set(re.findall(r"[a-z]+", content.lower())) - _SMALL_WORDS
