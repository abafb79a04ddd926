"""Choosing a part of a screenshot, with the mouse or by keys that say what they do."""

from dataclasses import replace

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QShowEvent,
)
from PySide6.QtWidgets import QWidget

from core.picture import Picture

_STEPS = 24  # of an arrow key from one side of the picture to the other
_SMALLEST = 16  # pixels

_NINTHS = {
    f"{name} ninth": (column / 3, row / 3, 1 / 3, 1 / 3)
    for row, names in enumerate(
        (
            ("Upper left", "Top", "Upper right"),
            ("Left", "Middle", "Right"),
            ("Lower left", "Bottom", "Lower right"),
        )
    )
    for column, name in enumerate(names)
}
_WHOLE = {"Whole screen": (0.0, 0.0, 1.0, 1.0)}
_HALVES = {
    "Left half": (0.0, 0.0, 0.5, 1.0),
    "Right half": (0.5, 0.0, 0.5, 1.0),
    "Upper half": (0.0, 0.0, 1.0, 0.5),
    "Lower half": (0.0, 0.5, 1.0, 0.5),
}
_NAMES = {**_WHOLE, **_HALVES, **_NINTHS}
"""What a part is called -> left, top, width and height as shares of the whole."""

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0, "Left half"),
    Qt.Key.Key_Right: (1, 0, "Right half"),
    Qt.Key.Key_Up: (0, -1, "Upper half"),
    Qt.Key.Key_Down: (0, 1, "Lower half"),
}
_KEYS = {
    Qt.Key.Key_0: "Whole screen",
    **{Qt.Key(Qt.Key.Key_1 + number): name for number, name in enumerate(_NINTHS)},
}

_HELP = (
    "Choose a part of the screen. Arrow keys move it, Shift with arrow keys changes its size, "
    "Control with arrow keys takes a half. 1 to 9 take a ninth, from the upper left to the lower "
    "right; 0 takes all. Enter describes the part, Escape cancels."
)


def cut(picture: Picture, part: QRect) -> Picture:
    """A part of a picture; ``part`` is in its pixels and lies inside."""
    rows = slice(part.y(), part.y() + part.height())
    columns = slice(part.x(), part.x() + part.width())
    return replace(picture, pixels=picture.pixels[rows, columns])


def part_in_words(part: QRect, whole: QSize) -> str:
    """Where a part lies and how large it is: "Left half, 640 by 720"."""
    size = f"{part.width()} by {part.height()}"
    for name in _NAMES:
        # Single steps do not add up to exactly a half or a third.
        if _alike(part, _named(name, whole), _step(whole)):
            return f"{name}, {size}"
    centre = part.center()
    place = next(name for name in _NINTHS if _named(name, whole).contains(centre))
    place = place.removesuffix(" ninth").lower()
    return f"In the {place}, {size}, {part.x()} from the left, {part.y()} from the top"


