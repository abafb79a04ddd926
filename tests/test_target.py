"""Folders that commands of training cannot write: told at once where the work is long."""

import errno
import os
import shutil
import tempfile
from pathlib import Path
from types import ModuleType

import pytest

import training.average
import training.expect
import training.export
import training.transplant
from core.confidence import Confidence
from core.errors import SeesayError
from tests.tiny_runs import write_weights
from tests.tiny_sets import shapes
from tests.tool_parts import status_of
from training.calibrate import write_confidence


def refuse(*_: object, **__: object) -> None:
    """As a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("tool", [training.average, training.expect, training.transplant])
def test_a_target_that_cannot_be_made_is_told_before_the_work(
    tool: ModuleType,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    arguments = [tiny_model, "--to", tmp_path / "file" / "new"]
    if tool is not training.average:
        arguments += ["--data", shapes(tmp_path / "shapes", 3)]
    if tool is training.transplant:
        encoder = "mobilenet_v3_small"
        arguments += ["--encoder", encoder, "--weights", write_weights(tmp_path, encoder)]
    assert status_of(tool, *arguments, monkeypatch=monkeypatch) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1  # no progress of any work
    assert told.startswith(f"{tmp_path / 'file' / 'new'} cannot be written")


def test_graphs_for_which_there_is_no_room_are_not_made(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert status_of(training.export, tiny_model, monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err.startswith(f"{tiny_model} cannot be written")


def test_a_full_disk_is_told_in_a_sentence(
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "fsync", refuse)
    arguments = (tiny_model, "--to", tmp_path / "new")
    assert status_of(training.average, *arguments, monkeypatch=monkeypatch) == 2
    assert "(No space left on device): mend that or make room" in capsys.readouterr().err


def test_a_calibration_for_which_there_is_no_room(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    before = (model / "config.json").read_bytes()
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(SeesayError, match="make room"):
        write_confidence(model, Confidence({}, 0.0, (), {}, 0.8, 0.2))
    assert (model / "config.json").read_bytes() == before
