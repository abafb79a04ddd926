"""Signs put on photographs: words on a plate or without one, tilted, soft and noisy."""

import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.rendered_pages import FONTS, Pixels

# Letters and plate.
_COLOURS = (
    ((255, 255, 255), (0, 110, 50)),
    ((255, 255, 255), (180, 20, 20)),
    ((20, 20, 20), (245, 245, 240)),
    ((20, 20, 20), (240, 200, 30)),
    ((255, 255, 255), (30, 60, 150)),
    ((240, 240, 240), (30, 30, 30)),
)


def sign_on(ground: Pixels, words: str, height: int, rng: random.Random) -> Pixels:
    """A photograph with words on a plate or without one, tilted a little, soft and noisy.

    Args:
        ground: (height, width, 3) uint8 RGB.
        words: of the sign.
        height: of the letters in pixels; less where the words would not fit.
        rng: chooses font, colours, tilt and place.
    """
    picture = Image.fromarray(ground)
    name = rng.choice(("DejaVuSans-Bold", "DejaVuSans", "DejaVuSerif-Bold", "STIXGeneralBol"))
    ink, plate = rng.choice(_COLOURS)
    tilt, bare = rng.uniform(-10, 10), rng.random() < 0.3
    while True:
        font = ImageFont.truetype(str(FONTS / f"{name}.ttf"), height)
        left, top, right, bottom = font.getbbox(words)
        size = int(right - left) + height, int(bottom - top) + height
        sign = Image.new("RGBA", size, (0, 0, 0, 0) if bare else plate)
        ImageDraw.Draw(sign).text((height / 2 - left, height / 2 - top), words, ink, font)
        sign = sign.rotate(tilt, expand=True, resample=Image.Resampling.BICUBIC)
        if sign.width <= picture.width and sign.height <= picture.height:
            break
        height = height * 2 // 3
    place = rng.randint(0, picture.width - sign.width), rng.randint(0, picture.height - sign.height)
    picture.paste(sign, place, sign)
    soft = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9)))
    noise = np.random.default_rng(rng.randrange(2**32)).normal(0, 3, ground.shape)
    return np.clip(np.asarray(soft) + noise, 0, 255).astype(np.uint8)
