"""In which order lines are read, and which of them belong together; places alone, nothing read."""

import numpy as np
import pytest

from core.text_layout import Area, paragraphs, reading_order
from core.text_quads import join_pieces, turned


def boxes(*cells: tuple[float, float, float]) -> list[Area]:
    """Lines 16 pixels high, from left, top and width."""
    return [Area(left, top, left + width, top + 16) for left, top, width in cells]


def order(areas: list[Area]) -> list[int]:
    return [place.index for place in reading_order(areas)]


def test_a_table_is_read_in_rows_beside_a_sidebar_that_is_read_before() -> None:
    bar = [(10.0 + 70 * item, 0.0, 50.0) for item in range(6)]
    sidebar = [(0.0, 40.0 + 17 * row, 70.0) for row in range(7)]
    cells = [(left, 40.0 + 30 * row, 60.0) for row in range(8) for left in (120.0, 260.0, 380.0)]
    areas = boxes(*bar, *sidebar, *cells)
    shuffled = areas[::2] + areas[1::2]
    assert [shuffled[index] for index in order(shuffled)] == areas


def test_three_printed_columns_are_read_one_after_the_other() -> None:
    columns = [(left, 40.0 + 20 * row, 280.0) for left in (0.0, 310.0, 620.0) for row in range(12)]
    areas = boxes((0, 0, 500), *columns)
    assert order(areas) == list(range(len(areas)))


@pytest.mark.parametrize(("room", "joined"), [(20, True), (50, True), (80, False)])
def test_a_line_goes_on_where_the_next_word_had_no_room_in_it(room: float, joined: bool) -> None:
    lines = [
        "Ships had been passing there for a year,",
        "when the first keeper, a man",
        "named Thomas Fletcher, lit the lamp here.",
    ]
    places = reading_order(boxes((0, 0, 300), (0, 20, 300 - room), (0, 40, 300)))
    sentences = paragraphs(list(zip(lines, places, strict=True)))
    assert (sentences == [" ".join(lines)]) == joined


@pytest.mark.parametrize("degrees", [0, 1, 1.5, 3])
def test_lines_of_a_page_on_its_side_are_not_taken_for_one(degrees: float) -> None:
    lines = [[(x, 0), (x + 22, 0), (x + 22, 600), (x, 600)] for x in range(0, 480, 30)]
    leaning = turned(np.array(lines, np.float32), np.radians(degrees))
    assert len(join_pieces(leaning)) == 16
