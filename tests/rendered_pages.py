"""Windows and pages whose text is known, in reading order; drawn by Qt."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QImage,
    QPainter,
    QPalette,
    QTextDocument,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

Pixels = NDArray[np.uint8]

# Fonts that come inside matplotlib's wheel, so that a test looks alike everywhere.
FONTS = Path(get_data_path()) / "fonts" / "ttf"

SENTENCES = (
    "The library opens at nine in the morning and closes at half past six.",
    "Please return borrowed books before the end of the month, or renew them by telephone.",
    "Two lifts and a ramp lead from the street to the reading rooms on the first floor.",
    "Guide dogs are welcome everywhere; water bowls stand beside the entrance.",
    "Last year 4,318 visitors asked for large print, and 1,250 took an audio book home.",
    "The new catalogue can be searched by title, author, subject or year of publication.",
    "Members pay 12.50 a quarter; children and students pay nothing at all.",
    "If the weather is fine, the summer concert takes place in the garden behind the hall.",
    "Volunteers read newspapers aloud every Tuesday between 10:00 and 11:30.",
    "Questions? Write to the desk, ring the bell, or ask anyone who wears a green badge.",
    "The café serves soup, sandwiches and tea until a quarter of an hour before closing.",
    "A quiet corner with armchairs has been furnished for those who wait for the bus.",
    "Printing costs ten pence a sheet in black and thirty pence in colour.",
    "Emergency exits are marked with green signs and lead directly to the car park.",
    "Our collection of maps reaches from the seventeenth century to the present day.",
    "Workshops on using a computer without a mouse begin again in September.",
    "Lost property is kept for six weeks and then given to a charity shop nearby.",
    "Photographs may be taken for private use, but please switch off the flash.",
    "The committee thanks everybody who helped to carry the shelves upstairs.",
    "Wheelchairs can be borrowed free of charge at the reception desk.",
)


_FILE_NAMES = (
    "Holiday plan.odt",
    "Recipes",
    "Letter to the bank.pdf",
    "Invoice 2041.pdf",
    "Garden.jpg",
    "Choir practice.mp3",
    "Addresses.csv",
    "Old photographs",
    "Meeting notes.txt",
    "Backup",
)


@dataclass(frozen=True)
class Rendered:
    """A picture and the text that was drawn into it.

    Attributes:
        name: what it shows.
        pixels: (height, width, 3) uint8 RGB.
        lines: what is to be read, in reading order.
    """

    name: str
    pixels: Pixels
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(self.lines)


@dataclass(frozen=True)
class Look:
    """Font, size in pixels, and colours of a window or page."""

    family: str = "DejaVu Sans"
    size: int = 14
    dark: bool = False

    @property
    def font(self) -> QFont:
        """Ready for Qt."""
        font = QFont(self.family)
        font.setPixelSize(self.size)
        return font

    @property
    def palette(self) -> QPalette:
        """Of Qt's own dark or light colours."""
        shades = (
            ("#232629", "#fcfcfc", "#1b1e20") if self.dark else ("#efefef", "#101010", "#ffffff")
        )
        window, ink, base = map(QColor, shades)
        palette = QPalette(window)
        for role in (
            QPalette.ColorRole.WindowText,
            QPalette.ColorRole.Text,
            QPalette.ColorRole.ButtonText,
        ):
            palette.setColor(role, ink)
        palette.setColor(QPalette.ColorRole.Window, window)
        palette.setColor(QPalette.ColorRole.Base, base)
        palette.setColor(QPalette.ColorRole.AlternateBase, base)
        return palette


def application() -> QApplication:
    """The program's one, with the fonts that matplotlib carries."""
    existing = QApplication.instance()
    program = existing if isinstance(existing, QApplication) else QApplication([])
    for name in (
        "DejaVuSans",
        "DejaVuSans-Bold",
        "DejaVuSerif",
        "DejaVuSerif-Bold",
        "DejaVuSansMono",
    ):
        QFontDatabase.addApplicationFont(str(FONTS / f"{name}.ttf"))
    return program


