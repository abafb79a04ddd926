"""A folder of pictures: all of them found once, nothing lost or repeated after a kill."""

import csv
import os
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from core.captioner import Captioner
from core.errors import SeesayError
from core.library import LocalEngine, Results, caption_library, open_found, open_out
from core.library_walk import Found, walk
from tests.library_parts import SAID, library, objects
from tests.picture_kinds import save_snapshot


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture at the top, more below, some that cannot be read, and links."""
    folder = tmp_path / "photos"
    save_snapshot(folder / "first.png")
    save_snapshot(folder / "summer" / "beach.jpg", 1)
    save_snapshot(folder / "summer" / "garden.PNG", 2)
    (folder / "summer" / "note.txt").write_text("not a picture")
    (folder / "torn.jpg").write_bytes((folder / "summer" / "beach.jpg").read_bytes()[:300])
    (folder / "gone.png").symlink_to("nowhere")
    (folder / "summer" / "again").symlink_to(folder)
    (folder / "self").symlink_to("self")
    (folder / ".hidden").mkdir()
    save_snapshot(folder / ".hidden" / "thumbnail.png")
    return folder


NAMES = ["first.png", "gone.png", "torn.jpg", "summer/beach.jpg", "summer/garden.PNG"]


def test_all_pictures_are_found_once(folder: Path) -> None:
    assert [found.name for found in walk(folder)] == NAMES


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_folder_is_noted(folder: Path) -> None:
    (folder / "summer").chmod(0)
    *_, closed = walk(folder)
    (folder / "summer").chmod(0o700)
    assert closed.name == "summer"
    assert closed.error is not None


def test_a_line_for_each(
    folder: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "said.jsonl"
    assert library(folder, "--out", out, "--model", tiny_model) == 2
    lines = objects(out)
    assert [line["path"] for line in lines] == NAMES
    whole = Captioner.load(tiny_model, "cpu")
    for line in lines:
        if line["path"] in ("gone.png", "torn.jpg"):
            assert set(line) == {"path", "error"}
        else:
            assert line["spoken"] == whole.caption(folder / line["path"]).spoken
    assert "3 captioned, 2 failed (the output tells why)." in capsys.readouterr().out

    # What failed is tried again, as long as it fails.
    assert library(folder, "--out", out, "--model", tiny_model) == 2
    assert sorted(objects(out), key=str) == sorted(lines, key=str)
    told = "0 captioned, 2 failed (the output tells why), 3 were done before."
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_failed_and_is_mended_is_captioned(
    folder: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    out = tmp_path / "said"
    arguments = (folder, "--out", out, "--format", form, "--model", tiny_model)
    with open_out(out, form) as opened:
        for name in NAMES:
            opened.write(name, {"error": "It is gone."} if name in NAMES[1:3] else SAID)
    for name in NAMES[1:3]:
        (folder / name).unlink()
        save_snapshot(folder / name)
    assert library(*arguments) == 0
    assert capsys.readouterr().out == "2 captioned, 3 were done before.\n"
    assert b"It is gone." not in out.read_bytes()
    with open_out(out, form) as opened:
        assert opened.done(NAMES) == set(NAMES)


@pytest.mark.parametrize("in_its_place", [None, "/proc"])
def test_a_drive_that_is_unplugged_ends_the_run(
    folder: Path, tmp_path: Path, in_its_place: str | None
) -> None:
    if in_its_place is not None and not os.path.exists(in_its_place):
        pytest.skip("this system has no such other drive")
    out, drive, pictures = tmp_path / "said", tmp_path / "drive", list(walk(folder))

    def unplug(folder: Path, to_do: Sequence[Found]) -> Generator[Results]:
        yield [(to_do[0], SAID)]
        folder.rename(drive)
        if in_its_place is not None:
            folder.symlink_to(in_its_place)
        yield [(found, {"error": str(open_found(folder, found))}) for found in to_do[1:]]

    with open_out(out, "jsonl") as opened, pytest.raises(SeesayError, match="no longer there"):
        caption_library(unplug, folder, pictures, opened)
    assert [line["path"] for line in objects(out)] == NAMES[:1]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("left", [0.0, 0.1, 0.5, 0.99])
def test_a_line_that_was_cut_short_comes_again(
    folder: Path, tmp_path: Path, tiny_model: Path, form: str, left: float
) -> None:
    out = tmp_path / "said"
    engine = LocalEngine(Captioner.load(tiny_model, "cpu"), 1)

    def run() -> list[bytes]:
        with open_out(out, form) as opened:
            caption_library(engine, folder, list(walk(folder)), opened)
        rows = out.read_bytes().splitlines(keepends=True)
        return sorted(row.split(b'"seconds"')[0] for row in rows)

    whole = run()
    out.write_bytes(out.read_bytes()[: int(out.stat().st_size * left)])
    assert run() == whole


def test_the_table_is_read_by_others(folder: Path, tmp_path: Path, tiny_model: Path) -> None:
    save_snapshot(folder / 'a "quoted", name.png')
    out = tmp_path / "said.csv"
    library(folder, "--out", out, "--format", "csv", "--model", tiny_model)
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == ['a "quoted", name.png', *NAMES]
    assert rows[0]["spoken"]
    assert rows[2]["error"].endswith("check the path.")


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_every_name_is_known_again(tmp_path: Path, form: str) -> None:
    names = ["two\nlines.png", "re\rturn.png", r"back\nslash.png", "\\\n.png", "byte \udcff.png"]
    out = tmp_path / "said"
    with open_out(out, form) as opened:
        for name in names:
            opened.write(name, SAID)
    with open_out(out, form) as opened:
        assert opened.done(names) == set(names)
    assert out.read_bytes().count(b"\n") == len(names) + (form == "csv")


def test_a_damaged_table_is_left_alone(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "said.csv"
    with open_out(out, "csv") as opened:
        opened.write("first.png", SAID)
    damaged = out.read_bytes().replace(b"A dog", b'"A dog')
    out.write_bytes(damaged)
    assert library(folder, "--out", out, "--format", "csv") == 2
    assert "is not what Seesay wrote" in capsys.readouterr().err
    assert out.read_bytes() == damaged


@pytest.mark.parametrize("content", [b"Dear diary", b"Dear diary,\nit rains.\n", b"[1, 2]\n"])
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_file_of_something_else_is_left_alone(
    folder: Path,
    tmp_path: Path,
    tiny_model: Path,
    capsys: pytest.CaptureFixture[str],
    form: str,
    content: bytes,
) -> None:
    out = tmp_path / "diary"
    out.write_bytes(content)
    assert library(folder, "--out", out, "--format", form, "--model", tiny_model) == 2
    assert "is not what Seesay wrote" in capsys.readouterr().err
    assert out.read_bytes() == content


@pytest.mark.parametrize("form", ["jsonl", "xmp"])
def test_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    folder = tmp_path / "nowhere"
    out = folder if form == "xmp" else tmp_path / "said.jsonl"
    assert library(folder, "--out", out, "--format", form) == 2
    assert capsys.readouterr().err.count("cannot be read") == 1
    assert not out.exists()
