"""Alternative texts beside the pictures: where they belong, and nobody's work undone."""

import os
import sys
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from core.captioner import Captioner
from core.errors import SeesayError
from core.library import open_out
from tests.library_parts import SAID, library
from tests.picture_kinds import save_snapshot

# What a photo program has written.
RATED = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><!-- of the shop -->'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A library of two pictures, one of them in a folder."""
    photos = tmp_path / "photos"
    save_snapshot(photos / "first.png")
    save_snapshot(photos / "summer" / "beach.jpg", 1)
    return photos


def write_beside(photos: Path, model: Path) -> int:
    return library(photos, "--out", photos, "--format", "xmp", "--model", model)


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_a_name_that_is_not_utf_8_gets_its_text_once(photos: Path, tiny_model: Path) -> None:
    os.rename(photos / "first.png", os.fsencode(photos) + b"/caf\xe9.png")
    for _ in range(2):
        assert write_beside(photos, tiny_model) == 0
        (beside,) = photos.glob("*.xmp")
        assert beside.read_text().count("AltTextAccessibility>") == 2  # begins and ends


def alternative_text(path: Path) -> str | None:
    spaces = {
        "c": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
        "r": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    }
    return etree.parse(path).findtext(".//c:AltTextAccessibility/r:Alt/r:li", None, spaces)


def test_alternative_texts_beside_the_pictures(photos: Path, tiny_model: Path) -> None:
    theirs = photos / "summer" / "beach.jpg.xmp"
    theirs.write_text(RATED)
    assert write_beside(photos, tiny_model) == 0
    captioner = Captioner.load(tiny_model, "cpu")
    for name in ("first.png", "summer/beach.jpg"):
        spoken = captioner.caption(photos / name).spoken
        assert alternative_text(photos / f"{name}.xmp") == spoken
    for kept in ("<?xpacket begin=", "<!-- of the shop -->", 'xmp:Rating="5"', "<?xpacket end="):
        assert kept in theirs.read_text()

    # What somebody wrote in the meantime is not replaced.
    first = photos / "first.png.xmp"
    first.write_text(first.read_text().replace(">Perhaps: ", ">Grandmother's chair, "))
    before = first.read_bytes()
    assert write_beside(photos, tiny_model) == 0
    assert first.read_bytes() == before


def test_pictures_in_a_linked_folder_are_done_once(
    photos: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_snapshot(tmp_path / "elsewhere" / "lake.png", 2)
    (photos / "linked").symlink_to(tmp_path / "elsewhere")
    assert write_beside(photos, tiny_model) == 0
    lake = tmp_path / "elsewhere" / "lake.png.xmp"
    before = lake.read_bytes()
    assert write_beside(photos, tiny_model) == 0
    assert "0 captioned, 3 were done before" in capsys.readouterr().out
    assert lake.read_bytes() == before


def test_what_somebody_writes_during_a_run_is_left_alone(photos: Path) -> None:
    with open_out(photos, "xmp") as out:
        out.write("first.png", SAID)
        theirs = (photos / "first.png.xmp").read_bytes()
        out.write("first.png", {**SAID, "spoken": "A cat sits."})
    assert (photos / "first.png.xmp").read_bytes() == theirs


@pytest.mark.parametrize("content", ["", "Dear diary", "<html/>"])
def test_a_file_that_is_no_xmp_costs_its_picture_only(
    photos: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    theirs = photos / "first.png.xmp"
    theirs.write_text(content)
    assert write_beside(photos, tiny_model) == 2
    assert theirs.read_text() == content
    assert alternative_text(photos / "summer" / "beach.jpg.xmp")
    said = capsys.readouterr()
    assert f"seesay: {theirs} is there and is no XMP: put it elsewhere.\n" in said.err
    assert said.out.startswith("1 captioned, 1 ")


def test_a_folder_that_cannot_be_written_costs_its_pictures_only(
    photos: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_snapshot(photos / "winter" / "tree.png", 2)
    out = tmp_path / "texts"
    out.mkdir()
    (out / "summer").write_text("a file where a folder belongs")
    arguments = (photos, "--out", out, "--format", "xmp", "--model", tiny_model)
    assert library(*arguments) == 2
    assert alternative_text(out / "first.png.xmp")
    assert alternative_text(out / "winter" / "tree.png.xmp")
    assert "beach.jpg.xmp cannot be read or made" in capsys.readouterr().err


def test_pictures_that_cannot_be_read_are_told_as_messages(
    photos: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "torn.jpg").write_bytes((photos / "summer" / "beach.jpg").read_bytes()[:300])
    for captioned in ("2 captioned", "0 captioned"):
        assert write_beside(photos, tiny_model) == 2
        said = capsys.readouterr()
        assert said.err.count(f"seesay: {photos / 'torn.jpg'} is damaged or cut short: ") == 1
        assert said.out.startswith(f"{captioned}, 1 failed (the messages tell why)")


def test_pictures_of_which_nothing_can_be_said_are_tried_once(
    photos: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (160, 120)).save(photos / "night.png")
    assert write_beside(photos, tiny_model) == 0
    assert capsys.readouterr().out == "2 captioned, 1 without a sentence.\n"
    assert not (photos / "night.png.xmp").exists()
    assert write_beside(photos, tiny_model) == 0
    assert capsys.readouterr().out == "0 captioned, 3 were done before.\n"


def test_places_of_things_are_refused(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert library(photos, "--out", photos, "--format", "xmp", "--where") == 2
    assert capsys.readouterr().err.startswith("seesay: XMP files have no place")
    assert not list(photos.glob("*.xmp"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full disk to try")
def test_a_full_disk_ends_the_run(photos: Path) -> None:
    with open_out(photos, "xmp") as out:
        (photos / f".first.png.xmp.{os.getpid()}.draft").symlink_to("/dev/full")
        with pytest.raises(SeesayError, match="make room"):
            out.write("first.png", SAID)


def test_a_folder_that_is_unplugged_is_not_made_anew(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    with open_out(texts, "xmp") as out:
        texts.rename(tmp_path / "drive")
        with pytest.raises(SeesayError, match="no longer there"):
            out.write("first.png", SAID)
    assert not texts.exists()


def test_drafts_of_killed_runs_are_removed(photos: Path, tiny_model: Path) -> None:
    old = photos / "summer" / ".beach.jpg.xmp.123.draft"
    new, theirs = photos / ".first.png.xmp.456.draft", photos / ".letter.draft"
    for draft in (old, new, theirs):
        draft.write_text("")
    for draft in (old, theirs):
        os.utime(draft, (0, 0))
    assert write_beside(photos, tiny_model) == 0
    assert [draft.exists() for draft in (old, new, theirs)] == [False, True, True]
