"""The OCR library, set up for Seesay: its models from its wheel, silent, line by line."""

import contextlib
import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import SeesayError
from core.text_quads import Quads

if TYPE_CHECKING:
    from rapidocr import RapidOCR

Pixels = NDArray[np.uint8]

_FINDER, _RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
# The recogniser sees lines of this height; narrowed to this share of their width, they are read
# as well, and sooner.
_LINE_HEIGHT = 48
_NARROWED = 0.8


class TextReaderMissing(SeesayError):
    """The OCR library is not installed or lacks its models."""


class TextEngine:
    """PP-OCRv6's two small networks in rapidocr: one finds lines of text, one reads a line.

    Loading them, and the library, takes about a second.

    Args:
        threads: for the networks; by default ``OMP_NUM_THREADS``, or as many as this process has
            processors.

    Raises:
        TextReaderMissing: if the library or its models are not there, or damaged.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._engine = _load(threads)
        # The first pass through a network takes longer: have it over with.
        blank = np.full((2 * _LINE_HEIGHT, 2 * _LINE_HEIGHT, 3), 255, np.uint8)
        self.find(blank, blank.size)
        self.recognise(blank, np.array([[[0, 0], [95, 0], [95, 47], [0, 47]]], np.float32))

    def find(self, pixels: Pixels, most: int) -> Quads:
        """Corners of the lines in a picture, looked for in a copy of at most so many pixels."""
        height, width = pixels.shape[:2]
        scale = min(1.0, (most / (height * width)) ** 0.5)
        size = (max(32, round(width * scale)), max(32, round(height * scale)))
        copy = cv2.cvtColor(
            cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR
        )
        boxes: Any = getattr(self._engine(copy, use_det=True, use_rec=False), "boxes", None)
        if boxes is None:
            return np.empty((0, 4, 2), np.float32)
        enlarge = np.array([width / size[0], height / size[1]], np.float32)
        return (np.asarray(boxes, np.float32) * enlarge).astype(np.float32)

    def recognise(self, pixels: Pixels, quads: Quads) -> list[tuple[str, float]]:
        """What the lines in a picture say, and the mean probability of the characters of each."""
        crops = [self._crop(pixels, quad) for quad in quads]
        result = self._engine.recognize_txt([_narrowed(crop[:, :, ::-1]) for crop in crops])
        return list(zip(result.txts or (), result.scores, strict=True))

    def _crop(self, pixels: Pixels, quad: NDArray[np.float32]) -> Pixels:
        """A line, from a part of the picture: OpenCV straightens none of 32,768 pixels a side."""
        left, top = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 1, 0)
        right, bottom = np.ceil(quad.max(axis=0)).astype(int) + 2
        part = np.ascontiguousarray(pixels[top:bottom, left:right])
        corners = quad - np.array([left, top], np.float32)
        (crop,) = self._engine.crop_text_regions(part, corners[None])
        return crop


def _load(threads: int | None) -> "RapidOCR":
    try:
        package = importlib.util.find_spec("rapidocr")
        from core.onnx_session import open_session  # before rapidocr loads onnxruntime

        with _without_trial_of_ipv6():
            from omegaconf import flag_override
            from rapidocr import RapidOCR
    except (ImportError, ValueError) as error:  # ValueError: blocked in sys.modules
        raise TextReaderMissing("Text cannot be read: install the package rapidocr.") from error
    models = Path(package.origin if package and package.origin else "").parent / "models"
    if not ((models / _FINDER).is_file() and (models / _RECOGNISER).is_file()):
        raise TextReaderMissing(
            "Text cannot be read, for the models are missing: install rapidocr 3.10 anew."
        )
    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            # Pictures are scaled here, not in the library; no side is ever larger than this.
            "Global.use_preprocess_img": False,
            "Global.use_vertical_padding": False,
            "Det.limit_type": "max",
            "Det.limit_side_len": 1 << 20,
            # Boxes that hug the letters: the recogniser sees them larger, and keeps the spaces.
            "Det.unclip_ratio": 1.4,
            # Lines are read one by one, each only as wide as it is: on a processor, padding costs
            # more than batches gain.
            "Rec.rec_batch_num": 1,
            "Rec.rec_img_shape": [3, _LINE_HEIGHT, _LINE_HEIGHT],
        }
    )
    # Given a session, the library never goes to the network for a model.
    try:
        with flag_override(engine.cfg, "allow_objects", True):
            engine.cfg.Det.session = open_session(models / _FINDER, threads, keep_memory=False)
            engine.cfg.Rec.session = open_session(models / _RECOGNISER, threads, keep_memory=False)
    except Exception as error:  # onnxruntime's own kinds have no common base
        raise TextReaderMissing(
            "Text cannot be read, for the models are damaged: install rapidocr 3.10 anew."
        ) from error
    return engine


@contextlib.contextmanager
def _without_trial_of_ipv6() -> Iterator[None]:
    """Keep urllib3, which rapidocr imports for downloads, from opening a socket when it loads."""
    had, socket.has_ipv6 = socket.has_ipv6, False
    try:
        yield
    finally:
        socket.has_ipv6 = had


def _narrowed(crop: Pixels) -> Pixels:
    height, width = crop.shape[:2]
    width = max(_LINE_HEIGHT // 2, round(width * _LINE_HEIGHT / height * _NARROWED))
    return cv2.resize(np.ascontiguousarray(crop), (width, _LINE_HEIGHT)).astype(np.uint8)
