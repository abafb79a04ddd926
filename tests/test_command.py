"""The command line: what it prints, in which order, and the exit status."""

import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import torch
from PIL import Image

import seesay
from core import captioner
from core.grounding import Grounding, ground
from core.network import Network, Sight
from tests.picture_kinds import save_snapshot, snapshot
from tests.tiny_sets import entry, karpathy

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "seesay")
FIELDS = {
    *("path", "caption", "confidence", "level", "spoken"),
    *("words", "text", "notes", "things", "seconds", "model"),
}


def run(
    *arguments: str | Path, stdin: bytes = b"", start: tuple[str, ...] = COMMAND
) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a process of its own."""
    return subprocess.run(
        [*start, *arguments], cwd=ROOT, input=stdin, capture_output=True, timeout=200
    )


def status_of(*arguments: str | Path) -> int:
    """Run the command within this process, which spares the start of torch."""
    try:
        return seesay.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    save_snapshot(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def png_bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(bytes(4_000_000))) + chunk(b"IEND", b"")


def mixed_pictures(folder: Path) -> dict[str, str]:
    """Good and bad files -> what becomes of each: ``sentence``, ``nothing`` or ``error``."""
    save_snapshot(folder / "good.png", 1)
    save_snapshot(folder / "also good.png", 2)
    save_snapshot(folder / "last.png", 3)
    Image.open(folder / "good.png").resize((400, 300)).save(folder / "whole.jpg")
    whole = (folder / "whole.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.jpg").write_text("This is no picture.")
    (folder / "empty.png").touch()
    (folder / "folder").mkdir()
    (folder / "bomb.png").write_bytes(png_bomb(50_000, 50_000))
    Image.new("RGB", (1, 1), (90, 120, 30)).save(folder / "pixel.png")
    Image.new("RGB", (40, 30)).save(folder / "black.png")
    Image.fromarray(snapshot(1, 640, 32)).save(folder / "panorama.png")
    expected = {
        "missing.jpg": "error",
        "good.png": "sentence",
        "folder": "error",
        "empty.png": "error",
        "truncated.jpg": "error",
        "also good.png": "sentence",
        "text.jpg": "error",
        "bomb.png": "error",
        "pixel.png": "nothing",
        "panorama.png": "sentence",
        "black.png": "nothing",
    }
    shutil.copy(folder / "good.png", folder / "locked.png")
    (folder / "locked.png").chmod(0)
    if not os.access(folder / "locked.png", os.R_OK):  # root may read everything
        expected["locked.png"] = "error"
    odd = os.fsdecode(b"caf\xe9.png")  # Latin-1, as old archives have it
    if sys.platform == "linux":
        shutil.copy(folder / "good.png", folder / odd)
        expected[odd] = "sentence"
    return {**expected, "last.png": "sentence"}


def test_bad_pictures_get_an_error_and_the_others_their_caption(
    tmp_path: Path, tiny_model: Path
) -> None:
    expected = mixed_pictures(tmp_path)
    # More than a batch, so that the order must hold across batches, too.
    paths = [str(tmp_path / name) for name in [*expected, *expected]]
    outcomes = [*expected.values(), *expected.values()]
    done = run("caption", "--json", "--model", tiny_model, *paths)
    assert done.stderr == b""
    assert done.returncode == 2
    lines = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert [line["path"] for line in lines] == paths
    for line, outcome in zip(lines, outcomes, strict=True):
        if outcome == "error":
            assert set(line) == {"path", "error"}
            assert line["error"].endswith(".")
            assert "\n" not in line["error"]
            continue
        assert set(line) == FIELDS
        assert line["spoken"]
        assert line["seconds"] > 0
        if outcome == "nothing":
            assert line["caption"] is None
            assert line["level"] == "none"
            assert line["notes"]
            continue
        assert line["caption"].endswith(".")
        assert line["level"] in ("sure", "unsure")
        assert 0 < line["confidence"] < 1
        words = [word["word"] for word in line["words"]]
        assert " ".join(words).capitalize() + "." == line["caption"]
        for word in line["words"]:
            assert 0 <= word["grounded"] <= 1
            assert (word["where"] is None) == (word["box"] is None)
            if word["box"] is not None:
                left, top, right, bottom = word["box"]
                assert 0 <= left < right <= 1
                assert 0 <= top < bottom <= 1


def test_text_names_the_pictures_only_where_there_are_several(
    photo: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of("caption", "--model", tiny_model, "--device", "cpu", photo) == 0
    one, no_error = capsys.readouterr()
    assert no_error == ""
    assert one.count("\n") == 1
    assert one.endswith("%)\n")
    black = photo.with_name("black.png")
    Image.new("RGB", (40, 30)).save(black)
    missing = photo.with_name("missing.png")
    assert status_of("caption", "--model", tiny_model, photo, missing, black) == 2
    output, error = capsys.readouterr()
    first, second = output.splitlines()
    assert first == f"{photo}: {one.strip()}"
    assert second.startswith(f"{black}: The picture is almost black.")
    assert "confidence" not in second  # there is none in saying nothing
    assert error == f"seesay: {missing} does not exist: check the path.\n"


def test_a_picture_from_standard_input(photo: Path, tiny_model: Path) -> None:
    done = run("caption", "--json", "--model", tiny_model, "-", photo, stdin=photo.read_bytes())
    assert done.returncode == 0, done.stderr
    piped, named = (json.loads(line) for line in done.stdout.splitlines())
    assert piped["path"] == "-"
    assert named["path"] == str(photo)
    assert piped["caption"] == named["caption"]


def test_beam_changes_the_search_and_not_the_form(
    photo: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for beam in ("1", "50"):
        arguments = ("caption", "--json", "--model", tiny_model, "--beam", beam, photo)
        assert status_of(*arguments) == 0
        assert set(json.loads(capsys.readouterr().out)) == FIELDS


@pytest.mark.parametrize(
    "arguments",
    [
        ("--beam", "0"),
        ("--beam", "-1"),
        ("--beam", "three"),
        ("--beam", "51"),
        ("--device", "abacus"),
        ("--no-such-option",),
        ("--model", "no such folder"),
        ("--attention", "no such folder/why.png"),
        ("--attention", "why.jpg"),
        ("--save-speech", "no such folder/speech.wav"),
        ("--save-speech", "speech.mp3"),
    ],
    ids=" ".join,
)
def test_options_that_cannot_be_get_one_sentence(
    arguments: tuple[str, ...],
    photo: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status_of("caption", "--json", *arguments, photo) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith("seesay: ")
    assert error.endswith(".\n")
    assert error.count("\n") == 1


def test_a_device_that_is_not_there(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    assert status_of("caption", "--device", "cuda", photo) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error == "seesay: This machine has no usable cuda device; use --device cpu or auto.\n"


def test_a_damaged_model(
    photo: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = shutil.copytree(tiny_model, tmp_path / "model")
    weights = bytearray((damaged / "model.safetensors").read_bytes())
    weights[-1000] ^= 1
    (damaged / "model.safetensors").write_bytes(weights)
    assert status_of("caption", "--json", "--model", damaged, photo) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert str(damaged) in error
    assert error.count("\n") == 1


def test_attention_figures_are_numbered_as_the_pictures_are(
    photo: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    why = tmp_path / "why.png"
    assert status_of("caption", "--model", tiny_model, "--attention", why, photo) == 0
    with Image.open(why) as figure:
        alone = figure.convert("RGB")
    why.unlink()
    arguments = ("caption", "--model", tiny_model, "--attention", why)
    assert status_of(*arguments, tmp_path / "missing.png", photo) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"photo.png", "why-2.png"}
    with Image.open(tmp_path / "why-2.png") as figure:
        assert figure.convert("RGB") == alone
    capsys.readouterr()

    # The pictures themselves are never written over, by no detour.
    before = photo.read_bytes()
    detour = tmp_path / "sub" / ".." / "photo.png"
    (tmp_path / "sub").mkdir()
    assert status_of("caption", "--model", tiny_model, "--attention", detour, photo) == 2
    assert "write over" in capsys.readouterr().err
    assert photo.read_bytes() == before


@pytest.mark.parametrize("options", [(), ("--where",), ("--json",), ("--attention", "why.png")])
def test_places_are_found_where_they_are_asked_for(
    options: tuple[str, ...],
    photo: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grounded: list[int] = []

    def watched(network: Network, sight: Sight, picture: int, words: tuple[int, ...]) -> Grounding:
        grounded.append(picture)
        return ground(network, sight, picture, words)

    monkeypatch.setattr(captioner, "ground", watched)
    monkeypatch.chdir(tmp_path)
    assert status_of("caption", "--model", tiny_model, *options, photo, photo) == 0
    assert grounded == ([0, 1] if options else [])


def test_a_closed_pipe_is_no_error(photo: Path, tiny_model: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command: list[str | Path] = [*COMMAND, "caption", "--model", tiny_model, photo, photo]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, timeout=200)
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 128 + 13


def test_a_full_disk_gets_one_sentence(photo: Path, tiny_model: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here to write to")
    command: list[str | Path] = [*COMMAND, "caption", "--model", tiny_model, photo]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=200)
    assert done.returncode == 2
    assert done.stderr.startswith(b"seesay: Standard output cannot be written")
    assert done.stderr.count(b"\n") == 1


def test_help_names_the_commands_and_loads_nothing_heavy() -> None:
    heavy = "('torch', 'numpy', 'PIL', 'pyttsx3', 'PySide6')"
    script = f"""
