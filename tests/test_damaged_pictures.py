"""Files of every format, damaged at random: a picture or a sentence, and nothing else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import PictureError
from core.picture import open_picture
from tests.picture_files import CLEAR, PLAIN, encode

SAMPLES = [
    encode(PLAIN, "JPEG"),
    encode(PLAIN, "JPEG", progressive=True, exif=Image.Exif()),
    encode(PLAIN, "PNG"),
    encode(CLEAR.quantize(), "PNG", transparency=0),
    encode(PLAIN, "WEBP"),
    encode(CLEAR, "WEBP", lossless=True),
    encode(PLAIN, "GIF", save_all=True, append_images=[PLAIN]),
    encode(PLAIN, "TIFF"),
    encode(PLAIN, "TIFF", compression="tiff_lzw"),
    encode(PLAIN, "BMP"),
    encode(PLAIN, "ICO"),
    encode(PLAIN, "PPM"),
    encode(PLAIN, "AVIF"),
]


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SAMPLES)))
    # Most of what breaks a reader is in the header: half of the damage goes there.
    place = st.integers(0, 200) | st.integers(0, len(data))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(place)
        length = draw(st.integers(0, 8))
        data[start : start + length] = draw(st.binary(max_size=8))
    return bytes(data[: draw(st.just(len(data)) | place)])


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=400)
@given(damaged_files())
@example(b"\xff\xd8\xff")
@example(b"\x89PNG\r\n\x1a\n")
@example(b"GIF89a")
@example(b"RIFF\0\0\0\0WEBPVP8 ")
@example(b"II*\0")
@example(b"\0\0\1\0\xff\xff")
@example(b"P6 ")
@example(b"BM\0\0\0\0\0\0\0\0")
def test_damaged_files_give_a_picture_or_a_sentence(data: bytes) -> None:
    try:
        picture = open_picture(data)
    except PictureError:
        return
    assert picture.pixels.shape == (picture.height, picture.width, 3)
