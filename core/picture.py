"""The one door for every picture: opens it, sets it upright in RGB, refuses what is bad."""

import io
import math
import os
import re
import stat
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.IcoImagePlugin import IcoFile, IcoImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from core.errors import PictureError
from core.swelling import swells_too_much

# The largest phone cameras take 200 million pixels. Pillow holds a pixel in four bytes, so that
# this is one gigabyte, two with transparency, for a moment; a JPEG takes far less.
MAX_PIXELS = 256_000_000

# What is kept of a larger picture: far more than the model sees (224 x 224), enough to read small
# print, and small enough (50 MB) to hold several at once.
KEPT_PIXELS = 4096 * 4096

# Room for a 200-megapixel photograph in any usual format; an endless stream stops here.
MAX_BYTES = 512 * 1024 * 1024

_PNG = b"\x89PNG\r\n\x1a\n"

# How a file begins -> what reads it. Calling the readers themselves instead of Image.open leaves
# out Pillow's risky formats (EPS starts a program) and its limit of 179 megapixels, which could
# only be raised for the whole process.
_READERS: tuple[tuple[bytes, Callable[[BinaryIO], ImageFile]], ...] = (
    (rb"\xff\xd8\xff", JpegImageFile),
    (re.escape(_PNG), PngImageFile),
    (rb"RIFF....WEBP", WebPImageFile),
    (rb"GIF8[79]a", GifImageFile),
    (rb"BM....\x00\x00\x00\x00", BmpImageFile),
    (rb"II[*+]\x00|MM\x00[*+]", TiffImageFile),
    (rb"P[1-6]\s", PpmImageFile),
    (rb"\x00\x00\x01\x00", IcoImageFile),
    # The brand is the file's first or among the others it is compatible with.
    (rb"....ftyp(?:....){0,12}?avi[fs]", AvifImageFile),
)
_SIGNATURE_BYTES = 64
_FORMATS = "JPEG, PNG, WebP, GIF, BMP, TIFF, PPM, ICO or AVIF"