import sys, seesay
try:
    seesay.main(["--help"])
except SystemExit as stop:
    assert stop.code == 0
assert not [name for name in {heavy} if name in sys.modules]
"""
    done = run(start=(sys.executable, "-c", script))
    assert done.returncode == 0, done.stderr
    for command in (b"app", b"history", b"caption", b"train", b"evaluate"):
        assert command in done.stdout


def test_evaluate_prints_figures(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pycocoevalcap", reason="the extra `train` is not installed")
    data = karpathy(
        tmp_path / "squares", [entry("test", f"{n}.png", ["A square."]) for n in range(3)]
    )
    arguments = ("evaluate", "--data", data, "--split", "test", "--model", tiny_model)
    assert status_of(*arguments, "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert {"bleu1", "bleu4", "meteor", "rouge_l", "cider", "seconds"} <= set(figures)
    assert figures["images"] == 3
    assert figures["beam"] == 3
    assert status_of("evaluate", "--data", tmp_path / "missing", "--model", tiny_model) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith("seesay: ")


def test_training_commands_say_what_to_install(tmp_path: Path) -> None:
    script = """
import sys, seesay
sys.modules["pycocoevalcap"] = None
sys.exit(seesay.main(sys.argv[1:]))
"""
    done = run("evaluate", "--data", tmp_path, start=(sys.executable, "-c", script))
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"pip install 'seesay[train]'" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_train_without_its_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert status_of("train", tmp_path / "run.toml") == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith(f"seesay: There is no file {tmp_path / 'run.toml'}")
