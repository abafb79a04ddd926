"""A library and other processes: whatever is killed goes on, and two do not write at once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.library import open_out
from tests.desktop_parts import wait_for
from tests.library_parts import SAID, library, objects
from tests.picture_kinds import save_snapshot

ROOT = Path(__file__).resolve().parent.parent

# Sends a signal to the process that does a certain thing to a certain file.
SIGNALLED = """
import os, signal, sys

def hook(event, arguments):
    if event == {event!r} and str(arguments[0]).endswith({name!r}):
        os.kill(os.getpid(), signal.{signal})

sys.addaudithook(hook)
"""


def started(folder: Path, *arguments: str | Path) -> subprocess.Popen[bytes]:
    """``seesay library`` in a process of its own, where ``sitecustomize.py`` of a folder is run."""
    return subprocess.Popen(
        [sys.executable, "-m", "seesay", "library", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stderr=subprocess.DEVNULL,
    )


def test_killed_at_any_moment(tmp_path: Path, tiny_model: Path) -> None:
    folder, out = tmp_path / "photos", tmp_path / "said.jsonl"
    for number in range(60):
        save_snapshot(folder / f"{number:03}.png", number)
    command: list[str | Path] = [folder, "--out", out, "--model", tiny_model]
    # It does not come to its end before it is killed.
    hook = SIGNALLED.format(event="open", name="059.png", signal="SIGSTOP")
    (tmp_path / "sitecustomize.py").write_text(hook)
    with started(tmp_path, *command) as run:
        wait_for(lambda: out.exists() and out.stat().st_size, "the first lines", timeout=280)
        run.send_signal(signal.SIGKILL)
    assert out.read_bytes().count(b"\n") < 60
    assert library(*command) == 0
    assert [line["path"] for line in objects(out)] == [f"{number:03}.png" for number in range(60)]


@pytest.mark.parametrize("event", ["open", "os.chmod", "os.rename"])
def test_killed_while_failures_are_taken_off(tmp_path: Path, event: str) -> None:
    photos, out = tmp_path / "photos", tmp_path / "said"
    photos.mkdir()
    with open_out(out, "jsonl") as opened:
        opened.write("good.png", SAID)
        opened.write("torn.png", {"error": "It is torn."})
        opened.write("better.png", SAID)
    before = out.read_bytes()
    hook = SIGNALLED.format(event=event, name=".said.draft", signal="SIGKILL")
    (tmp_path / "sitecustomize.py").write_text(hook)
    with started(tmp_path, photos, "--out", out) as run:
        assert run.wait() == -signal.SIGKILL
    assert out.read_bytes() == before
    with open_out(out, "jsonl") as opened:
        assert opened.done(["good.png", "torn.png", "better.png"]) == {"good.png", "better.png"}
    assert [line["path"] for line in objects(out)] == ["good.png", "better.png"]
    assert not (tmp_path / ".said.draft").exists()


@pytest.mark.parametrize("form", ["jsonl", "xmp"])
def test_two_runs_do_not_write_at_once(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    photos = tmp_path / "photos"
    save_snapshot(photos / "only.png")
    out = photos if form == "xmp" else tmp_path / "said"
    arguments = (photos, "--out", out, "--format", form, "--model", tiny_model)
    hook = SIGNALLED.format(event="open", name="only.png", signal="SIGSTOP")
    (tmp_path / "sitecustomize.py").write_text(hook)
    with started(tmp_path, *arguments) as run:
        os.waitpid(run.pid, os.WUNTRACED)  # until it has stopped
        second = library(*arguments)
        run.kill()
    assert second == 2
    assert capsys.readouterr().err.startswith("seesay: Another run writes to ")
    # Who was killed keeps nobody out.
    assert library(*arguments) == 0
    assert capsys.readouterr().out == "1 captioned.\n"
