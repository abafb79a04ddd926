"""What is killed: work that goes on until then, and how to find out whether anything was lost."""

import contextlib
import json
import os
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from PIL import Image
from PySide6.QtWidgets import QApplication

import seesay
from desktop.description import Description
from desktop.history import History
from desktop.program import Program
from desktop.settings import Settings, SettingsFile
from desktop.single_instance import SingleInstance
from tests.history_parts import caption_of, is_sound, picture_of, sentences
from tests.torture.killing import Killer

_AFRESH = 20  # kills after which a subject begins anew, so that it stays small


class Subject(Protocol):
    """Something that is killed.

    Attributes:
        longest: seconds after which it is killed at the latest.
    """

    longest: float

    def work(self) -> None:
        """What it does, in a process of its own; goes on with what a killed one left."""

    def check(self, killed: bool) -> None:
        """Look at what is there after a kill, or after it was done before.

        Raises:
            AssertionError: if something was lost or is not whole.
        """

    def finish(self) -> None:
        """Let it come to its end, and look once more."""


class CommandLine:
    """``seesay caption`` of all photos, with a figure of each."""

    def __init__(self, folder: Path, killer: Killer) -> None:
        self._folder, self._killer = folder, killer
        self._photos = sorted((folder.parent / "photos").iterdir())[:8]
        self._before = [photo.read_bytes() for photo in self._photos]
        self.longest = killer.finish(self.work)
        self._expected = self._lines()

    def work(self) -> None:
        """As for every `Subject`."""
        options = ["--json", "--no-text", "--attention", str(self._folder / "why.png")]
        model = ["--model", str(self._folder.parent / "model")]
        assert seesay.main(["caption", *options, *model, *map(str, self._photos)]) == 0

    def check(self, killed: bool) -> None:
        """As for every `Subject`."""
        lines = self._lines()
        assert lines == self._expected[: len(lines)]
        assert killed or len(lines) == len(self._expected)
        for figure in self._folder.glob("why-*.png"):
            with Image.open(figure) as image:
                image.load()
            figure.unlink()
        assert [photo.read_bytes() for photo in self._photos] == self._before

    def finish(self) -> None:
        """As for every `Subject`."""
        self._killer.finish(self.work)
        assert self._lines() == self._expected

    def _lines(self) -> list[dict[str, Any]]:
        *whole, _ = self._killer.said.read_text().split("\n")
        return [{**json.loads(line), "seconds": 0} for line in whole]


