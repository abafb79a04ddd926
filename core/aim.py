"""How to hold the camera: faces and where they are, tilt, light, sharpness."""

from dataclasses import dataclass

import numpy as np

from core.caption import DRAWN, Box
from core.faces import find_faces
from core.kinds import judge
from core.quality import SENTENCES, find_notes
from core.sample import take_sample
from core.tilt import find_tilt

# How far from its place, as a share of the picture's side, the middle of the faces is noticed, and
# from where it is far. People are framed with their eyes above the middle of the picture.
_OFF, _FAR_OFF = 0.12, 0.26
_PLACE = (0.5, 0.42)
# The height of the largest face, as a share of the picture's.
_SMALL, _LARGE = 0.14, 0.6
# Degrees: less is not worth turning for.
_LEANS, _LEANS_MUCH = 3.0, 12.0
# The mean grey of 255 under which more light would help, and the probability of "blurred" from
# which a steadier hand would.
_DIM, _SOFT = 45, 0.15
_MILD = {
    "dim": "Rather dark: more light would help.",
    "soft": "Perhaps a little blurred: hold still.",
}
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


@dataclass(frozen=True)
class Aim:
    """How the camera is held.

    Attributes:
        faces: a box around each face, the largest first.
        tilt_degrees: how far the picture leans clockwise; None where nothing in it tells.
        notes: codes of ``core.quality`` where the picture is unfit; otherwise ``dim`` and ``soft``
            for what could be better.
        spoken: what to do, in words.
    """

    faces: tuple[Box, ...]
    tilt_degrees: float | None
    notes: tuple[str, ...]
    spoken: str


def aim(pixels: np.ndarray, facing_you: bool = False) -> Aim:
    """Look at how the camera is held, and say how to hold it better.

    Args:
        pixels: (height, width, 3) uint8 RGB, not mirrored.
        facing_you: whether the camera looks at the one who is told, as that above a screen does;
            left and right are then theirs.
    """
    unfit = find_notes(pixels)
    kind = [SENTENCES[note] for note in unfit]
    if not DRAWN.issuperset(unfit):
        return Aim((), None, unfit, " ".join(kind))
    tilt = find_tilt(pixels)
    if unfit:  # a page that a camera looks at should be upright, too
        advice = [*kind, *_about_tilt(tilt, facing_you, upright=False)]
        return Aim((), tilt, unfit, " ".join(advice))
    faces, notes = find_faces(pixels), _mild_notes(pixels)
    advice = [
        *_about_faces(faces, facing_you),
        *_about_tilt(tilt, facing_you, upright=bool(faces)),
        *(_MILD[note] for note in notes),
    ]
    return Aim(faces, tilt, notes, " ".join(advice))


def _mild_notes(pixels: np.ndarray) -> tuple[str, ...]:
    """What is bad enough to be told, and not to refuse a sentence."""
    sample = take_sample(pixels)
    found = {
        "dim": float(sample.grey.mean()) < _DIM,
        "soft": judge(sample)["blurred"] > _SOFT,
    }
    return tuple(note for note, there in found.items() if there)


def _about_faces(faces: tuple[Box, ...], facing_you: bool) -> list[str]:
    if not faces:
        return ["No face found."]
    left, top = min(face[0] for face in faces), min(face[1] for face in faces)
    right, bottom = max(face[2] for face in faces), max(face[3] for face in faces)
    across, down = (left + right) / 2 - _PLACE[0], (top + bottom) / 2 - _PLACE[1]
    number = _NUMBERS[len(faces)] if len(faces) < len(_NUMBERS) else str(len(faces))
    found = f"{number} face{'' if len(faces) == 1 else 's'}"
    # Who faces the camera has left and right the other way round.
    side, other = ("left", "right") if (across < 0) != facing_you else ("right", "left")
    sides = []
    if abs(across) > _OFF:
        sides.append(f"{_much(across)}too far {side}")
    if abs(down) > _OFF:
        sides.append(f"{_much(down)}too {'high' if down < 0 else 'low'}")
    advice = [f"{found}, {' and '.join(sides) or 'centred'}."]
    if abs(across) > _OFF:
        if facing_you:  # who stands too far left moves right
            advice.append(f"Move {_much(across)}to your {other}.")
        else:
            advice.append(f"Turn the camera {_much(across)}to the {side}.")
    if abs(down) > _OFF:
        advice.append(f"Tip the camera {_much(down)}{'up' if down < 0 else 'down'}.")
    tallest = max(face[3] - face[1] for face in faces)
    if tallest > _LARGE:
        advice.append("Too close: move farther back.")
    elif tallest < _SMALL:
        advice.append("Far away: move closer.")
    return advice


def _much(offset: float) -> str:
    return "" if abs(offset) > _FAR_OFF else "a little "


def _about_tilt(tilt: float | None, facing_you: bool, upright: bool) -> list[str]:
    if tilt is None:
        return []
    if abs(tilt) < _LEANS:
        # Lines alone do not tell a camera held upright from one held sideways; a face does.
        return ["The camera is level."] if upright else []
    # The world leans clockwise when the camera was turned the other way, seen from behind it.
    clockwise = (tilt > 0) != facing_you
    little = "" if abs(tilt) > _LEANS_MUCH else "a little "
    return [f"Turn the camera {little}{'clockwise' if clockwise else 'anticlockwise'}."]
