"""Damage to picture files: bytes, numbers and whole segments, with checksums set right again.

Knows nothing of Pillow: what is led by coverage has to load Pillow's readers by itself.
"""

import random
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Literal

_PNG = b"\x89PNG\r\n\x1a\n"
# Sizes, counts and offsets that readers stumble over.
_NUMBERS = (0, 1, 2, 127, 255, 256, 4095, 16000, 32767, 65500, 65535, 2**24, 2**31 - 1, 2**32 - 1)
_FORMS = ("B", "<H", ">H", "<I", ">I")
_MOST_BYTES = 200_000

Damage = Callable[[bytearray, random.Random], None]


def mutate(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """A damaged file, from none to eight damages, always the same for the same chance.

    Args:
        data: a file.
        chance: for all that is chosen.
        others: files of which parts are taken.
    """
    file = bytearray(data)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3, 4, 8))):
        if chance.random() < 0.3:
            file = _with_segments_changed(bytes(file), chance, others)
        else:
            chance.choice(_DAMAGES)(file, chance)
    if chance.random() < 0.1:
        del file[_place(file, chance) :]
    # Without, nothing behind the first changed chunk of a PNG would be looked at.
    made = with_checksums(bytes(file)) if chance.random() < 0.8 else bytes(file)
    return made[:_MOST_BYTES]


def with_checksums(data: bytes) -> bytes:
    """A PNG with the checksum of each chunk as it has to be; anything else as it is."""
    if not data.startswith(_PNG):
        return data
    parts = [_PNG]
    for chunk in _png_chunks(data):
        is_whole = len(chunk) >= 12
        parts.append(chunk[:-4] + struct.pack(">I", zlib.crc32(chunk[4:-4])) if is_whole else chunk)
    return b"".join(parts)


def segments(data: bytes) -> list[bytes]:
    """The parts that a file consists of, in order; one where the format has none known here."""
    if data.startswith(_PNG):
        return [_PNG, *_png_chunks(data)]
    if data.startswith(b"RIFF"):
        return [data[:12], *_riff_chunks(data)]
    if data.startswith(b"\xff\xd8"):  # JPEG: at each marker
        return re.split(rb"(?=\xff[\xc0-\xcf\xd8-\xfe])", data)
    if data.startswith((b"II", b"MM")):
        return _tiff_entries(data)
    if data.startswith(b"GIF8"):  # at extensions and at the frames' headers
        return re.split(rb"(?=\x21[\xf9\xfe\xff]|\x2c\x00\x00\x00\x00)", data)
    return [data]


def _png_chunks(data: bytes) -> list[bytes]:
    chunks, place = [], len(_PNG)
    while place < len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        chunks.append(data[place:end])
        place = end
    return chunks


def _riff_chunks(data: bytes) -> list[bytes]:
    chunks, place = [], 12
    while place < len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        end = place + 8 + size + size % 2
        chunks.append(data[place:end])
        place = end
    return chunks


def _tiff_entries(data: bytes) -> list[bytes]:
    """What is before the first directory, its entries, and what is behind."""
    order: Literal["little", "big"] = "little" if data.startswith(b"II") else "big"
    start = int.from_bytes(data[4:8], order) + 2
    count = int.from_bytes(data[start - 2 : start], order)
    if not 0 < count < 100 or start + 12 * count > len(data):
        return [data]
    entries = [data[start + 12 * n : start + 12 * (n + 1)] for n in range(count)]
    return [data[:start], *entries, data[start + 12 * count :]]


def _with_segments_changed(
    data: bytes, chance: random.Random, others: Sequence[bytes]
) -> bytearray:
    parts = segments(data)
    one, two = chance.randrange(len(parts)), chance.randrange(len(parts))
    match chance.randrange(5):
        case 0:
            parts[one], parts[two] = parts[two], parts[one]
        case 1:
            del parts[one]
        case 2:
            parts[one] *= chance.choice((2, 3, 100))
        case 3:
            parts.insert(one, chance.choice(segments(chance.choice(others))))
        case _:
            part = bytearray(parts[one])
            chance.choice(_DAMAGES)(part, chance)
            parts[one] = bytes(part)
    return bytearray(b"".join(parts)[:_MOST_BYTES])


def _place(file: bytearray, chance: random.Random) -> int:
    """Half of all damage goes to the beginning, where the headers are."""
    most = min(len(file), 200) if chance.random() < 0.5 else len(file)
    return chance.randrange(most) if most else 0


def _flip(file: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, 8, 32))):
        if file:
            file[_place(file, chance)] ^= 1 << chance.randrange(8)


def _number(file: bytearray, chance: random.Random) -> None:
    form = chance.choice(_FORMS)
    size = struct.calcsize(form)
    place = _place(file, chance)
    file[place : place + size] = struct.pack(form, chance.choice(_NUMBERS) % 256**size)


def _overwrite(file: bytearray, chance: random.Random) -> None:
    place, length = _place(file, chance), chance.choice((1, 2, 4, 16, 256))
    filling = bytes([chance.choice((0, 255))]) * length
    file[place : place + length] = chance.choice((filling, chance.randbytes(length)))


def _insert(file: bytearray, chance: random.Random) -> None:
    place = _place(file, chance)
    file[place:place] = chance.randbytes(chance.choice((1, 2, 4, 16, 256)))


def _remove(file: bytearray, chance: random.Random) -> None:
    place = _place(file, chance)
    del file[place : place + chance.choice((1, 2, 4, 16, 256))]


def _repeat(file: bytearray, chance: random.Random) -> None:
    place, length = _place(file, chance), chance.choice((1, 2, 4, 16, 256))
    file[place:place] = file[place : place + length] * chance.choice((1, 2, 100))


_DAMAGES: tuple[Damage, ...] = (_flip, _number, _number, _overwrite, _insert, _remove, _repeat)
