"""Documents and icons drawn by Qt, charts by matplotlib; and all kinds in two families.

``FIRST`` is what the recognition is fitted on, ``SECOND`` has other layouts and is for the bars. A
maker takes a random generator and gives (height, width, 3) uint8 RGB; a ``QApplication`` must
exist.
"""

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QImage,
    QLinearGradient,
    QPainter,
    QPen,
    QPolygonF,
    QTextDocument,
)
from PySide6.QtWidgets import QApplication, QStyle

from tests.made_screens import (
    FIRST_SCREENS,
    Maker,
    Random,
    colour,
    paragraph,
    sentence,
    title,
    to_array,
)
from tests.other_screens import SECOND_SCREENS

SERIFS = ["DejaVu Serif", "Nimbus Roman", "P052", "C059", "URW Bookman"]
SANS = ["DejaVu Sans", "Nimbus Sans", "URW Gothic"]


def page(html: str, rng: Random, columns: int = 1, fonts: list[str] = SERIFS) -> np.ndarray:
    """HTML on A4 paper, at 75 to 200 dots an inch."""
    dots = int(rng.choice([75, 100, 150, 200]))
    width, height = round(8.27 * dots), round(11.69 * dots)
    image = QImage(width, height, QImage.Format.Format_RGB888)
    paper = int(rng.choice([255, 255, 255, 250, 244]))
    image.fill(QColor(paper, paper, paper - int(rng.integers(0, 12))))
    margin, gap = 0.1 * width, 0.04 * width
    inner = (width - 2 * margin - gap * (columns - 1)) / columns
    document = QTextDocument()
    font = QFont(str(rng.choice(fonts)))
    font.setPixelSize(round(dots * rng.uniform(9, 14) / 72))
    document.setDefaultFont(font)
    document.setPageSize(QSizeF(inner, height - 2 * margin))
    document.setDocumentMargin(0)
    document.setHtml(html)
    painter = QPainter(image)
    for column in range(columns):
        painter.save()
        painter.translate(margin + column * (inner + gap), margin - column * (height - 2 * margin))
        document.drawContents(
            painter, QRectF(0, column * (height - 2 * margin), inner, height - 2 * margin)
        )
        painter.restore()
    painter.end()
    return to_array(image)


def letter(rng: Random) -> np.ndarray:
    body = "".join(f"<p>{paragraph(rng)}</p>" for _ in range(rng.integers(1, 6)))
    return page(f"<p>{title(rng)}<br>{title(rng)}</p><p>Dear {title(rng)},</p>{body}", rng)


def article(rng: Random) -> np.ndarray:
    parts = [f"<h1>{title(rng)}</h1>"]
    for _ in range(rng.integers(3, 12)):
        parts.append(f"<h3>{title(rng)}</h3><p align='justify'>{paragraph(rng)} {paragraph(rng)}")
    return page("".join(parts), rng, columns=int(rng.integers(1, 3)))


def invoice(rng: Random) -> np.ndarray:
    rows = "".join(
        f"<tr><td>{title(rng)}</td><td>{rng.integers(9)}</td><td>{rng.uniform(1, 999):.2f}</td>"
        for _ in range(rng.integers(3, 20))
    )
    table = f"<table border='1' cellpadding='5' width='100%'>{rows}</table>"
    return page(f"<h2>{title(rng)}</h2><p>{sentence(rng)}</p>{table}", rng, fonts=SANS)


def title_page(rng: Random) -> np.ndarray:
    """A few large lines on paper: a poster, a title page, a sign at a door."""
    size = int(rng.integers(18, 60))
    lines = "".join(f"<p align='center' style='font-size: {size}pt'>{title(rng)}" for _ in range(3))
    return page(lines + f"<p>{sentence(rng)}", rng, fonts=SERIFS + SANS)


def book(rng: Random) -> np.ndarray:
    text = "".join(f"<p style='text-indent: 24px'>{paragraph(rng)}" for _ in range(14))
    return page(f"<p align='center'>{rng.integers(300)}</p>{text}", rng)


