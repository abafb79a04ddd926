"""Good pictures of every kind, through open_picture."""

import io
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.picture import KEPT_PIXELS, Picture, open_picture
from tests.picture_files import encode

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def four_corners(width: int = 64, height: int = 48) -> Image.Image:
    """Red, green / blue, white: no two ways of turning or mirroring it look the same."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = RED
    pixels[: height // 2, width // 2 :] = GREEN
    pixels[height // 2 :, : width // 2] = BLUE
    pixels[height // 2 :, width // 2 :] = WHITE
    return Image.fromarray(pixels)


def assert_four_corners(picture: Picture, tolerance: int = 0) -> None:
    height, width = picture.height, picture.width
    seen = picture.pixels[[height // 4, height // 4, -(height // 4), -(height // 4)]]
    corners = [seen[i, x] for i, x in enumerate([width // 4, -(width // 4)] * 2)]
    expected = np.array([RED, GREEN, BLUE, WHITE], int)
    assert np.abs(np.array(corners, int) - expected).max() <= tolerance


def test_the_same_picture_through_every_door(tmp_path: Path) -> None:
    image = four_corners()
    data = encode(image, "PNG")
    path = tmp_path / "four corners.png"
    path.write_bytes(data)

    with open(path, "rb") as file:
        pictures = [
            open_picture(source)
            for source in (
                path,
                str(path),
                data,
                bytearray(data),
                memoryview(data),
                file,
                np.asarray(image),
                image,
            )
        ]

    for picture in pictures:
        assert np.array_equal(picture.pixels, np.asarray(image))
        assert (picture.width, picture.height) == (64, 48)
    assert [picture.name for picture in pictures] == [str(path)] * 2 + ["picture"] * 6


def test_a_picture_is_returned_as_it_is() -> None:
    picture = open_picture(four_corners())
    assert open_picture(picture) is picture


def test_a_pipe_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    data = encode(four_corners(), "PNG")
    with os.fdopen(writing, "wb") as file:
        file.write(data)
    with os.fdopen(reading, "rb", buffering=0) as file:
        assert_four_corners(open_picture(file))


@pytest.mark.skipif(sys.platform == "win32", reason="file names are not bytes there")
def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.png"
    with open(path, "wb") as file:
        file.write(encode(four_corners(), "PNG"))
    picture = open_picture(os.fsdecode(path))
    assert_four_corners(picture)
    assert picture.name == os.fsdecode(path)


def test_pixels_are_read_only_contiguous_and_nobody_elses() -> None:
    array = np.asarray(four_corners()).copy()
    image = four_corners()
    for picture in (open_picture(array), open_picture(image), Picture(array, "picture")):
        before = picture.pixels.copy()
        array[:], array = 7, before.copy()
        image.paste((7, 7, 7), (0, 0, 64, 48))
        assert np.array_equal(picture.pixels, before)
        assert picture.pixels.flags.c_contiguous
        assert picture.pixels.dtype == np.uint8
        with pytest.raises(ValueError, match="read-only"):
            picture.pixels[0, 0] = 7


def test_a_picture_crosses_processes_and_stays_read_only() -> None:
    picture = pickle.loads(pickle.dumps(open_picture(four_corners())))
    assert_four_corners(picture)
    assert picture.name == "picture"
    assert not picture.pixels.flags.writeable


def test_a_pillow_image_is_left_as_it_was() -> None:
    image = Image.open(io.BytesIO(encode(four_corners(5000, 4000), "JPEG")))
    open_picture(image)
    assert image.size == (5000, 4000)


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM", "GIF", "ICO"])
def test_exact_formats(format: str) -> None:
    assert_four_corners(open_picture(encode(four_corners(), format)))


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_approximate_formats(format: str) -> None:
    assert_four_corners(open_picture(encode(four_corners(), format, quality=95)), tolerance=12)


TURNED = {  # orientation tag -> how a camera stored what stands upright
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", TURNED)
def test_exif_orientation(orientation: int, format: str) -> None:
    image = four_corners()
    turn = TURNED[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = encode(image.transpose(turn) if turn is not None else image, format, exif=exif)

    for picture in (open_picture(stored), open_picture(Image.open(io.BytesIO(stored)))):
        assert (picture.width, picture.height) == (64, 48)
        assert_four_corners(picture, tolerance=12)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # pytest shows what core.picture silences
def test_a_damaged_exif_does_not_cost_the_picture() -> None:
    for exif in (b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0nonsense", b"Exif\0\0"):
        picture = open_picture(encode(four_corners(), "JPEG", exif=exif, quality=95))
        assert_four_corners(picture, tolerance=12)


def half_transparent(mode: str) -> Image.Image:
    """Black: opaque on the left, see-through on the right."""
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, :16, 3] = 255
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "RGBa", "La"])
def test_alpha_is_laid_over_white(mode: str) -> None:
    image = half_transparent("LA").convert("La") if mode == "La" else half_transparent(mode)
    picture = open_picture(image)
    assert (picture.pixels[:, :16] == 0).all()
    assert (picture.pixels[:, 16:] == 255).all()


@pytest.mark.parametrize(
    ("mode", "format"),
    [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("RGBA", "ICO")],
)
def test_alpha_in_files(mode: str, format: str) -> None:
    options = {"lossless": True} if format == "WEBP" else {}
    picture = open_picture(encode(half_transparent(mode), format, **options))
    assert (picture.pixels[:, :16] == 0).all()
    assert (picture.pixels[:, 16:] == 255).all()


def test_half_alpha_is_mixed_with_white() -> None:
    picture = open_picture(Image.new("RGBA", (3, 3), (255, 0, 0, 128)))
    assert np.abs(picture.pixels.astype(int) - (255, 127, 127)).max() <= 1


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_palette_with_transparency(format: str) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((0, 0), 0)
    picture = open_picture(encode(image, format, transparency=0))
    assert tuple(picture.pixels[0, 0]) == WHITE
    assert tuple(picture.pixels[1, 1]) == BLUE


def test_palette_without_transparency() -> None:
    image = four_corners().convert("P", palette=Image.Palette.ADAPTIVE)
    assert_four_corners(open_picture(encode(image, "PNG")))


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_is_scaled_not_clipped(format: str) -> None:
    values = np.array([[0, 257, 300, 32768, 65535]], np.uint16)
    picture = open_picture(encode(Image.fromarray(values), format))
    assert picture.pixels[0, :, 0].tolist() == [0, 1, 1, 128, 255]


def test_16_bit_grey_that_is_dark_stays_dark() -> None:
    values = np.full((2, 2), 200, np.uint16)
    for format in ("PNG", "TIFF", "PPM"):
        assert open_picture(encode(Image.fromarray(values), format)).pixels.max() <= 1


def test_16_bit_grey_with_a_transparent_value() -> None:
    values = np.array([[1000, 30000]], np.uint16)
    image = Image.fromarray(values)
    picture = open_picture(encode(image, "PNG", transparency=1000))
    assert picture.pixels[0, :, 0].tolist() == [255, 117]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 128, 255], [0, 128, 255]),
        ([0, 32768, 65535], [0, 128, 255]),
        ([-1000, 0, 1000], [0, 128, 255]),
        ([0, 1 << 30, (1 << 31) - 1], [0, 128, 255]),
        ([70000, 70000, 70000], [0, 0, 0]),
    ],
)
def test_32_bit_integers(values: list[int], expected: list[int]) -> None:
    data = encode(Image.fromarray(np.array([values], np.int32)), "TIFF")
    assert open_picture(data).pixels[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 128.0, 255.0], [0, 128, 255]),
        ([-2.0, 0.0, 2.0], [0, 128, 255]),
        ([0.0, 0.0, 0.0], [0, 0, 0]),
    ],
)
def test_32_bit_floats(values: list[float], expected: list[int]) -> None:
    data = encode(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert open_picture(data).pixels[0, :, 0].tolist() == expected


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk(format: str) -> None:
    picture = open_picture(encode(four_corners().convert("CMYK"), format))
    assert_four_corners(picture, tolerance=30)


def test_ycbcr_lab_and_hsv() -> None:
    image = four_corners()
    assert_four_corners(open_picture(image.convert("YCbCr")), tolerance=3)
    assert_four_corners(open_picture(image.convert("HSV")), tolerance=3)
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(image, to_lab)
    assert lab is not None
    assert_four_corners(open_picture(encode(lab, "TIFF")), tolerance=25)


def test_grey_and_one_bit() -> None:
    grey = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    pixels = open_picture(encode(grey, "PNG")).pixels
    assert pixels.shape == (16, 16, 3)
    assert pixels[:, :, 2].ravel().tolist() == list(range(256))

    bits = Image.fromarray(np.eye(9, dtype=bool))
    for format in ("PNG", "TIFF", "PPM", "BMP"):
        pixels = open_picture(encode(bits, format)).pixels
        assert np.array_equal(pixels[:, :, 1], np.eye(9) * 255)


def test_a_colour_profile_does_no_harm() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (profile, b"damaged profile"):
        assert_four_corners(open_picture(encode(four_corners(), "PNG", icc_profile=icc)))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_many(format: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (BLUE, RED, GREEN)]
    data = encode(frames[0], format, save_all=True, append_images=frames[1:])
    assert np.abs(open_picture(data).pixels.astype(int) - BLUE).max() <= 4


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_a_photograph_with_a_film_behind_it_is_opened(options: dict[str, bool]) -> None:
    """As phones write them; by chance, a film has bytes in it that look like a JPEG's."""
    photo = encode(Image.new("RGB", (2000, 1500), (9, 90, 200)), "JPEG", **options)
    assert open_picture(photo + b"ftypmp42" + b"\xff\xda\x17" * 5000).width == 2000


