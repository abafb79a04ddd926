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
            # Each scan begins so; in what is packed, 0xFF is never followed by such a byte.
            scanned = data.count(b"\xff\xda")
        case WebPImageFile():
            needed, most = 16, _MOST_SWELLING_WEBP  # its decoder holds two pictures more
        case _ if image.has_transparency_data:
            needed = 8
        case _:
            needed = {"1": 2, "L": 2, "RGB": 4}.get(image.mode, 8)
    pixels = image.width * image.height
    return pixels * needed > max(_ROOM, most * len(data)) or pixels * scanned > _MOST_SCANNED
