"""Long runs that are killed and go on: ``seesay library`` and ``seesay train``."""

import csv
import importlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from lxml import etree
from safetensors.torch import load_file

import seesay
from core.errors import ModelError
from core.model_folder import read_model_folder
from tests.tiny_runs import rows, write_config, write_weights
from tests.tiny_sets import shapes
from tests.torture.killing import Killer


class Library:
    """``seesay library``, which goes on where it was."""

    def __init__(self, folder: Path, killer: Killer, form: str) -> None:
        self._folder, self._killer, self._form = folder, killer, form
        shutil.copytree(folder.parent / "photos", folder / "photos")
        self._out = folder / ("photos" if form == "xmp" else "said")
        self._kills = 0
        self.longest = killer.finish(self.work)
        self._expected = self._read()
        self._names = sorted(path.name for path in (folder / "photos").iterdir())
        assert self._expected
        self._begin()

    def work(self) -> None:
        """As for every `Subject`."""
        where = [str(self._folder / "photos"), "--out", str(self._out), "--format", self._form]
        model = ["--model", str(self._folder.parent / "model")]
        assert seesay.main(["library", *where, *model]) == 0

    def check(self, killed: bool) -> None:
        """As for every `Subject`."""
        found = self._read()
        assert found == {name: self._expected[name] for name in found}
        self._kills += killed
        if not killed or self._kills % 6 == 0:
            self.finish()
            self._begin()

    def finish(self) -> None:
        """As for every `Subject`."""
        for draft in self._folder.glob("photos/.*"):
            os.utime(draft, (0, 0))  # so old that nobody is at work on it any more
        self._killer.finish(self.work)
        assert self._read() == self._expected
        assert sorted(path.name for path in (self._folder / "photos").iterdir()) == self._names

    def _begin(self) -> None:
        for file in [*self._folder.glob("said"), *self._folder.glob("photos/*.xmp")]:
            file.unlink()

    def _read(self) -> dict[str, Any]:
        """What is said of each picture, in whole lines or files."""
        if self._form == "xmp":
            return {
                path.stem: etree.parse(path).xpath("string(//*[@xml:lang='x-default'])")
                for path in sorted(self._out.glob("*.xmp"))
            }
        text = self._out.read_text() if self._out.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if self._form == "csv":
            return {row["path"]: row for row in csv.DictReader(io.StringIO(whole))}
        lines = [json.loads(line) for line in whole.splitlines()]
        return {line["path"]: {**line, "seconds": 0} for line in lines}


class Training:
    """``seesay train``, which goes on from its last checkpoint."""

    def __init__(self, folder: Path, killer: Killer) -> None:
        self._killer = killer
        for module in ("torch.utils.tensorboard", "matplotlib.figure", "training.train"):
            importlib.import_module(module)  # what would take each run some seconds
        weights = write_weights(folder)
        data = shapes(folder / "shapes", 12)
        epochs = (2, 2)
        self._config = write_config(folder / "whole", weights, data, epochs=epochs)
        self.longest = killer.finish(self.work)
        self._expected = self._left()
        self._config = write_config(folder / "killed", weights, data, epochs=epochs)

    def work(self) -> None:
        """As for every `Subject`."""
        resume = ["--resume"] if (self._run / "last.safetensors").exists() else []
        assert seesay.main(["train", str(self._config), *resume]) == 0

    def check(self, killed: bool) -> None:
        """As for every `Subject`."""
        checkpoint, best = self._run / "last.safetensors", self._run / "best"
        if checkpoint.exists():
            load_file(checkpoint)
        if (best / "config.json").exists():
            try:
                read_model_folder(best)
            except ModelError as error:  # between its two files: noticed, and mended on going on
                assert "belong to another config.json" in str(error)  # noqa: PT017
        if not killed:
            self._check_end()
            shutil.rmtree(self._run)

    def finish(self) -> None:
        """As for every `Subject`."""
        self._killer.finish(self.work)
        self._check_end()

    @property
    def _run(self) -> Path:
        return self._config.parent / "run"

    def _left(self) -> tuple[list[dict[str, str]], list[dict[str, torch.Tensor]]]:
        figures = [{**row, "seconds": ""} for row in rows(self._run)]
        files = ("last.safetensors", "best/model.safetensors")
        return figures, [load_file(self._run / file) for file in files]

    def _check_end(self) -> None:
        """It ends with the very numbers of a run that was never killed."""
        (figures, files), (expected_figures, expected_files) = self._left(), self._expected
        assert figures == expected_figures
        for found, expected in zip(files, expected_files, strict=True):
            assert found.keys() == expected.keys()
            assert all(torch.equal(found[name], expected[name]) for name in found)