# EXIF orientation -> what sets the picture upright. ImageOps.exif_transpose does the same but also
# rewrites the remaining EXIF, which fails on the odd tags of some cameras.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow warns of damaged metadata, which is not read here. Set once rather than around each
# picture, because warnings.catch_warnings is not safe in threads; the warnings of other
# categories (decompression bombs, deprecations) stay for the rest of the program.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright RGB picture, checked and never changed; made by `open_picture`.

    Attributes:
        pixels: (height, width, 3) uint8 RGB array, read-only. It has at most `KEPT_PIXELS` pixels:
            a larger picture was shrunk by a whole number.
        name: the path as it was given, or "picture" for what has none.
    """

    pixels: NDArray[np.uint8]
    name: str

    def __post_init__(self) -> None:
        if self.pixels.flags.writeable:
            pixels = self.pixels.copy()
            pixels.setflags(write=False)
            object.__setattr__(self, "pixels", pixels)

    def __reduce__(self) -> tuple[type["Picture"], tuple[NDArray[np.uint8], str]]:
        # NumPy's own pickling forgets that an array is read-only; __post_init__ does not.
        return Picture, (self.pixels, self.name)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])


PictureSource = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryIO
    | NDArray[Any]
    | Image.Image
    | Picture
)


def open_picture(source: PictureSource) -> Picture:
    """Open a picture from wherever it comes.

    The picture is turned upright as its EXIF orientation says, transparency is laid over white,
    and every kind of pixel (16-bit, palette, CMYK, grey, ...) becomes 8-bit RGB. Of an animation,
    the first frame is taken. An embedded ICC profile is ignored: it shifts colours less than the
    light in a room does, the model was trained without, and a damaged one would cost the picture.

    Args:
        source: one of

            - the path of a file;
            - the bytes of a file, or a binary file object such as ``sys.stdin.buffer``, which is
              read from where it stands to its end;
            - a NumPy array of shape (height, width), (height, width, 1), (height, width, 3) or
              (height, width, 4): grey, RGB, or RGB and alpha, in bool, uint8, uint16 or
              floats from 0 to 1. OpenCV's arrays are BGR: pass ``frame[:, :, ::-1]``;
            - a Pillow image, of which the current frame is taken;
            - a `Picture`, which is returned as it is.

    Raises:
        PictureError: the picture cannot be opened; the message is one sentence for the user.
    """
    match source:
        case Picture():
            return source
        case str() | os.PathLike():
            name = os.fsdecode(source)
            label = name if name and name.isprintable() else repr(name)
            return Picture(_pixels_of_file(_read_path(name, label), label), name)
        case bytes() | bytearray() | memoryview():
            pixels = _pixels_of_file(bytes(source), "The picture")
        case np.ndarray():
            pixels = _pixels_of_image(_image_from_array(source), "The picture")
        case Image.Image():
            pixels = _pixels_of_image(source, "The picture")
        case _ if hasattr(source, "read"):
            pixels = _pixels_of_file(_read_stream(source, "The picture"), "The picture")
        case _:
            raise PictureError(
                f"A picture cannot be made from a {type(source).__name__}: give a path, bytes, "
                "a binary file, a NumPy array or a Pillow image."
            )
    return Picture(pixels, "picture")


def _read_path(path: str, label: str) -> bytes:
    try:
        # Opening a named pipe or a device could wait or read for ever, so look before.
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise PictureError(f"{label} is a folder: give the path of a picture.")
        if not stat.S_ISREG(status.st_mode):
            raise PictureError(f"{label} is a device or pipe: give the path of a picture file.")
        if status.st_size == 0:
            raise _empty(label)
        if status.st_size > MAX_BYTES:
            raise _too_many_bytes(label)
        with open(path, "rb") as file:
            return _read_stream(file, label)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PictureError(f"{label} does not exist: check the path.") from error
    except PermissionError as error:
        raise PictureError(
            f"You have no permission to read {label}: change its permissions or ask its owner."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte in it
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(f"{label} cannot be opened ({reason}): check the path.") from error


def _read_stream(file: BinaryIO, label: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while size <= MAX_BYTES:
        try:
            chunk = file.read(1024 * 1024)
        except (OSError, ValueError) as error:  # ValueError: a closed file
            raise PictureError(f"{label} cannot be read ({error}): try again.") from error
        if not chunk:
            return b"".join(chunks)
        if not isinstance(chunk, bytes):
            raise PictureError(f"{label} was opened as text: open it in binary mode ('rb').")
        chunks.append(chunk)
        size += len(chunk)
    raise _too_many_bytes(label)


def _image_from_array(array: NDArray[Any]) -> Image.Image:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise PictureError(
            f"The array has the shape {array.shape}: "
            "give (height, width), (height, width, 3) or (height, width, 4)."
        )
    _check_size(array.shape[1], array.shape[0], "The array")

    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype.kind == "u" and array.dtype.itemsize == 2:
        array = _eight_bits(array)
    elif array.dtype.kind == "f":
        if not (array.min() >= 0 and array.max() <= 1):  # also false for NaN
            raise PictureError(
                "The array of floats has values outside 0 to 1: divide it by its full scale "
                "or convert it to uint8."
            )
        array = np.rint(array * 255).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise PictureError(
            f"The array is of type {array.dtype}: convert it to uint8, uint16, bool, "
            "or floats from 0 to 1."
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]  # (H, W, 1) -> (H, W)
    return Image.fromarray(np.ascontiguousarray(array))


def _pixels_of_file(data: bytes, label: str) -> NDArray[np.uint8]:
    """The bytes of a picture file -> (height, width, 3)."""
    if not data:
        raise _empty(label)
    data = _png_in_icon(data) or data
    start = data[:_SIGNATURE_BYTES]
    read = next((read for begin, read in _READERS if re.match(begin, start, re.DOTALL)), None)
    if read is None:
        raise PictureError(
            f"{label} is not a picture that Seesay can read: give a {_FORMATS} file."
        )
    try:
        image = read(io.BytesIO(data))
        swells = swells_too_much(image, data)
    except Exception as error:
        raise _unreadable(label, error) from error
    _check_size(*image.size, label)
    if swells:
        raise PictureError(
            f"{label} claims {image.width} x {image.height} pixels in {len(data)} bytes, which is "
            "more than Seesay opens from so few: copy or download it again, or shrink it."
        )
    if isinstance(image, JpegImageFile):
        _draft(image)
    return _pixels_of_image(image, label)


def _png_in_icon(data: bytes) -> bytes | None:
    """An icon's largest picture where that is a PNG file, whose size the icon does not tell."""
    try:
        largest, *_ = IcoFile(io.BytesIO(data)).entry
    except Exception:  # no icon, or a damaged one
        return None
    png = data[largest.offset : largest.offset + largest.size]
    return png if png.startswith(_PNG) else None


