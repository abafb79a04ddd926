"""The history at the command line, and the files that it is exported to."""

import base64
import contextlib
import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

import seesay
from desktop.history import History, HistoryError
from desktop.history_export import export_history
from tests.history_parts import caption_of, picture_of

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux is told by a variable where data is"
)


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    """The history that the command finds."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with contextlib.closing(History()) as history:
        assert history.path == tmp_path / "seesay" / "history.sqlite3"
        yield history


@pytest.fixture
def three(history: History) -> History:
    """Three entries; the second has everything that needs care in some format."""
    history.add(caption_of("Two dogs run on grass."), "camera", picture_of())
    odd = history.add(
        caption_of('A "sign" <b>&amp;, \U0001f600 ü.', "=cmd.png", ["=1+1", "</p>\x1b[31m"]),
        "file",
        picture_of(seed=1),
    )
    history.set_note(odd.id, "Line one\nline, two; <script>alert(1)</script>")
    history.set_star(odd.id, True)
    history.add(caption_of(None), "screen")
    return history


def run(*arguments: object) -> int:
    try:
        return seesay.main(["history", *map(str, arguments)])
    except SystemExit as stop:
        return int(stop.code or 0)


def test_list_and_search(three: History, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["3", "2", "1"]
    assert lines[2].startswith("1: Two dogs run on grass. Camera, today ")
    assert ", starred, note: Line one line, two; <script>" in lines[1]
    assert run("list", "--limit", 2) == 0
    assert capsys.readouterr().out.splitlines() == lines[:2]
    assert run("search", "do", "gras") == 0
    assert capsys.readouterr().out.splitlines() == lines[2:]
    assert run("search", "zebra") == 0
    assert capsys.readouterr().out == "Nothing in the history has these words.\n"
    assert run("search", '"', "(") == 0


def test_json(three: History, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--json") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["id"] for entry in found] == [3, 2, 1]
    assert found[0]["caption"] is None
    assert found[1]["text"] == ["=1+1", "</p>\x1b[31m"]
    assert found[1]["starred"] is True
    assert found[2] == three.get(1).to_dict()
    assert found[2]["words"][0].keys() == {"word", "grounded", "where", "box"}
    assert run("search", "--json", "zebra") == 0
    assert capsys.readouterr().out == ""
    assert run("show", "--json", 2) == 0
    assert json.loads(capsys.readouterr().out) == found[1]


def test_show(three: History, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", 2) == 0
    output = capsys.readouterr().out
    assert output.startswith('A "sign"')
    assert "\nsource: file\n" in output
    assert "\nstarred: yes\n" in output
    assert "\x1b" not in output  # what a picture says does not steer the terminal
    assert run("show", 99) == 2
    assert capsys.readouterr().err.startswith("seesay: There is no entry 99")


@pytest.mark.parametrize(
    "arguments",
    [(), ("show",), ("show", "x"), ("show", "0"), ("show", "9" * 30), ("list", "--limit", "-1")],
)
def test_arguments_that_make_no_sense(
    history: History, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("seesay: ")
    assert error.count("\n") == 1


def test_an_empty_history(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert capsys.readouterr().out == "The history is empty.\n"


def test_clear_needs_a_yes(
    three: History, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert run("clear") == 2
    assert "add --yes" in capsys.readouterr().err
    assert three.count() == 3
    assert run("clear", "--yes") == 0
    assert capsys.readouterr().out == "The history is empty now.\n"
    assert three.count() == 0


@pytest.mark.parametrize(("answer", "left"), [("\n", 3), ("no\n", 3), ("yes\n", 0)])
def test_clear_asks_on_a_terminal(three: History, answer: str, left: int) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "seesay", "history", "clear"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.write(ours, answer.encode())
    _, error = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert error.startswith(b"Delete all 3 descriptions")
    assert three.count() == left


def test_what_is_wrong_with_the_file_is_told(
    three: History, capsys: pytest.CaptureFixture[str]
) -> None:
    assert three.path is not None
    three.close()
    three.path.write_bytes(b"broken" * 200)
    assert run("list") == 0
    output, error = capsys.readouterr()
    assert output == "The history is empty.\n"
    assert error.startswith("seesay: The history was damaged")
    assert error.count("\n") == 1


def test_a_reader_that_stops_early(three: History) -> None:
    command = f"{sys.executable} -m seesay history list | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, timeout=60)
    assert done.stdout.startswith(b"3: ")
    assert done.stderr == b""


def test_neither_torch_nor_qt_is_imported(three: History) -> None:
    code = (
        "import sys, seesay; seesay.main(['history', 'list']);"
        "print({'torch', 'PySide6', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_export_csv(three: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "all.CSV"
    assert run("export", file) == 0
    assert capsys.readouterr().out == f"3 descriptions exported to {file}.\n"
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["id"] for row in rows] == ["3", "2", "1"]
    assert rows[1]["sentence"] == 'A "sign" <b>&amp;, \U0001f600 ü.'
    assert rows[1]["note"].startswith("Line one\nline, two;")
    assert rows[1]["starred"] == "yes"
    assert (rows[1]["name"], rows[1]["text"][0]) == ("'=cmd.png", "'")  # no formulas


def test_export_json_lines(three: History, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    assert run("export", file) == 0
    entries = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
    assert entries == [entry.to_dict() for entry in three.walk()]


class Page(HTMLParser):
    """Elements as they open and close, with what is needed to judge them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))


def test_export_page(three: History, tmp_path: Path) -> None:
    file = tmp_path / "all.html"
    assert run("export", file) == 0
    page = Page()
    content = file.read_text(encoding="utf-8")
    page.feed(content)
    assert page.open == []
    tags = [tag for tag, _ in page.found]
    assert tags.count("h1") == tags.count("main") == tags.count("title") == tags.count("h2") == 1
    assert tags.count("article") == tags.count("h3") == tags.count("time") == 3
    assert "script" not in tags
    assert ("html", {"lang": "en"}) in page.found
    images = [attributes for tag, attributes in page.found if tag == "img"]
    assert [image["alt"] for image in images] == [
        'Picture: A "sign" <b>&amp;, \U0001f600 ü.',
        "Picture: Two dogs run on grass.",
    ]
    for image in images:
        start, _, data = str(image["src"]).partition(",")
        assert start == "data:image/jpeg;base64"
        assert max(Image.open(io.BytesIO(base64.b64decode(data))).size) == 160
    headings = [text for tag, text in page.texts if tag == "h3"]
    assert headings[1] == 'Starred: A "sign" <b>&amp;, \U0001f600 ü.'
    assert any(text.startswith("Note: Line one") for _, text in page.texts)
    assert "\x1b" not in content
    assert "http" not in content.replace("http-equiv", "")  # nothing is fetched


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".html"])
def test_an_empty_export(history: History, tmp_path: Path, suffix: str) -> None:
    assert export_history(history, tmp_path / f"all{suffix}") == 0
    assert (tmp_path / f"all{suffix}").exists()


def test_exports_that_cannot_be(three: History, tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"ends in \.csv, \.jsonl or \.html"):
        export_history(three, tmp_path / "all.txt")
    with pytest.raises(HistoryError, match="cannot be written"):
        export_history(three, tmp_path / "missing" / "all.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(HistoryError, match="cannot be written"):
        export_history(three, tmp_path / "folder.csv")
    assert {file.name for file in tmp_path.iterdir()} == {"seesay", "folder.csv"}