def receipt(rng: Random) -> np.ndarray:
    lines = "<br>".join(
        f"{title(rng)[:18]}&nbsp;&nbsp;{rng.uniform(0, 50):.2f}" for _ in range(rng.integers(5, 25))
    )
    made = page(f"<h3>{title(rng)}</h3>{lines}", rng, fonts=["DejaVu Sans Mono"])
    return made[: int(made.shape[0] * 0.7), : int(made.shape[1] * 0.6)]


def slide(rng: Random) -> np.ndarray:
    image = QImage(1280, 720, QImage.Format.Format_RGB888)
    dark = rng.random() < 0.4
    image.fill(colour(rng).darker(220) if dark else QColor("white"))
    painter = QPainter(image)
    painter.setPen(QColor("white") if dark else QColor("#222"))
    painter.setFont(QFont(str(rng.choice(SANS)), 34))
    painter.drawText(QPointF(80, 120), title(rng))
    painter.setFont(QFont(str(rng.choice(SANS)), 20))
    for number in range(rng.integers(2, 7)):
        painter.drawText(QPointF(110, 220 + 70 * number), "\u2022 " + sentence(rng)[:70])
    painter.end()
    return to_array(image)


def newspaper(rng: Random) -> np.ndarray:
    text = "".join(f"<p align='justify'><b>{title(rng)}</b> {paragraph(rng)}" for _ in range(24))
    return page(text, rng, columns=3)


def questionnaire(rng: Random) -> np.ndarray:
    lines = "".join(
        f"<tr><td>{title(rng)}:</td><td>______________________</td></tr><tr><td></td></tr>"
        for _ in range(rng.integers(4, 18))
    )
    return page(f"<h2>{title(rng)}</h2><table cellpadding='8'>{lines}</table>", rng, fonts=SANS)


def figure(rng: Random) -> Figure:
    return Figure(figsize=(rng.uniform(4, 10), rng.uniform(3, 7)), dpi=rng.uniform(70, 200))


