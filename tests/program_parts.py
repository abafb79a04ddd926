"""What tests of the whole desktop program share: how it is started, and what it is shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from desktop import talker
from desktop.history import History
from desktop.program import Program
from tests.picture_kinds import snapshot

WAIT = 60_000  # ms; the model is loaded within

Start = Callable[..., Program]


@contextmanager
def programs(
    model: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """Starts the program in a home of its own, with these settings; ready when it returns."""
    for name, folder in (("HOME", ""), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    (tmp_path / ".asoundrc").write_text("pcm.!default { type null }\n")
    started: list[Program] = []

    def begin(settings: str = "", **environment: str) -> Program:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "config" / "seesay").mkdir(parents=True, exist_ok=True)
        file = tmp_path / "config" / "seesay" / "settings.toml"
        file.write_text("welcomed = true\nearcons = false\n" + settings)
        program = Program(model)
        started.append(program)
        with qtbot.waitSignal(program.captioning.ready, timeout=WAIT):
            program.start(minimised=False)
        return program

    yield begin
    for program in started:
        program.close()
        program.window.deleteLater()


def pictures(folder: Path, *colours: str) -> list[str]:
    paths = [folder / f"{colour}.png" for colour in colours]
    for path in paths:
        Image.fromarray(snapshot(len(path.name))).save(path)
    return [str(path) for path in paths]


def sentences(folder: Path) -> list[str]:
    history = History(folder / "data" / "seesay" / "history.sqlite3")
    try:
        return [entry.caption.spoken for entry in history.page()]
    finally:
        history.close()


def announcements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a screen reader is told; no screen reader runs beside the invisible window.

    "Still looking." is left out, which is said on slow machines alone.
    """
    monkeypatch.setattr("desktop.flow._STILL_MS", WAIT)
    sentences: list[str] = []
    monkeypatch.setattr(talker, "announce", lambda origin, text: sentences.append(text))
    return sentences
