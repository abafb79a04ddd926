"""The picture that was described, lit where the model looked for the chosen word."""

import numpy as np
from PIL import Image
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from core.caption import Word
from core.overlay import light
from core.picture import Picture

# Longest side of what is shown, in pixels: enough for a window, and lit within a few milliseconds.
_LONGEST = 960


class PictureView(QLabel):
    """Shows a picture as large as the space allows; what it shows is in its accessible name.

    A label with a pixmap is a graphic to screen readers.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixels: np.ndarray | None = None  # (height, width, 3), 0 to 255
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.show_picture(None, "")

    def show_picture(self, picture: Picture | None, sentence: str) -> None:
        """Show a picture, or none.

        Args:
            picture: what was described.
            sentence: what was said of it, for screen readers.
        """
        if picture is None:
            self._pixels = None
            self.setText("No picture yet")
            self.setAccessibleName("No picture yet")
            return
        # Of a much larger picture, a part of its pixels is plenty, and the window need not wait.
        step = max(1, max(picture.width, picture.height) // (2 * _LONGEST))
        image = Image.fromarray(picture.pixels[::step, ::step])
        image.thumbnail((_LONGEST, _LONGEST), Image.Resampling.BILINEAR, reducing_gap=1.0)
        self._pixels = np.asarray(image, dtype=np.float32)
        self.setPixmap(_pixmap(image))
        self.setAccessibleName(f"Picture: {sentence}")

    def show_word(self, word: Word | None) -> None:
        """Light what the model looked at for a word; without one, all of the picture."""
        if self._pixels is None:
            return
        if word is None:
            image = Image.fromarray(self._pixels.astype(np.uint8))
        else:
            image = light(self._pixels, word)
        self.setPixmap(_pixmap(image))

    def sizeHint(self) -> QSize:
        """As Qt asks for it."""
        return QSize(320, 200)

    def minimumSizeHint(self) -> QSize:
        """As Qt asks for it; a label would ask for the size of its pixmap."""
        return self.minimumSize()

    def hasHeightForWidth(self) -> bool:
        """As Qt asks for it."""
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """As Qt asks for it."""
        pixmap = self.pixmap()
        if pixmap.isNull():
            super().paintEvent(event)
            return
        size = pixmap.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRect((self.width() - size.width()) // 2, 0, size.width(), size.height())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(target, pixmap)


def _pixmap(image: Image.Image) -> QPixmap:
    data = image.convert("RGB").tobytes()
    shown = QImage(data, image.width, image.height, 3 * image.width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(shown)  # copies the pixels
