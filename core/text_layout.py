"""Lines of text into reading order, and into sentences as they would be read aloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Two boxes stand in one row when their middles differ by less than this share of their height.
_SAME_ROW = 0.55
# Rows of neighbouring columns are the rows of a table when their middles are this close.
_ALIGNED = 0.35
# They are a table when at least this share of the rows of one column has such a neighbour.
_TABLE = 0.75
# Space between two columns, and at most between two lines of a paragraph, in line heights.
_COLUMN_GAP = 0.7
_LINE_GAP = 0.5
# How far the first line of a paragraph may be indented, in line heights.
_INDENT = 3.0
# A word may be so much wider than its share of its line, in line heights: "m" is wider than "i".
_WIDER_WORD = 0.6
# Columns narrower than so many line heights hold items, not wrapped lines.
_NARROWEST = 10.0
# Items of a bar are at most so many times as wide as high.
_LONGEST_ITEM = 9.0
# A line that is so many times as wide as it is high is prose, not a label or a table's cell.
_PROSE = 14.0


class Area(NamedTuple):
    """An upright rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """In pixels."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Of its height."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Placed:
    """A line in its place.

    Attributes:
        index: among the areas given to `reading_order`.
        area: the one given.
        row: lines of the same row have the same number; rows count upwards in reading order.
        column: lines that can belong to one paragraph have the same number.
        alone: whether nothing else stands in its row.
        edge: as far right as lines like it reach, around here.
    """

    index: int
    area: Area
    row: int
    column: int
    alone: bool
    edge: float


def reading_order(areas: Sequence[Area]) -> list[Placed]:
    """Put lines into the order in which a person reads them.

    Columns of text (a sidebar, a printed page) are read one after the other; the rows of a table
    or a form, whose cells stand beside each other, from left to right. The picture is cut
    recursively along its white space, as in Nagy and Seth's X-Y cut (ICPR 1984), but a vertical
    cut is made only between columns.
    """
    placed: list[Placed] = []
    rows = 0
    top_down = sorted(range(len(areas)), key=lambda index: areas[index].top)
    for column, leaf in enumerate(_leaves(areas, top_down)):
        in_rows = _rows(areas, leaf)
        order = [areas[index] for row in in_rows for index in row]
        edges = iter([_edge(order, position) for position in range(len(order))])
        for row in in_rows:
            placed += [
                Placed(index, areas[index], rows, column, len(row) == 1, next(edges))
                for index in row
            ]
            rows += 1
    return placed


def _edge(column: list[Area], position: int) -> float:
    here = column[position]
    around = column[max(0, position - 3) : position + 5]
    return max(area.right for area in around if abs(area.left - here.left) <= _INDENT * here.height)


def _leaves(areas: Sequence[Area], part: list[int]) -> list[list[int]]:
    """Groups of lines (top to bottom) without columns, in reading order."""
    bands = _bands(areas, part)
    # The largest run of bands that falls into columns; what is above and below is read for itself.
    for first, last in _runs(areas, bands):
        inside = [index for band in bands[first:last] for index in band]
        if sides := _columns(areas, inside):
            above = [index for band in bands[:first] for index in band]
            below = [index for band in bands[last:] for index in band]
            parts = [above, *sides, below]
            return [leaf for each in parts if each for leaf in _leaves(areas, each)]
    return [part]


def _runs(areas: Sequence[Area], bands: list[list[int]]) -> list[tuple[int, int]]:
    """Runs of bands through which a white stripe goes from top to bottom, the longest first."""
    stripes = sorted({middle for band in bands for middle in _stripes(areas, band)})
    runs: set[tuple[int, int]] = set()
    for middle in stripes:
        first = 0
        for position, band in enumerate(bands):
            if any(areas[index].left < middle < areas[index].right for index in band):
                runs.add(_without_bars(areas, bands, first, position))
                first = position + 1
        runs.add(_without_bars(areas, bands, first, len(bands)))
    lines = np.cumsum([0, *map(len, bands)])
    return sorted(runs, key=lambda run: (lines[run[0]] - lines[run[1]], run))


def _without_bars(
    areas: Sequence[Area], bands: list[list[int]], first: int, last: int
) -> tuple[int, int]:
    """A run less the menus, tabs and buttons at its ends, between which the stripe may pass."""
    inside = [[areas[index] for index in band] for band in bands[first:last]]
    while len(inside) > 1 and _is_bar(inside[0], inside[1:]):
        inside.pop(0)
        first += 1
    while len(inside) > 1 and _is_bar(inside[-1], inside[:-1]):
        inside.pop()
        last -= 1
    return first, last


def _is_bar(band: list[Area], others: list[list[Area]]) -> bool:
    if len(band) < 3 or len(_row_middles(band)) > 1:
        return False
    if any(area.right - area.left > _LONGEST_ITEM * area.height for area in band):
        return False
    # The head of a table stands over its columns, a bar over nothing.
    edges = np.array([area.left for other in others for area in other])
    over = sum(np.abs(edges - area.left).min() < area.height / 2 for area in band)
    return bool(over < len(band) / 2)


def _stripes(areas: Sequence[Area], part: list[int]) -> list[float]:
    """Middles of the white stripes between some lines, from left to right."""
    across = sorted((areas[index] for index in part), key=lambda area: area.left)
    height = float(np.median([area.height for area in across]))
    middles: list[float] = []
    right = across[0].right
    for area in across[1:]:
        if area.left - right >= _COLUMN_GAP * height:
            middles.append((right + area.left) / 2)
        right = max(right, area.right)
    return middles


def _bands(areas: Sequence[Area], part: list[int]) -> list[list[int]]:
    """Lines (top to bottom) into horizontal bands with nothing but white between them."""
    bands: list[list[int]] = []
    bottom = -np.inf
    for index in part:
        if areas[index].top >= bottom - 0.15 * areas[index].height:
            bands.append([])
        bands[-1].append(index)
        bottom = max(bottom, areas[index].bottom)
    return bands


def _columns(areas: Sequence[Area], part: list[int]) -> tuple[list[int], list[int]] | None:
    """The two sides of the white stripe that parts columns of text most clearly, if any does."""
    if len(part) < 4:
        return None
    best: tuple[list[int], list[int]] | None = None
    lowest = _TABLE
    for middle in _stripes(areas, part):
        left = [index for index in part if areas[index].right <= middle]
        rest = [index for index in part if areas[index].left >= middle]
        likeness = _like_table([areas[index] for index in left], [areas[index] for index in rest])
        if likeness < lowest:
            best, lowest = (left, rest), likeness
    return best


def _like_table(left: list[Area], right: list[Area]) -> float:
    """0 for two columns of text (each from top to bottom) up to 1 for cells side by side."""
    sides = (left, right)
    rows = [_row_middles(side) for side in sides]
    few, many = sorted(map(len, rows))
    overlap = min(left[-1].bottom, right[-1].bottom) - max(left[0].top, right[0].top)
    shorter = min(side[-1].bottom - side[0].top for side in sides)
    if few < 2 or overlap < 0.5 * shorter:
        return 1.0
    prose = [_is_prose(side) for side in sides]
    if all(prose) or (any(prose) and many >= 2 * few):
        return 0.0
    apart = np.abs(np.subtract.outer(*rows))  # (rows on the left, rows on the right)
    height = float(np.median([area.height for area in (*left, *right)]))
    nearest = apart.argmin(axis=1)
    mutual = apart.argmin(axis=0)[nearest] == np.arange(len(rows[0]))
    return float((mutual & (apart.min(axis=1) < _ALIGNED * height)).sum()) / few


def _row_middles(side: list[Area]) -> NDArray[np.float64]:
    """Of the rows, top to bottom, that the lines (top to bottom) of one side form."""
    middles: list[float] = []
    for area in sorted(side, key=lambda area: area.middle):
        if not middles or area.middle - middles[-1] > _SAME_ROW * area.height:
            middles.append(area.middle)
    return np.array(middles)


def _is_prose(side: list[Area]) -> bool:
    return float(np.median([(area.right - area.left) / area.height for area in side])) > _PROSE


def _rows(areas: Sequence[Area], leaf: list[int]) -> list[list[int]]:
    """Lines (top to bottom) into rows, each from left to right."""
    rows: list[list[int]] = []
    for index in sorted(leaf, key=lambda index: areas[index].middle):
        if rows:
            head = areas[rows[-1][0]]
            near = min(head.height, areas[index].height) * _SAME_ROW
            if areas[index].middle - head.middle < near:
                rows[-1].append(index)
                continue
        rows.append([index])
    return [sorted(row, key=lambda index: areas[index].left) for row in rows]


def paragraphs(lines: Sequence[tuple[str, Placed]]) -> list[str]:
    """Join lines into what is read in one breath: wrapped lines, and the cells of a row.

    Args:
        lines: text and place of each, in reading order.
    """
    found: list[str] = []
    for position, (line, place) in enumerate(lines):
        before = lines[position - 1] if position else None
        if before and before[1].row == place.row:
            found[-1] = _beside(found[-1], line)
        elif before and _goes_on(before[1], place, line):
            found[-1] = _below(found[-1], line)
        else:
            found.append(line)
    return found


def _beside(text: str, cell: str) -> str:
    return f"{text} {cell}" if text[-1] in ".,:;!?" else f"{text}, {cell}"


def _below(text: str, line: str) -> str:
    if len(text) > 1 and text[-1] == "-" and text[-2].isalpha() and line[0].islower():
        return text[:-1] + line  # a word that was divided at the end of the line
    return f"{text} {line}"


def _goes_on(upper: Placed, lower: Placed, line: str) -> bool:
    """Whether a line goes on in the next, for the first word of that had no room in it."""
    if upper.column != lower.column or not (upper.alone and lower.alone):
        return False
    above, below = upper.area, lower.area
    low, high = sorted((above.height, below.height))
    if below.top - above.bottom > _LINE_GAP * low or high > 1.5 * low:
        return False
    if abs(below.left - above.left) > _INDENT * low or upper.edge - below.left < _NARROWEST * low:
        return False
    letters = 1 + len(line.split()[0])  # of its first word, with the space before it
    word = (below.right - below.left) * letters / len(line)
    return above.right + word + _WIDER_WORD * low >= upper.edge