class RegionPicker(QWidget):
    """Shows a screenshot over the whole screen, and gives the part that is chosen in it.

    What was seen is what is described: the part is cut out of the very picture that is shown. The
    widget closes, and is deleted, with ``picked`` or ``cancelled``.
    """

    picked = Signal(object)  # Picture
    cancelled = Signal()
    told = Signal(str)  # to be said: how to choose, and after each key what is chosen

    def __init__(self, picture: Picture, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setWindowTitle("Choose a part of the screen")
        self.setAccessibleName("Choose a part of the screen")
        self._picture = picture
        self._whole = QSize(picture.width, picture.height)
        self._part = _named("Whole screen", self._whole)
        self._pressed: QPointF | None = None  # where the mouse went down, in picture pixels
        self._done = False
        self._bytes = picture.pixels.tobytes()  # the image does not keep them
        self._image = QImage(
            self._bytes,
            picture.width,
            picture.height,
            3 * picture.width,
            QImage.Format.Format_RGB888,
        )
        self._scaled = QPixmap()
        self.setAccessibleDescription(_HELP)

    @property
    def part(self) -> QRect:
        """What is chosen now, in pixels of the picture."""
        return QRect(self._part)

    def showEvent(self, event: QShowEvent) -> None:
        """Tell how to choose."""
        super().showEvent(event)
        self.told.emit(_HELP)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, resize, take a named part, take it, cancel."""
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._finish()
        elif key == Qt.Key.Key_Escape:
            self.close()
        elif key in _ARROWS:
            self._move(key, event.modifiers())
        elif key in _KEYS:
            self._choose(_named(_KEYS[key], self._whole))
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a rectangle."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = self._in_picture(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the rectangle from where the mouse went down."""
        if self._pressed is not None:
            corners = QRectF(self._pressed, self._in_picture(event.position())).normalized()
            self._part = corners.toAlignedRect().intersected(_named("Whole screen", self._whole))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Take the rectangle; a mere click takes none."""
        if self._pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self._pressed = None
        if min(self._part.width(), self._part.height()) >= _SMALLEST:
            self._finish()
        else:
            self._choose(_named("Whole screen", self._whole))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing without having taken a part is cancelling."""
        super().closeEvent(event)
        if not self._done:
            self._done = True
            self.cancelled.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, darker where it is not chosen, and a border that shows on any colour."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        shown, view = self._shown(), self._view()
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        painter.drawPixmap(shown, view, QRectF(view.rect()))
        scale = shown.width() / self._whole.width()
        part = QRectF(
            shown.x() + self._part.x() * scale,
            shown.y() + self._part.y() * scale,
            self._part.width() * scale,
            self._part.height() * scale,
        )
        painter.setOpacity(0.5)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        painter.setOpacity(1)
        sharpness = view.width() / shown.width()
        of_view = part.translated(-shown.topLeft())
        painter.drawPixmap(
            part, view, QRectF(of_view.topLeft() * sharpness, of_view.size() * sharpness)
        )
        width = max(2, self.fontMetrics().height() // 4)
        for colour, thickness in (
            (Qt.GlobalColor.black, 3 * width),
            (Qt.GlobalColor.yellow, width),
        ):
            painter.setPen(QPen(colour, thickness, j=Qt.PenJoinStyle.MiterJoin))
            inside = 1.5 * width
            painter.drawRect(part.adjusted(inside, inside, -inside, -inside))

    def _shown(self) -> QRectF:
        """Where the picture is in the widget."""
        size = QSizeF(self._whole).scaled(QSizeF(self.size()), Qt.AspectRatioMode.KeepAspectRatio)
        shown = QRectF(QPointF(), size)
        shown.moveCenter(QRectF(self.rect()).center())
        return shown

    def _view(self) -> QPixmap:
        """The picture in the size in which it is shown: scaling it for each key would take long."""
        size = (self._shown().size() * self.devicePixelRatioF()).toSize()
        if self._scaled.size() != size:
            smooth = Qt.TransformationMode.SmoothTransformation
            image = self._image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
            self._scaled = QPixmap.fromImage(image)
        return self._scaled

    def _in_picture(self, position: QPointF) -> QPointF:
        shown = self._shown()
        return (position - shown.topLeft()) * (self._whole.width() / shown.width())

    def _move(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
        across, down, half = _ARROWS[key]
        step = _step(self._whole)
        part = QRect(self._part)
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            part = _named(half, self._whole)
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            part.setSize(part.size() + QSize(across * step.width(), down * step.height()))
        else:
            part.translate(across * step.width(), down * step.height())
        self._choose(part)

    def _choose(self, part: QRect) -> None:
        """Take over a part, as far as it fits, and tell it."""
        smallest = QSize(_SMALLEST, _SMALLEST).boundedTo(self._whole)
        part.setSize(part.size().expandedTo(smallest).boundedTo(self._whole))
        part.moveLeft(min(max(0, part.x()), self._whole.width() - part.width()))
        part.moveTop(min(max(0, part.y()), self._whole.height() - part.height()))
        self._part = part
        self.update()
        words = part_in_words(part, self._whole)
        self.setAccessibleDescription(f"{words}. {_HELP}")
        self.told.emit(words)

    def _finish(self) -> None:
        self._done = True
        self.picked.emit(cut(self._picture, self._part))
        self.close()


def _named(name: str, whole: QSize) -> QRect:
    left, top, width, height = _NAMES[name]
    x, y = round(left * whole.width()), round(top * whole.height())
    right, bottom = (left + width) * whole.width(), (top + height) * whole.height()
    return QRect(x, y, round(right) - x, round(bottom) - y)


def _step(whole: QSize) -> QSize:
    return QSize(max(1, whole.width() // _STEPS), max(1, whole.height() // _STEPS))


def _alike(one: QRect, other: QRect, within: QSize) -> bool:
    return (
        abs(one.left() - other.left()) < within.width()
        and abs(one.right() - other.right()) < within.width()
        and abs(one.top() - other.top()) < within.height()
        and abs(one.bottom() - other.bottom()) < within.height()
    )
