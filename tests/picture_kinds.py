"""Bad pictures made of good photographs, in steps: darkened, covered, over-exposed, blurred, noisy.

Each maker takes a photograph (height, width, 3) uint8 RGB and gives one of the same size. Lengths
are shares of the picture's side, so that a step means the same in every size.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.picture import open_picture

Picture = np.ndarray
Maker = Callable[[Picture, np.random.Generator], Picture]

# Linear light to the eye's steps: a camera's gain and shutter act on the former.
_GAMMA = 2.2


def _sensor_noise(pixels: Picture, rng: np.random.Generator, spread: float) -> Picture:
    noisy = pixels.astype(np.float32) + rng.normal(0, spread, pixels.shape)
    return noisy.clip(0, 255).astype(np.uint8)


def darkened(share: float) -> Maker:
    """As in a room where the brightest thing is this share of white, with a sensor's noise."""

    def make(pixels: Picture, rng: np.random.Generator) -> Picture:
        brightest = max(1.0, float(np.percentile(pixels.max(axis=2), 99.5)))
        return _sensor_noise(pixels * (255 * share / brightest), rng, 1.5)

    return make


def covered(share: float, finger: bool) -> Maker:
    """A lens cap (black) or a finger (dim, red, soft) over this share of the picture."""

    def make(pixels: Picture, rng: np.random.Generator) -> Picture:
        height, width = pixels.shape[:2]
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        angle = rng.uniform(0, 2 * np.pi)
        along = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
        edge = float(np.quantile(along, share)) if share < 1 else 9.0
        soft = 0.04 if finger else 0.01
        over = 1 / (1 + np.exp(((along - edge) / soft).clip(-30, 30)))
        colour = np.array((70, 18, 12) if finger else (4, 4, 4), np.float32)
        shade = colour * (1 + (0.4 * along[..., None] if finger else 0))
        mixed = pixels * (1 - over[..., None]) + shade * over[..., None]
        return _sensor_noise(mixed, rng, 1.5)

    return make


def overexposed(share: float) -> Maker:
    """So long exposed that this share of the pixels is burnt out to white."""

    def make(pixels: Picture, rng: np.random.Generator) -> Picture:
        linear = (pixels.astype(np.float32) / 255) ** _GAMMA + 0.002
        gain = 1 / max(float(np.quantile(linear.min(axis=2), 1 - share)), 1e-4)
        return _sensor_noise(255 * (linear * gain).clip(0, 1) ** (1 / _GAMMA), rng, 1)

    return make


def out_of_focus(radius: float) -> Maker:
    """Every point a disc with this radius."""

    def make(pixels: Picture, rng: np.random.Generator) -> Picture:
        height, width = pixels.shape[:2]
        across, down = max(1, round(radius * width)), max(1, round(radius * height))
        y, x = np.mgrid[-down : down + 1, -across : across + 1]
        disc = ((x / (across + 0.5)) ** 2 + (y / (down + 0.5)) ** 2 <= 1).astype(np.float32)
        blurred = cv2.filter2D(pixels, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE)
        return _sensor_noise(blurred, rng, 1.5)

    return make


def shaken(length: float) -> Maker:
    """The camera moved by this length, in any direction, while the shutter was open."""

    def make(pixels: Picture, rng: np.random.Generator) -> Picture:
        height, width = pixels.shape[:2]
        angle, reach = rng.uniform(0, np.pi), length * max(height, width)
        size = 2 * int(np.ceil(reach / 2)) + 3
        kernel = np.zeros((size, size), np.float32)
        for step in np.linspace(-0.5, 0.5, 4 * size):
            x = size // 2 + step * reach * np.cos(angle) * width / max(height, width)
            y = size // 2 + step * reach * np.sin(angle) * height / max(height, width)
            kernel[round(y), round(x)] += 1
        blurred = cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
        return _sensor_noise(blurred, rng, 1.5)

    return make


