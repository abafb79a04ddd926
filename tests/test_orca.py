"""What Orca, a real screen reader, says of the program: one session from its first start on."""

import itertools
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from core.caption import Word
from core.where import said_place
from desktop.history import Entry, History
from tests.desktop_parts import Desktop, a_desktop, wait_for
from tests.orca_parts import Orca
from tests.picture_kinds import snapshot

# Roles and values that tell nothing, paths of files, marks of access keys, silence.
_NOISE = re.compile(r"\b(unknown|filler|invalid|None)\b|/|&|^$")
_BUTTONS = {
    "Describe camera": r"Ctrl\+1 here, Ctrl\+Shift\+F7 anywhere",
    "Describe screen": r"Ctrl\+2 here, Ctrl\+Shift\+F8 anywhere",
    "Describe window": r"Ctrl\+3 here, Ctrl\+Shift\+F9 anywhere",
    "Describe clipboard": r"Ctrl\+4 here, Ctrl\+Shift\+F10 anywhere",
    "Describe region": r"Ctrl\+5 here",
    "Describe files": r"Ctrl\+O here",
    "Repeat": r"Ctrl\+R here, Ctrl\+Shift\+F11 anywhere",
    "Read on": r"Ctrl\+T here, Ctrl\+Shift\+F6 anywhere",
    "Stop": r"Esc here, Ctrl\+Shift\+F12 anywhere",
}


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory, x_display: str) -> Iterator[Desktop]:
    """Of someone who has not seen the program yet; it is silent, since Orca speaks."""
    settings = 'speech = "silent"\nearcons = false\n'
    with a_desktop(tmp_path_factory.mktemp("home"), x_display, settings) as desktop:
        yield desktop


@pytest.fixture(scope="module")
def orca(desktop: Desktop) -> Orca:
    return Orca(desktop)


@pytest.fixture(scope="module")
def entry(desktop: Desktop, tmp_path_factory: pytest.TempPathFactory) -> Entry:
    """A description of a file that was given to the running program."""
    picture = tmp_path_factory.mktemp("pictures") / "shared.png"
    Image.fromarray(snapshot(1)).save(picture)
    assert desktop.seesay("app", str(picture)).wait(60) == 0

    def newest() -> Entry | None:
        history = History(desktop.home / ".local" / "share" / "seesay" / "history.sqlite3")
        try:
            return next((entry for entry in history.page(limit=1) if entry.caption.words), None)
        finally:
            history.close()

    kept = wait_for(newest, "the entry and its words")
    assert isinstance(kept, Entry)
    return kept


def test_the_first_start_reads_the_welcome_page(
    desktop: Desktop, orca: Orca, tiny_model: Path
) -> None:
    orca.after(
        lambda: desktop.seesay("app", "--model", str(tiny_model)),
        "Welcome to Seesay dialog.*Seesay looks at what your camera .*It learnt from photographs "
        ".*Learn three keys.*Nothing leaves your computer",
        "Start push button",
    )
    orca.after(
        "Return", "Seesay frame", "Description read only text", "Nothing has been described yet"
    )


def test_each_button_is_said_with_its_keys(orca: Orca) -> None:
    for name, keys in _BUTTONS.items():
        orca.after("Tab", f"{name}.* push button", f".*{keys}")
    orca.after("Tab", "Live check box not checked", r".*Ctrl\+Shift\+F3 anywhere")
    orca.after("Tab", "Aim.* push button", r".*Ctrl\+6 here, Ctrl\+Shift\+F5 anywhere")


def test_empty_lists_and_the_fields_of_the_search_are_said(orca: Orca) -> None:
    orca.after("Tab", "Words", ".*list")
    orca.after("Tab", "Search.* text", "Words of the sentence")
    orca.after("Tab", ".* combo box", "Any source")
    orca.after("Tab", ".* combo box", "Any day")
    orca.after("Tab", "Starred only check box not checked")
    orca.after("Tab", "History", ".*list", "Nothing has been kept yet")
    for name in ("Repeat entry", "Note of entry", "More for entries"):
        orca.after("Tab", f"{name} push button")
    orca.after("Tab", "Description read only text")


def test_the_sentence_is_said(orca: Orca, entry: Entry) -> None:
    orca.after("Tab", "Describe camera")
    # The line with the cursor; the others are a press of Down away.
    said = orca.after(
        "shift+Tab", "Description read only text", re.escape(entry.caption.spoken[:9])
    )
    lines = [text.rstrip(".") for text in said]  # Orca ends each in a full stop
    assert any(len(line) > 12 and entry.caption.spoken.startswith(line) for line in lines), lines


def test_each_word_is_said_with_its_place(orca: Orca, entry: Entry) -> None:
    def heard(word: Word) -> str:
        place = f", {said_place(word)}" if word.where else ""
        return re.escape(word.word + place) + r"\.?$"

    first, second = entry.caption.words[:2]
    orca.after("ctrl+f", "Search")
    orca.after("shift+Tab", "Words", f"List with {len(entry.caption.words)} items", heard(first))
    orca.after("Right", heard(second))
    orca.after("Left", heard(first))


def test_an_entry_of_the_history_is_said_with_source_and_time(orca: Orca, entry: Entry) -> None:
    orca.after("ctrl+f", "Search")
    orca.after("Tab", ".* combo box")
    orca.after("Tab", ".* combo box")
    orca.after("Tab", "Starred only")
    time: datetime = entry.time.astimezone()
    facts = rf"File, (today|yesterday) {time.hour}:{time.minute:02}"
    orca.after("Tab", "History", "List with 1 item", f"{re.escape(entry.caption.spoken)} {facts}")


def test_the_settings_are_said(orca: Orca) -> None:
    orca.after("ctrl+comma", "Speech page tab")
    orca.after("Tab", "Who speaks", "Silent", "selected radio button", "Sentences are only shown")
    orca.after("Tab", "Voice combo box", "The system's own")
    orca.after("Tab", "Speed 180 words a minute spin button")
    orca.after("Tab", "Volume 100 % spin button")
    orca.after("Tab", "Try it push button", "Says a sentence with this voice")
    orca.after("Tab", "Short sounds check box not checked")
    for name in ("OK", "Cancel", "Apply"):
        orca.after("Tab", f"{name} push button")
    orca.after("Tab", "Speech page tab")
    for name in ("Camera and screen", "History", "Hotkeys", "Start"):
        orca.after("Right", f"{name} page tab")
    orca.after("Escape", "Seesay frame", "History")


def test_nothing_is_said_that_tells_nothing(desktop: Desktop, orca: Orca) -> None:
    said = orca.said()
    assert [text for text in said if _NOISE.search(text)] == []
    twice = [text for text, following in itertools.pairwise(said) if text == following]
    assert twice == []
    assert "Traceback" not in desktop.log()
