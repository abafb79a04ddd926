"""Screens rendered by Qt, in other layouts than ``made_screens``: for the bars alone."""

import numpy as np
from PySide6.QtCore import QDate, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QCalendarWidget,
    QCheckBox,
    QGridLayout,
    QGroupBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QSlider,
    QSplitter,
    QStyle,
    QTabWidget,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tests.made_screens import (
    DARK,
    FLAT,
    LIGHT,
    WORDS,
    Maker,
    Random,
    colour,
    paragraph,
    sentence,
    shot,
    title,
    to_array,
    words,
)

_RGB = QImage.Format.Format_RGB888


def settings_page(rng: Random) -> np.ndarray:
    tabs = QTabWidget()
    for _ in range(rng.integers(3, 7)):
        page = QWidget()
        column = QVBoxLayout(page)
        for _ in range(rng.integers(2, 5)):
            group = QGroupBox(title(rng))
            inner = QVBoxLayout(group)
            for _ in range(rng.integers(1, 4)):
                match rng.integers(4):
                    case 0:
                        slider = QSlider(Qt.Orientation.Horizontal)
                        slider.setValue(int(rng.integers(99)))
                        inner.addWidget(slider)
                    case 1:
                        inner.addWidget(QRadioButton(sentence(rng)))
                    case 2:
                        bar = QProgressBar()
                        bar.setValue(int(rng.integers(99)))
                        inner.addWidget(bar)
                    case _:
                        inner.addWidget(QCheckBox(sentence(rng)))
            column.addWidget(group)
        tabs.addTab(page, title(rng))
    tabs.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    tabs.show()  # a tab lays its page out when it is shown
    return shot(tabs, rng)


def mail(rng: Random) -> np.ndarray:
    window = QSplitter()
    folders = QTreeWidget()
    folders.setHeaderLabels([title(rng)])
    for _ in range(rng.integers(2, 5)):
        branch = QTreeWidgetItem([title(rng)])
        branch.addChildren([QTreeWidgetItem([title(rng)]) for _ in range(rng.integers(1, 6))])
        folders.addTopLevelItem(branch)
        branch.setExpanded(True)
    letters = QListWidget()
    letters.addItems([f"{title(rng)}\n{sentence(rng)}" for _ in range(rng.integers(3, 30))])
    letters.setCurrentRow(int(rng.integers(3)))
    reading = QTextBrowser()
    reading.setHtml(f"<h3>{title(rng)}</h3>" + "".join(f"<p>{paragraph(rng)}" for _ in range(4)))
    for part, stretch in ((folders, 1), (letters, 2), (reading, 3)):
        window.addWidget(part)
        window.setStretchFactor(window.count() - 1, stretch)
    return shot(window, rng)


