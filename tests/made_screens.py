"""Screens rendered by Qt that the recognition of screens is fitted on.

A maker takes a random generator and gives (height, width, 3) uint8 RGB; a ``QApplication`` must
exist.
"""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QStyle,
    QTableWidget,
    QTableWidgetItem,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

Random = np.random.Generator
Maker = Callable[[Random], np.ndarray]

_VOCABULARY = """
account address after again answer april bank because before board book building business call
change city clear close company contact copy cost country date day delete draft east edit end
energy every export file find first folder friday garden general group half help home hour house
import invoice item july kitchen last later letter library line list local mail market meeting
message minute monday month move name network new note number office open order other page paper
part people phone place plan price print project public question read receive record report river
room save school search second section send service settings share sheet since sound south start
station street sunday system table team text their thing this time today total town travel under
until update user value view voice water week when where which window with without word work world
write year yesterday
"""
WORDS = _VOCABULARY.split()

SIZES = [(640, 480), (1024, 768), (1280, 800), (1366, 768), (1920, 1080), (2560, 1440)]

LIGHT = ""
DARK = (
    "QWidget { background: #202124; color: #e8eaed; } "
    "QLineEdit, QPlainTextEdit, QTextBrowser, QListWidget, QTableWidget, QTreeWidget "
    "{ background: #17181b; border: 1px solid #3c4043; } "
    "QPushButton { background: #303134; border: 1px solid #5f6368; padding: 4px 12px; } "
    "QHeaderView::section { background: #2a2b2e; color: #bbb; }"
)
FLAT = (
    "QWidget { background: #ffffff; color: #222; } "
    "QPushButton { background: #1a73e8; color: white; border: none; padding: 6px 16px; } "
    "QLineEdit { border: none; border-bottom: 1px solid #888; }"
)


def words(rng: Random, count: int) -> str:
    return " ".join(rng.choice(WORDS, count))


def title(rng: Random) -> str:
    return words(rng, int(rng.integers(1, 5))).capitalize()


def sentence(rng: Random) -> str:
    return words(rng, int(rng.integers(5, 16))).capitalize() + "."


def paragraph(rng: Random) -> str:
    return " ".join(sentence(rng) for _ in range(rng.integers(2, 7)))


def colour(rng: Random) -> QColor:
    hue, strong = int(rng.integers(0, 360)), int(rng.integers(60, 230))
    return QColor.fromHsv(hue, strong, int(rng.integers(90, 250)))


