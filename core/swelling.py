"""Picture files that would take far more memory or time than their bytes are worth."""

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

# Bytes of memory that any file may take while it is decoded. More is for files that are large
# themselves: what makes more of its bytes is damaged, or made to fill the memory. Deflate, which
# most formats pack with, makes at most 1032 of one; WebP packs plain areas much smaller than that.
_ROOM = 150_000_000
_MOST_SWELLING, _MOST_SWELLING_WEBP = 500, 5000

# Pixels times scans of a progressive JPEG, each of which costs time: ten scans, the usual number,
# of the largest picture. A few kilobytes can hold a thousand.
_MOST_SCANNED = 10 * 256_000_000

# Bytes after 0xFF in a JPEG. Zero stands there in what is packed, and the others but for these are
# followed by the length of what they begin.
_START_OF_SCAN, _END_OF_PICTURE = 0xDA, 0xD9
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})


def swells_too_much(image: ImageFile, data: bytes) -> bool:
    """Whether a picture of which only the header was read is not to be decoded.

    Args:
        image: as Pillow's reader opened it.
        data: its file.
    """
    scanned, most = 0, _MOST_SWELLING
    match image:
        # Bytes of memory that a pixel takes at most until the picture is shrunk.
        case JpegImageFile():
            needed = 2 * len(image.getbands())  # where it has several scans
            scanned = _scans(data)
        case WebPImageFile():
            needed, most = 16, _MOST_SWELLING_WEBP  # its decoder holds two pictures more
        case _ if image.has_transparency_data:
            needed = 8
        case _:
            needed = {"1": 2, "L": 2, "RGB": 4}.get(image.mode, 8)
    pixels = image.width * image.height
    return pixels * needed > max(_ROOM, most * len(data)) or pixels * scanned > _MOST_SCANNED


def _scans(data: bytes) -> int:
    """Scans of the first picture in a JPEG file; phones put a film or a second picture behind it.

    Args:
        data: that begins as a JPEG does.
    """
    scans, at = 0, 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == _END_OF_PICTURE:
            break
        if marker == 0xFF:  # filling
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            scans += marker == _START_OF_SCAN
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return scans