def chat(rng: Random) -> np.ndarray:
    width, height = int(rng.integers(360, 1280)), int(rng.integers(640, 1080))
    back = QColor(str(rng.choice(["#efeae2", "#0b141a", "#ffffff", "#1e1e2e"])))
    dark = back.lightness() < 100
    image = QImage(width, height, _RGB)
    image.fill(back)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(QFont("DejaVu Sans", int(rng.integers(9, 14))))
    painter.fillRect(0, 0, width, 56, colour(rng))
    y = 76.0
    while y < height - 90:
        text, mine = paragraph(rng)[: int(rng.integers(8, 140))], rng.random() < 0.5
        wide = min(width * 0.66, 12.0 * len(text) + 40)
        box = QRectF(width - wide - 16 if mine else 16, y, wide, 34 + 22 * (12 * len(text) // wide))
        painter.setPen(Qt.PenStyle.NoPen)
        shades = ("#005c4b", "#202c33") if dark else ("#d9fdd3", "#e4e6eb")
        painter.setBrush(QColor(shades[0] if mine else shades[1]))
        painter.drawRoundedRect(box, 10, 10)
        painter.setPen(QColor("#eee" if dark else "#111"))
        painter.drawText(box.adjusted(10, 6, -10, -6), Qt.TextFlag.TextWordWrap, text)
        y += box.height() + 12
    painter.setBrush(QColor("#333" if dark else "#fff"))
    painter.drawRoundedRect(QRectF(16, height - 60, width - 32, 44), 20, 20)
    painter.end()
    return to_array(image)


def keypad(rng: Random) -> np.ndarray:
    widget = QWidget()
    grid = QGridLayout(widget)
    grid.addWidget(QLineEdit(f"{rng.uniform(0, 1e6):.4f}"), 0, 0, 1, 4)
    for number, label in enumerate(
        ["7", "8", "9", "/", "4", "5", "6", "*", "1", "2", "3", "-", "0", ".", "=", "+"]
    ):
        button = QPushButton(label)
        button.setMinimumHeight(40)
        grid.addWidget(button, 1 + number // 4, number % 4)
    return shot(widget, rng, (int(rng.integers(220, 700)), int(rng.integers(300, 800))))


def file_manager(rng: Random) -> np.ndarray:
    view = QListWidget()
    view.setViewMode(QListWidget.ViewMode.IconMode)
    view.setGridSize(view.gridSize().expandedTo(QPixmap(110, 90).size()))
    kinds = [kind for kind in QStyle.StandardPixmap if "SP_" in kind.name]
    for _ in range(rng.integers(3, 60)):
        icon = QApplication.style().standardIcon(kinds[rng.integers(len(kinds))])
        view.addItem(QListWidgetItem(icon, title(rng)[:14]))
    return shot(view, rng)


def message_box(rng: Random) -> np.ndarray:
    box = QMessageBox(QMessageBox.Icon(int(rng.integers(1, 5))), title(rng), sentence(rng))
    box.setInformativeText(paragraph(rng))
    box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No)
    box.setStyleSheet(str(rng.choice([LIGHT, DARK, FLAT])))
    box.ensurePolished()
    box.adjustSize()
    pixels = to_array(box.grab().toImage())
    box.deleteLater()
    return pixels


def calendar(rng: Random) -> np.ndarray:
    widget = QCalendarWidget()
    widget.setSelectedDate(QDate(int(rng.integers(2000, 2030)), int(rng.integers(1, 13)), 9))
    return shot(widget, rng, (int(rng.integers(400, 1600)), int(rng.integers(300, 1000))))


def login(rng: Random) -> np.ndarray:
    """Nearly empty: a name, a field and a button in the middle of one plain colour."""
    widget = QWidget()
    widget.setStyleSheet(
        f"QWidget {{ background: {colour(rng).darker(180).name()}; color: white; }}"
        "QLineEdit, QPushButton { background: #eee; color: #222; padding: 6px }"
    )
    column = QVBoxLayout(widget)
    column.addStretch()
    for part in (QLabel(f"<h1>{title(rng)}</h1>"), QLineEdit(words(rng, 1)), QPushButton("Log in")):
        part.setMaximumWidth(360)
        part.setMinimumWidth(260)
        column.addWidget(part, 0, Qt.AlignmentFlag.AlignCenter)
    column.addStretch()
    return shot(widget, rng)


def code(rng: Random) -> np.ndarray:
    split = QSplitter()
    tree = QTreeWidget()
    tree.setHeaderHidden(True)
    tree.addTopLevelItems([QTreeWidgetItem([f"{word}.py"]) for word in rng.choice(WORDS, 22)])
    browser = QTextBrowser()
    palette = ["#c792ea", "#82aaff", "#c3e88d", "#f78c6c", "#eeffff"]
    lines = []
    for number in range(rng.integers(10, 60)):
        spans = "".join(
            f'<span style="color:{rng.choice(palette)}">{word}&nbsp;</span>'
            for word in rng.choice(WORDS, rng.integers(0, 9))
        )
        lines.append(f"{number + 1:3d}&nbsp;{'&nbsp;' * 4 * int(rng.integers(4))}{spans}<br>")
    browser.setHtml("<code>" + "".join(lines) + "</code>")
    split.addWidget(tree)
    split.addWidget(browser)
    split.setStretchFactor(1, 4)
    split.setStyleSheet("QWidget { background: #263238; color: #b0bec5; }")
    return shot(split, rng)


SECOND_SCREENS: list[Maker] = [
    settings_page,
    mail,
    chat,
    keypad,
    file_manager,
    message_box,
    calendar,
    login,
    code,
]