def pixels_of(image: QImage) -> Pixels:
    """A Qt image -> (height, width, 3) uint8 RGB."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def _grab(window: QWidget, look: Look, size: tuple[int, int] | None) -> Pixels:
    window.setFont(look.font)
    window.setPalette(look.palette)
    for child in window.findChildren(QWidget):
        child.setFont(look.font)
        child.setPalette(look.palette)
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    if size:
        window.resize(*size)
    else:
        window.adjustSize()
    window.show()
    image = window.grab().toImage()
    window.close()
    window.deleteLater()
    return pixels_of(image)


def dialog(look: Look, seed: int = 0) -> Rendered:
    """A question with a check box and two buttons."""
    message = random.Random(seed).sample(SENTENCES, 2)
    window = QWidget()
    layout = QVBoxLayout(window)
    heading = "Save the changes to the document before closing?"
    layout.addWidget(QLabel(heading))
    label = QLabel(" ".join(message))
    label.setWordWrap(True)
    label.setFixedWidth(look.size * 30)
    layout.addWidget(label)
    layout.addWidget(QCheckBox("Do not ask again"))
    row = QHBoxLayout()
    row.addStretch()
    buttons = ("Discard", "Cancel", "Save as")
    for text in buttons:
        box = QDialogButtonBox()
        box.addButton(text, QDialogButtonBox.ButtonRole.AcceptRole)
        row.addWidget(box)
    layout.addLayout(row)
    lines = (heading, *message, "Do not ask again", *buttons)
    return Rendered("dialog", _grab(window, look, None), lines)


def form(look: Look, seed: int = 0) -> Rendered:
    """Settings: labels with fields beside them, in groups."""
    fields = [
        (
            "Speech",
            (
                ("Voice", "English (Great Britain)"),
                ("Words per minute", "180"),
                ("Volume", "75 per cent"),
            ),
        ),
        (
            "Camera",
            (("Device", "Integrated Camera"), ("Address of a stream", "http://phone.local:8080")),
        ),
        ("History", (("Keep for", "30 days"), ("Folder", "/home/anna/Documents/pictures"))),
    ]
    random.Random(seed).shuffle(fields)
    window = QWidget()
    layout = QVBoxLayout(window)
    lines: list[str] = []
    for title, rows in fields:
        group = QGroupBox(title)
        inner = QFormLayout(group)
        lines.append(title)
        for name, value in rows:
            field: QWidget = QLineEdit(value)
            if name == "Voice":
                field = QComboBox()
                field.addItem(value)
            field.setMinimumWidth(look.size * 18)
            inner.addRow(f"{name}:", field)
            lines += [f"{name}:", value]
        layout.addWidget(group)
    layout.addWidget(QCheckBox("Start together with the computer"))
    lines.append("Start together with the computer")
    return Rendered("form", _grab(window, look, None), tuple(lines))


def files(look: Look, seed: int = 0) -> Rendered:
    """A file manager: a tool bar, a sidebar, and a list with columns."""
    rng = random.Random(seed)
    window = QWidget()
    layout = QVBoxLayout(window)
    bar = QToolBar()
    actions = ("File", "Edit", "View", "Bookmarks", "Help")
    for text in actions:
        bar.addAction(text)
    layout.addWidget(bar)
    row = QHBoxLayout()
    sidebar = QListWidget()
    places = ("Home", "Desktop", "Documents", "Downloads", "Music", "Pictures", "Videos", "Trash")
    sidebar.addItems(list(places))
    sidebar.setFixedWidth(look.size * 10)
    row.addWidget(sidebar)
    names = list(_FILE_NAMES)
    rng.shuffle(names)
    headings = ("Name", "Size", "Modified")
    table = QTableWidget(len(names), len(headings))
    table.setHorizontalHeaderLabels(list(headings))
    table.verticalHeader().hide()
    table.setShowGrid(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    cells: list[str] = []
    for index, name in enumerate(names):
        values = (
            name,
            f"{rng.randint(2, 950)} KB",
            f"{rng.randint(1, 28)} March 20{rng.randint(10, 26)}",
        )
        cells += values
        for column, value in enumerate(values):
            table.setItem(index, column, QTableWidgetItem(value))
    for column, width in enumerate((16, 7, 11)):
        table.setColumnWidth(column, width * look.size)
    row.addWidget(table)
    layout.addLayout(row)
    status = f"{len(names)} items, 48.2 GB free"
    layout.addWidget(QLabel(status))
    pixels = _grab(window, look, (look.size * 48, look.size * 34 + 60))
    return Rendered("files", pixels, (*actions, *places, *headings, *cells, status))


def editor(
    look: Look, seed: int = 0, size: tuple[int, int] = (800, 600), paragraphs: int = 2
) -> Rendered:
    """A text editor, full of paragraphs."""
    rng = random.Random(seed)
    texts = tuple(" ".join(rng.sample(SENTENCES, 4)) for _ in range(paragraphs))
    editor = QPlainTextEdit("\n\n".join(texts))
    return Rendered("editor", _grab(editor, look, size), texts)


def _document(html: str, look: Look, width: int) -> QTextDocument:
    ink = "#eeeeee" if look.dark else "#111111"
    document = QTextDocument()
    document.setDefaultFont(look.font)
    document.setDefaultStyleSheet(f"body {{ color: {ink}; }}")
    document.setHtml(f"<body>{html}</body>")
    document.setTextWidth(width)
    return document


def page(
    look: Look,
    blocks: list[tuple[str, tuple[int, int, int]]],
    size: tuple[int, int],
) -> Pixels:
    """Blocks of rich text on a page: (HTML, (left, top, width)) each."""
    image = QImage(*size, QImage.Format.Format_RGB888)
    image.fill(QColor("#1e1e1e" if look.dark else "#ffffff"))
    painter = QPainter(image)
    for html, (left, top, width) in blocks:
        painter.save()
        painter.translate(left, top)
        _document(html, look, width).drawContents(painter)
        painter.restore()
    painter.end()
    return pixels_of(image)


def _height(html: str, look: Look, width: int) -> int:
    return int(_document(html, look, width).size().height())


def article(look: Look, seed: int = 0, width: int = 760) -> Rendered:
    """A page in one column with a heading and paragraphs."""
    rng = random.Random(seed)
    title = "News from the library"
    paragraphs = [" ".join(rng.sample(SENTENCES, 3)) for _ in range(4)]
    html = f"<h2>{title}</h2>" + "".join(f"<p>{text}</p>" for text in paragraphs)
    inner = width - 80
    pixels = page(look, [(html, (40, 30, inner))], (width, _height(html, look, inner) + 60))
    return Rendered("article", pixels, (title, *paragraphs))


def two_columns(look: Look, seed: int = 0, paragraphs: int = 3) -> Rendered:
    """A printed page: a heading across, two columns of text below."""
    rng = random.Random(seed)
    title = "The Reading Room Gazette"
    left, right = (
        [" ".join(rng.sample(SENTENCES, 3)) for _ in range(paragraphs)] for _ in range(2)
    )
    column, gap = look.size * 25, look.size * 2
    head = f"<h1>{title}</h1>"
    sides = ["".join(f"<p>{text}</p>" for text in texts) for texts in (left, right)]
    width = 2 * column + gap + 80
    top = 20 + _height(head, look, width - 80)
    height = top + max(_height(side, look, column) for side in sides) + 40
    blocks = [
        (head, (40, 20, width - 80)),
        (sides[0], (40, top, column)),
        (sides[1], (40 + column + gap, top, column)),
    ]
    return Rendered("two_columns", page(look, blocks, (width, height)), (title, *left, *right))


def web_page(look: Look, seed: int = 0, size: tuple[int, int] = (1280, 800)) -> Rendered:
    """A whole screen: a bar of links, a sidebar, an article, a footer."""
    rng = random.Random(seed)
    links = ("Home", "Opening hours", "Catalogue", "Events", "Contact")
    side = ("Latest news", "New books", "Audio books", "Large print", "Children", "Local history")
    title = "Summer programme"
    count = max(2, size[1] // (look.size * 12))
    paragraphs = [" ".join(rng.sample(SENTENCES, 3)) for _ in range(count)]
    bar = f"<p>{('&nbsp;' * 6).join(links)}</p>"
    across, sidebar = size[0] - 80, look.size * 14
    body = f"<h2>{title}</h2>" + "".join(f"<p>{text}</p>" for text in paragraphs)
    while _height(body, look, across - sidebar) > size[1] - 8 * look.size:
        paragraphs.pop()
        body = f"<h2>{title}</h2>" + "".join(f"<p>{text}</p>" for text in paragraphs)
    footer = "Imprint and accessibility statement"
    blocks = [
        (bar, (40, 8, across)),
        ("".join(f"<p>{text}</p>" for text in side), (40, 4 * look.size, sidebar)),
        (body, (40 + sidebar, 4 * look.size, across - sidebar)),
        (f"<p>{footer}</p>", (40, size[1] - 3 * look.size, across)),
    ]
    return Rendered(
        "web_page", page(look, blocks, size), (*links, *side, title, *paragraphs, footer)
    )


Maker = Callable[[Look, int], Rendered]
WINDOWS: tuple[Maker, ...] = (dialog, form, files, editor)
PAGES: tuple[Maker, ...] = (article, two_columns, web_page)