def noisy(spread: float) -> Maker:
    """Grain with this spread, of 255, as large as the model can see."""

    def make(pixels: Picture, rng: np.random.Generator) -> Picture:
        height, width = pixels.shape[:2]
        cells = (int(rng.integers(150, 225)), int(rng.integers(150, 225)))
        grain = rng.normal(0, spread, (min(height, cells[0]), min(width, cells[1]), 3))
        shown = cv2.resize(grain, (width, height), interpolation=cv2.INTER_NEAREST)
        return (pixels + shown).clip(0, 255).astype(np.uint8)

    return make


def static(pixels: Picture, rng: np.random.Generator) -> Picture:
    """A picture of the same size that is nothing but grain, fine or coarse."""
    height, width = pixels.shape[:2]
    cell = int(rng.integers(1, 6))
    grain = rng.normal(rng.uniform(80, 170), rng.uniform(35, 90), (height, width, 3))
    coarse = grain[: -(-height // cell), : -(-width // cell)]
    return np.kron(coarse, np.ones((cell, cell, 1)))[:height, :width].clip(0, 255).astype(np.uint8)


def one_colour(pixels: Picture, rng: np.random.Generator) -> Picture:
    """A wall: one colour, a little brighter to one side."""
    height, width = pixels.shape[:2]
    slope = rng.uniform(0, 12) * np.linspace(-1, 1, width)[None, :, None]
    wall = np.broadcast_to(rng.uniform(60, 245, 3) + slope, (height, width, 3))
    return _sensor_noise(wall, rng, 1.5)


# What nobody could describe, by the code that is expected. The mildest step of each is still bad:
# the sentences of the model have lost most of what they have to do with the picture.
BAD: dict[str, dict[str, Maker]] = {
    "dark": {
        **{f"darkened to {share:.0%}": darkened(share) for share in (0.09, 0.05, 0.02, 0)},
        **{f"lens cap over {share:.0%}": covered(share, False) for share in (0.97, 0.99, 1)},
    },
    "blank": {
        "one colour": one_colour,
        "finger over 100%": covered(1, True),
    },
    "overexposed": {f"{share:.0%} burnt out": overexposed(share) for share in (0.93, 0.96, 0.99)},
    "blurred": {
        **{f"out of focus by {share:.1%}": out_of_focus(share) for share in (0.04, 0.06, 0.09)},
        **{f"shaken by {share:.0%}": shaken(share) for share in (0.16, 0.22, 0.3)},
    },
    "noise": {
        **{f"grain of {spread}": noisy(spread) for spread in (100, 140, 200)},
        "nothing but grain": static,
    },
}


# Not good, but a person would describe them: they are not refused for certain.
MILD: dict[str, Maker] = {
    "darkened to 15%": darkened(0.15),
    "lens cap over 80%": covered(0.8, False),
    "finger over 80%": covered(0.8, True),
    "60% burnt out": overexposed(0.6),
    "80% burnt out": overexposed(0.8),
    "out of focus by 1.5%": out_of_focus(0.015),
    "out of focus by 2.5%": out_of_focus(0.025),
    "shaken by 5%": shaken(0.05),
    "shaken by 10%": shaken(0.1),
    "grain of 30": noisy(30),
    "grain of 60": noisy(60),
}


def as_frame(pixels: Picture, size: tuple[int, int], quality: int) -> Picture:
    """The picture at a camera's size (width, height) after JPEG of this quality."""
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    done, coded = cv2.imencode(".jpg", resized, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))


def grey(pixels: Picture, rng: np.random.Generator) -> Picture:
    """As a black-and-white film takes it."""
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def enlarged(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Smoothly enlarged, 1280 x 960."""
    return cv2.resize(pixels, (1280, 960), interpolation=cv2.INTER_CUBIC)


def framed(pixels: Picture, rng: np.random.Generator) -> Picture:
    """As a camera hands it over."""
    size = FRAMES[rng.integers(len(FRAMES))]
    return as_frame(pixels, size, int(rng.integers(70, 96)))


def on_white(pixels: Picture, rng: np.random.Generator) -> Picture:
    """What is in the middle, before a white or grey wall, as shops show their goods."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    across, down = rng.uniform(0.2, 0.42, 2)
    outside = np.abs((x / width - 0.5) / across) ** 3 + np.abs((y / height - 0.5) / down) ** 3
    shown = (1 / (1 + np.exp(((outside - 1) * 12).clip(-30, 30))))[..., None]
    return (pixels * shown + rng.choice([255, 250, 240]) * (1 - shown)).astype(np.uint8)


def silhouette(pixels: Picture, rng: np.random.Generator) -> Picture:
    """The dark parts black before an evening sky."""
    down = np.linspace(0, 1, pixels.shape[0])[:, None, None]
    sky = down * rng.uniform(40, 255, 3) + (1 - down) * rng.uniform(40, 255, 3)
    soft = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), 4)
    black = (soft < np.quantile(soft, rng.uniform(0.2, 0.5)))[..., None]
    return cv2.GaussianBlur(_sensor_noise(np.where(black, 8, sky), rng, 2), (0, 0), 0.7)


