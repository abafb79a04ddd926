"""Pictures on the clipboard: copied ones, copied files, and copied paths of files."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage, QPixmap

from core.errors import PictureError
from core.picture import PictureSource

_NOTHING = "There is no picture on the clipboard: copy a picture or a picture file first."


def clipboard_pictures(mime: QMimeData | None) -> list[PictureSource]:
    """What `open_picture` opens of what was copied or dropped, in its order.

    Files come before pictures: a copied file may carry its icon as a picture. Files are not opened
    here; one that is no picture is told when it is opened.

    Raises:
        PictureError: nothing was copied that could be a picture.
    """
    if mime is None:  # of an empty clipboard on some systems
        mime = QMimeData()
    files = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
    if files:
        return list(files)
    if mime.hasImage():
        data = mime.imageData()
        image = data.toImage() if isinstance(data, QPixmap) else data
        if isinstance(image, QImage) and not image.isNull():
            return [_pixels(image)]
    paths = _paths(mime.text())
    if paths:
        return list(paths)
    raise PictureError(_NOTHING)


def _pixels(image: QImage) -> NDArray[np.uint8]:
    """(height, width, 4), red, green, blue and alpha."""
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).copy()


def _paths(text: str) -> list[str]:
    """The text as paths of files, one a line, where all of them are."""
    paths = []
    for line in text.strip().splitlines():
        line = line.strip().strip("'\"")
        path = Path(QUrl(line).toLocalFile() if line.startswith("file:") else line)
        try:
            path = path.expanduser()
            if not (path.is_absolute() and path.is_file()):
                return []
        # Far too long, with a null byte, or like "~5 minutes", for which there is no home: text.
        except (OSError, ValueError, RuntimeError):
            return []
        paths.append(str(path))
    return paths