def drawn(made: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(made)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


FIRST_STYLES = ["default", "bmh", "seaborn-v0_8-whitegrid", "classic"]
SECOND_STYLES = ["ggplot", "dark_background", "fivethirtyeight", "Solarize_Light2", "default"]


def first_chart(rng: Random) -> np.ndarray:
    with matplotlib.style.context(str(rng.choice(FIRST_STYLES))):
        made = figure(rng)
        axes = made.subplots()
        count = int(rng.integers(4, 20))
        match rng.integers(4):
            case 0:
                for _ in range(rng.integers(1, 5)):
                    axes.plot(rng.normal(0, 1, count * 4).cumsum(), label=title(rng))
                axes.legend()
            case 1:
                axes.bar(range(count), rng.uniform(1, 9, count))
            case 2:
                axes.pie(rng.uniform(1, 9, min(count, 8)), labels=[title(rng)] * min(count, 8))
            case _:
                axes.scatter(rng.normal(0, 1, 12 * count), rng.normal(0, 1, 12 * count))
        axes.set_title(title(rng))
        axes.set_xlabel(title(rng))
        return drawn(made)


def second_chart(rng: Random) -> np.ndarray:
    with matplotlib.style.context(str(rng.choice(SECOND_STYLES))):
        made = figure(rng)
        axes = made.subplots()
        count = int(rng.integers(4, 14))
        match rng.integers(6):
            case 0:
                axes.hist(rng.normal(0, 1, 400), bins=count * 2)
            case 1:
                axes.stackplot(range(count), rng.uniform(1, 5, (3, count)))
            case 2:
                axes.boxplot([rng.normal(0, 1, 30) for _ in range(count)])
            case 3:
                names = [f"{title(rng)} {number}" for number in range(count)]
                axes.barh(names, rng.uniform(1, 9, count))
            case 4:
                axes.step(range(4 * count), rng.normal(0, 1, 4 * count).cumsum())
                axes.grid(True)
            case _:
                axes.errorbar(range(count), rng.uniform(0, 9, count), yerr=1, fmt="o-")
        axes.set_title(title(rng))
        axes.set_ylabel(title(rng))
        return drawn(made)


def canvas(rng: Random) -> tuple[QImage, QPainter, int]:
    side = int(rng.choice([32, 48, 64, 128, 256, 512]))
    image = QImage(side, side, QImage.Format.Format_RGB888)
    image.fill(QColor("white") if rng.random() < 0.6 else colour(rng))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return image, painter, side


def first_icon(rng: Random) -> np.ndarray:
    """Flat shapes, outlines, a letter."""
    image, painter, side = canvas(rng)
    painter.setPen(Qt.PenStyle.NoPen)
    for _ in range(rng.integers(0, 4)):
        slope = QLinearGradient(0, 0, 0, side)
        slope.setColorAt(0, colour(rng))
        slope.setColorAt(1, colour(rng))
        painter.setBrush(QBrush(slope) if rng.random() < 0.3 else colour(rng))
        left, top = (rng.uniform(0.05, 0.4, 2) * side).tolist()
        size = rng.uniform(0.3, 0.6) * side
        box = QRectF(left, top, size, size)
        match rng.integers(3):
            case 0:
                painter.drawEllipse(box)
            case 1:
                painter.drawRoundedRect(box, size / 6, size / 6)
            case _:
                points = [QPointF(*(rng.uniform(0.1, 0.9, 2) * side)) for _ in range(3)]
                painter.drawPolygon(QPolygonF(points))
    if rng.random() < 0.5:  # an outline
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour(rng).darker(250), max(1.5, side * rng.uniform(0.03, 0.12))))
        painter.drawPolyline(
            QPolygonF([QPointF(*(rng.uniform(0.1, 0.9, 2) * side)) for _ in range(4)])
        )
        painter.drawArc(QRectF(side * 0.2, side * 0.2, side * 0.6, side * 0.6), 0, 16 * 270)
    if rng.random() < 0.5:
        font = QFont("DejaVu Sans")
        font.setPixelSize(side // 2)
        painter.setFont(font)
        painter.setPen(QColor("white"))
        painter.drawText(
            QRectF(0, 0, side, side), Qt.AlignmentFlag.AlignCenter, title(rng)[0].upper()
        )
    painter.end()
    return to_array(image)


def second_icon(rng: Random) -> np.ndarray:
    """The style's own icons, symbols of a font, outlines."""
    image, painter, side = canvas(rng)
    match rng.integers(3):
        case 0:
            kinds = list(QStyle.StandardPixmap)
            icon = QApplication.style().standardIcon(kinds[rng.integers(len(kinds))])
            pixmap = icon.pixmap(side, side)
            painter.drawPixmap(0, 0, side, side, pixmap)
            painter.setPen(QPen(colour(rng), max(1, side / 24)))
            painter.drawRect(QRectF(side * 0.02, side * 0.02, side * 0.96, side * 0.96))
        case 1:
            font = QFont("DejaVu Sans")
            font.setPixelSize(int(side * 0.8))
            painter.setFont(font)
            painter.setPen(colour(rng).darker(200))
            symbol = chr(int(rng.choice([0x2600, 0x2602, 0x2605, 0x260E, 0x2665, 0x266B, 0x2708])))
            painter.drawText(QRectF(0, 0, side, side), Qt.AlignmentFlag.AlignCenter, symbol)
        case _:
            painter.setPen(QPen(colour(rng).darker(220), max(1.5, side / 14)))
            painter.drawEllipse(QRectF(side * 0.2, side * 0.15, side * 0.45, side * 0.45))
            painter.drawLine(QPointF(side * 0.6, side * 0.55), QPointF(side * 0.85, side * 0.85))
    painter.end()
    return to_array(image)


FIRST: dict[str, list[Maker]] = {
    "screen": FIRST_SCREENS,
    "document": [letter, article, invoice, title_page],
    "chart": [first_chart],
    "icon": [first_icon],
}
SECOND: dict[str, list[Maker]] = {
    "screen": SECOND_SCREENS,
    "document": [book, receipt, slide, newspaper, questionnaire],
    "chart": [second_chart],
    "icon": [second_icon],
}