def _pixels_of_image(image: Image.Image, label: str) -> NDArray[np.uint8]:
    """A Pillow image, not yet decoded if it comes from a file -> (height, width, 3)."""
    _check_size(*image.size, label)
    try:
        image.load()
        turn = _turn(image)  # after loading: PNG may have its EXIF at the end
        image = _to_rgb(image)
        if turn is not None:
            image = image.transpose(turn)
        return np.asarray(image)
    # Pillow's readers meet damaged files with nearly every exception there is.
    except Exception as error:
        raise _unreadable(label, error) from error


def _check_size(width: int, height: int, label: str) -> None:
    if width < 1 or height < 1:
        raise PictureError(f"{label} has no pixels: give another one.")
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"{label} is {width} x {height} pixels, more than Seesay opens: "
            f"shrink it below {MAX_PIXELS // 10**6} million pixels first."
        )


def _factor(width: int, height: int) -> int:
    """The whole number to shrink both sides by, so that at most KEPT_PIXELS are kept."""
    return math.ceil(math.sqrt(width * height / KEPT_PIXELS))


def _draft(image: JpegImageFile) -> None:
    # A JPEG decodes straight to a half, a quarter or an eighth: little memory, little time.
    scale = 1 << (_factor(*image.size) - 1).bit_length()  # 1, 2, 3, 4 -> 1, 2, 4, 4
    if scale > 1:
        image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # Damaged metadata must not cost a picture that can be seen.
        return None


def _to_rgb(image: Image.Image) -> Image.Image:
    """Any mode -> RGB of at most KEPT_PIXELS; shrinks as early as the mode allows."""
    if image.mode.startswith("I;16"):
        image = _from_grey16(image)
    transparent = image.has_transparency_data
    # PPM's integers are 16-bit, whatever values occur.
    full_scale = 65535 if image.format == "PPM" else None

    if image.mode == "La":  # goes to RGBA only by way of LA
        image = image.convert("LA")
    if transparent and image.mode != "RGBA":
        image = image.convert("RGBA")
    elif not transparent and image.mode not in ("L", "RGB", "CMYK", "I", "F"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    while (factor := _factor(*image.size)) > 1:  # again only where a side is a few pixels or odd
        image = image.reduce(factor)
    if image.mode in ("I", "F"):
        image = _from_numbers(image, full_scale)
    if transparent:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_grey16(image: Image.Image) -> Image.Image:
    values = np.asarray(image)  # (H, W) uint16
    grey = _eight_bits(values)
    transparent = image.info.get("transparency")
    if transparent is not None:  # one grey that a PNG declares to be see-through
        grey[values == transparent] = 255
    return Image.fromarray(grey)


def _eight_bits(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return (values >> 8).astype(np.uint8)


def _from_numbers(image: Image.Image, full_scale: int | None) -> Image.Image:
    """32-bit integers or floats, whose white no format defines -> grey.

    White is the usual full scale (1, 8 bits, 16 bits) that holds all values; where none does,
    the values are stretched from darkest to brightest.
    """
    values = np.asarray(image, dtype=np.float64)  # (H, W)
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(low) or not math.isfinite(high):
        raise ValueError("values that are not numbers")
    if low < 0 or high > 65535:
        values = values - low
        white = high - low or 1.0
    else:
        white = full_scale or next(scale for scale in (1, 255, 65535) if high <= scale)
    return Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8))


def _empty(label: str) -> PictureError:
    return PictureError(f"{label} is empty: copy or download it again.")


def _too_many_bytes(label: str) -> PictureError:
    return PictureError(
        f"{label} is larger than the {MAX_BYTES // 1024**2} megabytes that Seesay reads: "
        "save it smaller first."
    )


def _unreadable(label: str, error: Exception) -> PictureError:
    match error:
        case Image.DecompressionBombError():  # pixels hidden deeper than the first header
            return PictureError(f"{label} has too many pixels: shrink it first.")
        case MemoryError():
            return PictureError(f"{label} does not fit into memory: close programs or shrink it.")
        case _:
            return PictureError(f"{label} is damaged or cut short: copy or download it again.")