def test_one_pixel_and_a_panorama() -> None:
    assert open_picture(encode(Image.new("RGB", (1, 1), RED), "PNG")).pixels.tolist() == [
        [list(RED)]
    ]
    panorama = open_picture(encode(four_corners(4000, 200), "JPEG", quality=95))
    assert (panorama.width, panorama.height) == (4000, 200)
    assert_four_corners(panorama, tolerance=12)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_large_picture_is_shrunk(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = four_corners(6000, 4000).transpose(Image.Transpose.ROTATE_90)
    options = {"quality": 90} if format == "JPEG" else {"compress_level": 1}
    picture = open_picture(encode(image, format, exif=exif, **options))
    assert (picture.width, picture.height) == (3000, 2000)
    assert_four_corners(picture, tolerance=12)


def test_any_large_array_is_shrunk_to_what_is_kept() -> None:
    for shape in ((4097, 4096), (8193, 8191), (1, 60_000_000)):
        array = np.zeros(shape, np.uint8)
        picture = open_picture(array)
        assert picture.width * picture.height <= KEPT_PIXELS


def test_arrays_of_every_kind() -> None:
    grey = np.array([[0, 128, 255]], np.uint8)
    bits = np.array([[False, True]])
    colour = np.array([[RED, GREEN]], np.uint8)
    alpha = np.array([[(0, 0, 255, 255), (0, 0, 255, 0)]], np.uint8)
    assert open_picture(grey).pixels[0, :, 0].tolist() == [0, 128, 255]
    assert open_picture(grey[:, :, None]).pixels[0, :, 2].tolist() == [0, 128, 255]
    assert open_picture(bits).pixels[0, :, 1].tolist() == [0, 255]
    assert open_picture(colour).pixels[0].tolist() == [list(RED), list(GREEN)]
    assert open_picture(alpha).pixels[0].tolist() == [list(BLUE), list(WHITE)]
    for order in ("<u2", ">u2"):
        wide = (colour.astype(np.uint16) * 257).astype(order)
        assert open_picture(wide).pixels[0].tolist() == [list(RED), list(GREEN)]
    for kind in (np.float16, np.float32, np.float64):
        floats = np.array([[(1, 0, 0), (0, 0.5, 1)]], kind)
        assert open_picture(floats).pixels[0].tolist() == [list(RED), [0, 128, 255]]


def test_an_array_seen_backwards_as_from_opencv() -> None:
    bgr = np.asarray(four_corners())[:, :, ::-1].copy()
    assert_four_corners(open_picture(bgr[:, :, ::-1]))