class Desktop:
    """The desktop program, which describes one photo after the other and keeps them all."""

    def __init__(self, folder: Path, killer: Killer) -> None:
        self._folder, self._killer = folder, killer
        self._photos = [*map(str, sorted((folder.parent / "photos").iterdir()))]
        config = folder / "config" / "seesay" / "settings.toml"
        config.parent.mkdir(parents=True)
        text = 'welcomed = true\nearcons = false\nspeech = "silent"\nread_text = false\n'
        config.write_text(text)
        self._kills = 0
        self.longest = killer.finish(lambda: self._describe(8))

    def work(self) -> None:
        """As for every `Subject`."""
        self._describe(len(self._photos))

    def check(self, killed: bool) -> None:
        """As for every `Subject`."""
        path = self._folder / "data" / "seesay" / "history.sqlite3"
        if not path.exists():  # killed before it came to that
            return
        with contextlib.closing(History(path)) as history:
            assert history.problem is None
            kept = Counter((entry.name, entry.caption.spoken) for entry in history.walk())
        assert is_sound(path)
        lines = (self._folder / "told").read_text().splitlines()
        assert Counter(tuple(json.loads(line)) for line in lines) <= kept
        self._kills += killed
        if killed and self._kills % _AFRESH == 0:
            shutil.rmtree(self._folder / "data")
            (self._folder / "told").unlink()

    def finish(self) -> None:
        """As for every `Subject`."""
        self._killer.finish(lambda: self._describe(8))
        self.check(False)

    def _describe(self, most: int) -> None:
        for name in ("home", "config", "data", "runtime"):
            (self._folder / name).mkdir(exist_ok=True)
            variable = {"home": "HOME", "runtime": "XDG_RUNTIME_DIR"}.get(name)
            os.environ[variable or f"XDG_{name.upper()}_HOME"] = str(self._folder / name)
        application = QApplication([])
        instance = SingleInstance()
        assert instance.first(), "the one that was killed is in the way"
        told = os.open(self._folder / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        program = Program(self._folder.parent / "model")
        assert program.history.problem is None
        described: list[Description] = []

        def say(one: Description) -> None:
            os.write(told, (json.dumps([one.caption.path, one.caption.spoken]) + "\n").encode())
            described.append(one)
            if len(described) == most:
                application.quit()

        program.flow.described.connect(say)
        program.start(minimised=False)
        program.on_asked_from_outside(self._photos, "")
        application.exec()
        program.close()


class Saving:
    """A history that gets entries, stars, notes and texts, and from which some are deleted."""

    longest = 0.5

    def __init__(self, folder: Path, killer: Killer) -> None:
        self._path, self._log = folder / "history.sqlite3", folder / "told"
        self._picture = picture_of(320, 240)
        self._kills = 0

    def work(self) -> None:
        """As for every `Subject`."""
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        history = History(self._path)
        assert history.problem is None
        while True:
            entry = history.add(caption_of(), "camera", self._picture, keep_picture=True).id
            os.write(log, b"+%d\n" % entry)
            match entry % 8:
                case 1:
                    history.set_star(entry, True)
                case 3:
                    history.set_note(entry, "Seen in the park.")
                case 5:
                    history.complete(entry, caption_of(text=["EXIT"]))
                case 7:
                    os.write(log, b"-%d\n" % entry)
                    history.delete([entry])
                    history.purge()

    def check(self, killed: bool) -> None:
        """As for every `Subject`."""
        if not self._path.exists():
            return
        told = self._log.read_text().split() if self._log.exists() else []
        must = {int(line[1:]) for line in told if line[0] == "+"}
        must -= {int(line[1:]) for line in told if line[0] == "-"}
        with contextlib.closing(History(self._path)) as history:
            assert history.problem is None
            kept = {entry.id: entry for entry in history.walk()}
            assert must <= kept.keys()
            assert all(history.picture(entry) is not None for entry in must)
        assert is_sound(self._path)
        self._kills += killed
        if self._kills % _AFRESH == 0:
            for path in (self._log, *self._path.parent.glob("history.*")):
                path.unlink(missing_ok=True)

    def finish(self) -> None:
        """As for every `Subject`."""
        self.check(True)


class Mending:
    """A damaged history that is mended when it is opened."""

    def __init__(self, folder: Path, killer: Killer) -> None:
        self._folder, self._killer = folder, killer
        self._path = folder / "history.sqlite3"
        with contextlib.closing(History(self._path)) as history:
            for number in range(60):
                history.add(caption_of(f"Line {number}."), "camera", picture_of(320, 240))
        damaged = bytearray(self._path.read_bytes())
        damaged[:4096] = os.urandom(4096)
        damaged[9 * 4096 : 11 * 4096] = os.urandom(2 * 4096)
        self._damaged = bytes(damaged)
        self._damage()
        self.longest = killer.finish(self.work)
        self._expected = self._mended()
        assert len(self._expected) > 40
        self._damage()

    def work(self) -> None:
        """As for every `Subject`."""
        with contextlib.closing(History(self._path)) as history:
            assert history.problem is not None

    def check(self, killed: bool) -> None:
        """As for every `Subject`."""
        assert self._mended() == self._expected
        assert is_sound(self._path)
        aside = [file.read_bytes() for file in self._folder.glob("history.damaged-*.sqlite3")]
        assert self._damaged in aside
        self._damage()

    def finish(self) -> None:
        """As for every `Subject`."""
        self._killer.finish(self.work)
        self.check(False)

    def _mended(self) -> list[str]:
        with contextlib.closing(History(self._path)) as history:
            return sentences(history)

    def _damage(self) -> None:
        for file in self._folder.glob("history.*"):
            file.unlink()
        self._path.write_bytes(self._damaged)


class SettingsSaving:
    """Settings that are saved again and again."""

    longest = 0.2

    def __init__(self, folder: Path, killer: Killer) -> None:
        self._file = SettingsFile(folder / "settings.toml")
        self._file.save(Settings(voice="0"))

    def work(self) -> None:
        """As for every `Subject`."""
        settings, _ = self._file.load()
        while True:
            number = str(int(settings.voice or 0) + 1)
            # Long, so that it takes a while to write; and the same twice, to see that it is whole.
            settings = replace(settings, voice=number, camera=number.rjust(50_000))
            self._file.save(settings)

    def check(self, killed: bool) -> None:
        """As for every `Subject`."""
        settings, problem = self._file.load()
        assert problem is None
        assert settings.voice == settings.camera.strip() or not settings.camera

    def finish(self) -> None:
        """As for every `Subject`."""
        for draft in self._file.path.parent.glob(".*"):
            os.utime(draft, (0, 0))
        self._file.save(Settings(private=True))
        assert self._file.load() == (Settings(private=True), None)
        assert not [*self._file.path.parent.glob(".*")]