def to_array(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def shot(widget: QWidget, rng: Random, size: tuple[int, int] | None = None) -> np.ndarray:
    """The widget as it looks in a size, a font size and a theme of its own."""
    if not widget.styleSheet():
        widget.setStyleSheet(str(rng.choice([LIGHT, DARK, FLAT])))
    font = QFont(str(rng.choice(["DejaVu Sans", "Nimbus Sans", "URW Gothic"])))
    font.setPointSize(int(rng.integers(8, 15)))
    widget.setFont(font)
    widget.resize(*(size or SIZES[rng.integers(len(SIZES))]))
    for child in (widget, *widget.findChildren(QWidget)):  # as nothing is shown, by hand
        child.ensurePolished()
        layout = child.layout()
        if layout is not None:
            layout.activate()
    pixels = to_array(widget.grab().toImage())
    widget.deleteLater()
    return pixels


def form_dialog(rng: Random) -> np.ndarray:
    widget = QWidget()
    form = QFormLayout(widget)
    for _ in range(rng.integers(3, 12)):
        match rng.integers(5):
            case 0:
                field: QWidget = QLineEdit(title(rng))
            case 1:
                box = QComboBox()
                box.addItem(title(rng))
                field = box
            case 2:
                field = QCheckBox(title(rng))
            case 3:
                number = QSpinBox()
                number.setValue(int(rng.integers(99)))
                field = number
            case _:
                field = QLabel(sentence(rng))
        form.addRow(title(rng), field)
    buttons = QDialogButtonBox(
        QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
    )
    form.addRow(buttons)
    return shot(widget, rng, (int(rng.integers(300, 900)), int(rng.integers(220, 700))))


def editor(rng: Random) -> np.ndarray:
    window = QMainWindow()
    for name in ("File", "Edit", "View", "Help"):
        window.menuBar().addMenu(name)
    text = QPlainTextEdit("\n".join(paragraph(rng) for _ in range(rng.integers(1, 40))))
    window.setCentralWidget(text)
    window.statusBar().showMessage(title(rng))
    return shot(window, rng)


def spreadsheet(rng: Random) -> np.ndarray:
    rows, columns = int(rng.integers(15, 60)), int(rng.integers(5, 20))
    table = QTableWidget(rows, columns)
    filled = rng.uniform(0.1, 0.9)
    for row in range(rows):
        for column in range(columns):
            if rng.random() < filled:
                value = title(rng) if column == 0 else f"{rng.uniform(0, 9999):.2f}"
                table.setItem(row, column, QTableWidgetItem(value))
    return shot(table, rng)


def terminal(rng: Random) -> np.ndarray:
    text = QPlainTextEdit()
    text.setStyleSheet(
        str(
            rng.choice(
                [
                    "background: #000; color: #ddd; font: 11pt 'DejaVu Sans Mono'",
                    "background: #300a24; color: #eee; font: 13pt 'DejaVu Sans Mono'",
                    "background: #001b26; color: #93a1a1; font: 9pt 'DejaVu Sans Mono'",
                ]
            )
        )
    )
    lines = []
    for _ in range(rng.integers(2, 60)):
        lines.append(
            f"$ {words(rng, 2)}" if rng.random() < 0.3 else words(rng, int(rng.integers(1, 14)))
        )
    text.setPlainText("\n".join(lines))
    return shot(text, rng)


def web_page(rng: Random) -> np.ndarray:
    parts = [f"<h1>{title(rng)}</h1>"]
    links = " &nbsp; ".join(f'<a href="#">{title(rng)}</a>' for _ in range(5))
    parts.append(f"<p>{links}</p><hr>")
    for _ in range(rng.integers(2, 9)):
        parts.append(f"<h2>{title(rng)}</h2><p>{paragraph(rng)}</p>")
        if rng.random() < 0.3:
            items = "".join(f"<li>{sentence(rng)}</li>" for _ in range(4))
            parts.append(f"<ul>{items}</ul>")
    browser = QTextBrowser()
    browser.setHtml("".join(parts))
    return shot(browser, rng)


def wallpaper(rng: Random, width: int, height: int, plain: bool) -> np.ndarray:
    top, bottom = rng.uniform(0, 200, 3), rng.uniform(0, 255, 3)
    if plain:
        return np.full((height, width, 3), top, np.uint8)
    slope = np.linspace(0, 1, height)[:, None, None]
    return np.broadcast_to(top + (bottom - top) * slope, (height, width, 3)).astype(
        np.uint8, order="C"
    )


def paste(below: np.ndarray, above: np.ndarray, left: int, top: int) -> None:
    height = min(above.shape[0], below.shape[0] - top)
    width = min(above.shape[1], below.shape[1] - left)
    if height > 0 and width > 0:
        below[top : top + height, left : left + width] = above[:height, :width]


def desktop_icons(pixels: np.ndarray, rng: Random, count: int) -> None:
    image = QImage(pixels.data, pixels.shape[1], pixels.shape[0], 3 * pixels.shape[1], _RGB)
    painter = QPainter(image)
    painter.setFont(QFont("DejaVu Sans", 9))
    kinds = [kind for kind in QStyle.StandardPixmap if "SP_Dir" in kind.name or "File" in kind.name]
    for number in range(count):
        x, y = 20 + 100 * (number // 7), 16 + 96 * (number % 7)
        icon = QApplication.style().standardIcon(kinds[rng.integers(len(kinds))])
        icon.paint(painter, x + 16, y, 48, 48)
        painter.setPen(QColor("white"))
        painter.drawText(QRectF(x, y + 50, 88, 20), Qt.AlignmentFlag.AlignCenter, title(rng)[:12])
    painter.end()


_RGB = QImage.Format.Format_RGB888


def desktop(rng: Random) -> np.ndarray:
    width, height = SIZES[rng.integers(1, len(SIZES))]
    pixels = wallpaper(rng, width, height, rng.random() < 0.4)
    desktop_icons(pixels, rng, int(rng.integers(4, 16)))
    pixels[height - 40 :] = rng.integers(10, 70)
    for _ in range(rng.integers(1, 4)):
        made = FIRST_SCREENS[rng.integers(5)](rng)
        made = made[: int(height * 0.7), : int(width * 0.7)]
        bar = np.full((30, made.shape[1], 3), rng.integers(40, 230, 3), np.uint8)
        window = np.concatenate((bar, made))
        left = int(rng.integers(0, max(1, width - window.shape[1])))
        top = int(rng.integers(0, max(1, height - 40 - window.shape[0])))
        paste(pixels, window, left, top)
    return pixels


def button_bars(rng: Random) -> np.ndarray:
    """Rows of buttons of all sizes, as in a tool box or on a till."""
    widget = QWidget()
    column = QVBoxLayout(widget)
    for _ in range(rng.integers(1, 7)):
        row = QHBoxLayout()
        for _ in range(rng.integers(1, 7)):
            button = QPushButton(title(rng) if rng.random() < 0.7 else str(rng.integers(100)))
            button.setMinimumHeight(int(rng.integers(24, 90)))
            row.addWidget(button)
        column.addLayout(row)
    return shot(widget, rng, (int(rng.integers(260, 1000)), int(rng.integers(200, 800))))


def notice(rng: Random) -> np.ndarray:
    """A few large lines on one plain colour: a lock screen, a greeting, an installer's page."""
    widget = QWidget()
    back = (
        colour(rng).darker(int(rng.integers(100, 400))) if rng.random() < 0.7 else QColor("white")
    )
    ink = "#222" if back.lightness() > 140 else "#eee"
    widget.setStyleSheet(f"QWidget {{ background: {back.name()}; color: {ink}; }}")
    column = QVBoxLayout(widget)
    if rng.random() < 0.6:
        column.addStretch()
    for _ in range(rng.integers(1, 4)):
        label = QLabel(title(rng) if rng.random() < 0.6 else sentence(rng))
        font_size = int(rng.integers(10, 70))
        label.setStyleSheet(f"font-size: {font_size}pt")
        side = Qt.AlignmentFlag.AlignCenter if rng.random() < 0.6 else Qt.AlignmentFlag.AlignLeft
        column.addWidget(label, 0, side)
    column.addStretch()
    if rng.random() < 0.5:
        column.addWidget(QPushButton(title(rng)), 0, Qt.AlignmentFlag.AlignRight)
    return shot(widget, rng)


def picture_menu(rng: Random) -> np.ndarray:
    """Symbols with a word below each, in a grid."""
    widget = QWidget()
    grid = QGridLayout(widget)
    kinds = list(QStyle.StandardPixmap)
    for number in range(rng.integers(2, 24)):
        button = QToolButton()
        button.setIcon(QApplication.style().standardIcon(kinds[rng.integers(len(kinds))]))
        button.setIconSize(QSize(48, 48))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setText(title(rng)[:16])
        button.setAutoRaise(True)
        grid.addWidget(button, number // 6, number % 6)
    return shot(widget, rng)


FIRST_SCREENS: list[Maker] = [
    form_dialog,
    editor,
    spreadsheet,
    terminal,
    web_page,
    desktop,
    button_bars,
    notice,
    picture_menu,
]
