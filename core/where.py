"""From attention over the region grid to words such as "upper left", and boxes."""

import numpy as np

from core.caption import Box

# A word counts as seen when more of its attention fell on the picture than this.
SEEN = 0.5
# How far from the middle, as a share of the side, the centre of attention leaves "centre".
_OFF_CENTRE = 0.1
# Cells with at least this share of the strongest cell's attention lie in the box.
_IN_BOX = 0.5


def place(attention: np.ndarray) -> str:
    """Where the centre of attention lies: ``centre``, ``left``, ``upper left`` …

    Args:
        attention: (rows, columns), not negative.
    """
    rows, columns = attention.shape
    total = attention.sum()
    x = float(attention.sum(axis=0) @ (np.arange(columns) + 0.5)) / (total * columns)
    y = float(attention.sum(axis=1) @ (np.arange(rows) + 0.5)) / (total * rows)
    across = "left" if x < 0.5 - _OFF_CENTRE else "right" if x > 0.5 + _OFF_CENTRE else ""
    down = "upper" if y < 0.5 - _OFF_CENTRE else "lower" if y > 0.5 + _OFF_CENTRE else ""
    if down and not across:
        return "above" if down == "upper" else "below"
    return f"{down} {across}".strip() or "centre"


def box(attention: np.ndarray) -> Box:
    """The smallest box around the cells that were looked at most, as shares of the picture.

    Args:
        attention: (rows, columns), not negative.
    """
    rows, columns = attention.shape
    strong = attention >= _IN_BOX * attention.max()
    down, across = np.flatnonzero(strong.any(axis=1)), np.flatnonzero(strong.any(axis=0))
    return (
        float(across[0] / columns),
        float(down[0] / rows),
        float((across[-1] + 1) / columns),
        float((down[-1] + 1) / rows),
    )
