"""Presses in quick succession: what would be ended at once is not begun."""

import pytest
from pytestqt.qtbot import QtBot

from desktop.presses import Presses


@pytest.mark.parametrize(
    ("pressed", "done"),
    [
        ("camera", "camera"),
        ("camera screen window clipboard aim", "aim"),
        ("camera stop", "stop"),
        ("repeat text camera", "camera"),
        ("camera repeat", "camera repeat"),
        ("repeat text repeat", "text repeat"),
        ("text text text", "text text text"),
        ("show camera show", "camera show"),
        ("live", "live"),
        ("live live", ""),
        ("live camera live live", "camera live"),
        ("camera live stop", "live stop"),
    ],
)
def test_only_what_counts_is_done(pressed: str, done: str, qtbot: QtBot) -> None:
    presses = Presses()
    came: list[str] = []
    presses.due.connect(came.append)
    for action in (*pressed.split(), "find"):
        presses.add(action)
    assert came == []  # at the next turns of the event loop
    qtbot.waitUntil(lambda: "find" in came)
    assert came == [*done.split(), "find"]


def test_ten_thousand_are_few(qtbot: QtBot) -> None:
    presses = Presses()
    came: list[str] = []
    presses.due.connect(came.append)
    for _ in range(2500):
        for action in ("screen", "clipboard", "repeat", "camera"):
            presses.add(action)
    qtbot.waitUntil(lambda: bool(came))
    assert came == ["camera"]