FRAMES = [(640, 480), (1280, 720), (1280, 960), (1920, 1080)]
# Photographs that a person would describe, however unusual.
GOOD: dict[str, Maker] = {
    "camera frame": framed,
    "enlarged": enlarged,
    "black and white": grey,
    "before white": on_white,
    "silhouette": silhouette,
}


def photographed(page: Picture, rng: np.random.Generator) -> Picture:
    """A page or screen as a camera sees it, filling most of the frame, 1280 x 960.

    With perspective, uneven light, a slight blur, grain and JPEG.
    """
    width, height = 1280, 960
    h, w = page.shape[:2]
    crop = min(1.0, 1.4 * height * w / (width * h))  # the top of a tall page
    page = page[: max(1, int(h * crop))]
    h = page.shape[0]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    spread = 0.07 * np.array((width, height))
    target = corners + rng.uniform(-1, 1, (4, 2)) * spread
    source = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    if w > 2 * width:  # shrink first, or thin lines would vanish between samples
        page = cv2.resize(page, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
        source /= 2
    transform = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    table = tuple(float(value) for value in rng.uniform(30, 140, 3))
    seen = cv2.warpPerspective(
        page, transform, (width, height), flags=cv2.INTER_AREA, borderValue=table
    )
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    light = 0.85 + 0.25 * ((x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle))
    tint = np.array((1.0, rng.uniform(0.93, 1), rng.uniform(0.82, 1)))
    lit = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.4, 1.2)) * light[..., None] * tint
    return as_frame(_sensor_noise(lit, rng, rng.uniform(1, 5)), (width, height), 88)


def with_photograph(
    screen: Picture, photograph: Picture, share: float, rng: np.random.Generator
) -> Picture:
    """The screen with a photograph somewhere on it, over this share of it."""
    height, width = screen.shape[:2]
    high, wide = int(height * share**0.5), int(width * share**0.5)
    top, left = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
    both = screen.copy()
    shown = cv2.resize(photograph, (wide, high), interpolation=cv2.INTER_CUBIC)
    both[top : top + high, left : left + wide] = shown
    return both


def thumbnail(pixels: Picture, quality: int) -> Picture:
    """Squeezed to 224 x 224 and coded as WebP."""
    small = cv2.resize(pixels, (224, 224), interpolation=cv2.INTER_AREA)
    done, coded = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))


def as_jpeg(pixels: Picture, quality: int) -> Picture:
    """The picture after JPEG of this quality."""
    return as_frame(pixels, (pixels.shape[1], pixels.shape[0]), quality)


def snapshot(seed: int, width: int = 160, height: int = 120) -> Picture:
    """A part of a photograph, another for each seed: something that a sentence is made of."""
    skimage = pytest.importorskip("skimage", reason="its photographs are needed")
    names = ("astronaut.png", "coffee.png", "chelsea.png", "motorcycle_left.png")
    rng = np.random.default_rng(seed)
    folder = Path(skimage.__file__).parent / "data"
    pixels = open_picture(folder / names[seed % len(names)]).pixels
    high, wide = (int(side * rng.uniform(0.75, 1)) for side in pixels.shape[:2])
    top = int(rng.integers(0, pixels.shape[0] - high + 1))
    left = int(rng.integers(0, pixels.shape[1] - wide + 1))
    part = pixels[top : top + high, left : left + wide]
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)


def save_snapshot(path: Path, seed: int = 0) -> None:
    """A picture file of which a sentence is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(snapshot(seed)).save(path)
