"""How to hold the camera: said of photographs that are shifted, shrunk, turned and darkened."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.aim import aim
from core.picture import open_picture
from core.tilt import find_tilt


def photograph(name: str) -> np.ndarray:
    folder = Path(pytest.importorskip("skimage").__file__).parent / "data"
    return open_picture(folder / name).pixels


def portrait(x: float, y: float, share: float, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """One face at this place, whose height is this share of the picture's."""
    width, height = size
    astronaut = photograph("astronaut.png")  # her face: 0.35 to 0.54 across, 0.13 to 0.32 down
    scale = share * height / (0.19 * astronaut.shape[0])
    shift = (x * width - 0.445 * 512 * scale, y * height - 0.225 * 512 * scale)
    move = np.array(((scale, 0, shift[0]), (0, scale, shift[1])))
    border = cv2.BORDER_REFLECT
    return cv2.warpAffine(astronaut, move, size, flags=cv2.INTER_AREA, borderMode=border)


def turned(pixels: np.ndarray, degrees: float) -> np.ndarray:
    """The picture's middle, turned clockwise."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    whole = cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_CUBIC)
    return whole[int(0.17 * height) : int(0.83 * height), int(0.17 * width) : int(0.83 * width)]


def room() -> np.ndarray:
    """A door, a window and shelves, with the grain of a camera."""
    pixels = np.full((480, 640, 3), 190, np.uint8)
    cv2.rectangle(pixels, (140, 90), (260, 420), (120, 80, 50), -1)
    cv2.rectangle(pixels, (350, 120), (520, 260), (230, 240, 250), -1)
    for y in (300, 340, 380):
        cv2.rectangle(pixels, (330, y), (540, y + 10), (90, 60, 40), -1)
    grain = np.random.default_rng(0).normal(0, 4, pixels.shape)
    return (pixels + grain).clip(0, 255).astype(np.uint8)


def test_a_face_in_the_middle() -> None:
    found = aim(portrait(0.5, 0.42, 0.35))
    assert len(found.faces) == 1
    left, top, right, bottom = found.faces[0]
    assert (left + right) / 2 == pytest.approx(0.5, abs=0.05)
    assert (top + bottom) / 2 == pytest.approx(0.42, abs=0.05)
    assert found.spoken.startswith("One face, centred.")


@pytest.mark.parametrize(
    ("x", "y", "spoken", "facing"),
    [
        (
            0.3,
            0.42,
            "One face, a little too far left. Turn the camera a little to the left.",
            "One face, a little too far right. Move a little to your left.",
        ),
        (
            0.85,
            0.42,
            "One face, too far right. Turn the camera to the right.",
            "One face, too far left. Move to your right.",
        ),
        (
            0.5,
            0.2,
            "One face, a little too high. Tip the camera a little up.",
            "One face, a little too high. Tip the camera a little up.",
        ),
        (
            0.3,
            0.8,
            "One face, a little too far left and too low. "
            "Turn the camera a little to the left. Tip the camera down.",
            "One face, a little too far right and too low. "
            "Move a little to your left. Tip the camera down.",
        ),
    ],
)
def test_where_to_turn_and_to_move(x: float, y: float, spoken: str, facing: str) -> None:
    pixels = portrait(x, y, 0.25)
    assert aim(pixels).spoken.startswith(spoken)
    assert aim(pixels, facing_you=True).spoken.startswith(facing)


def test_distance() -> None:
    assert "Too close: move farther back." in aim(portrait(0.5, 0.42, 0.75)).spoken
    assert "Far away: move closer." in aim(portrait(0.5, 0.42, 0.12)).spoken
    between = aim(portrait(0.5, 0.42, 0.35)).spoken
    assert "close" not in between
    assert "away" not in between


def test_several_faces_are_aimed_at_together() -> None:
    one = portrait(0.5, 0.42, 0.35, (320, 480))
    pair = np.concatenate((one, one[:, ::-1]), axis=1)
    found = aim(pair)
    assert len(found.faces) == 2
    assert found.spoken.startswith("Two faces, centred.")


@pytest.mark.parametrize("name", ["coffee.png", "chelsea.png", "rocket.jpg", "brick.png"])
def test_no_face(name: str) -> None:
    found = aim(photograph(name))
    assert found.faces == ()


@pytest.mark.parametrize("degrees", [-20, -8, 5, 14])
def test_tilt(degrees: float) -> None:
    assert find_tilt(turned(room(), degrees)) == pytest.approx(degrees, abs=1.5)


def test_which_way_to_turn() -> None:
    # The world leans to the left, anticlockwise, when the camera was turned clockwise.
    tower = photograph("rocket.jpg")
    assert "Turn the camera a little anticlockwise." in aim(turned(tower, -7)).spoken
    assert "Turn the camera a little clockwise." in aim(turned(tower, 7)).spoken
    assert "Turn the camera clockwise." in aim(turned(tower, 18)).spoken
    assert "Turn the camera anticlockwise." in aim(turned(tower, 18), facing_you=True).spoken
    assert "Turn" not in aim(turned(tower, 0)).spoken


@pytest.mark.parametrize("name", ["coffee.png", "chelsea.png", "astronaut.png"])
def test_where_nothing_tells_no_tilt_is_said(name: str) -> None:
    assert find_tilt(photograph(name)) is None


def test_black_says_so_and_nothing_else() -> None:
    found = aim(np.zeros((480, 640, 3), np.uint8))
    assert found.notes == ("dark",)
    assert found.spoken.startswith("The picture is almost black.")


def test_dim_light_is_told() -> None:
    dim = (portrait(0.5, 0.42, 0.35) * 0.25).astype(np.uint8)
    assert aim(dim).notes == ("dim",)
    assert "light" in aim(dim).spoken
