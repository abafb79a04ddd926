"""Orca, a real screen reader, on a test's desktop: what it says of the program, line by line."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.desktop_parts import Desktop, wait_for

# A voice that says nothing, at once: what Orca hands to it is in Orca's log.
_SERVER = """
DefaultModule "quiet"
AddModule "quiet" "sd_generic" "quiet.conf"
AudioOutputMethod "alsa"
AudioALSADevice "null"
"""
_VOICE = """
GenericExecuteSynth "true"
GenericLanguage "en" "en" "utf-8"
AddVoice "en" "MALE1" "quiet"
"""
# By itself, Orca writes its log in blocks, and the last words of a block come with the next.
_CUSTOMIZATIONS = """
from orca import debug
debug.debugFile.reconfigure(line_buffering=True)
"""
_UTTERANCE = re.compile(r"^[\d:.]+ - SPEECH OUTPUT: '(.*)' ?(?:\[?\{.*)?$", re.MULTILINE)


class Orca:
    """Reads the program on a desktop aloud, into a log.

    Args:
        desktop: where it runs, until the desktop ends.
    """

    def __init__(self, desktop: Desktop) -> None:
        for needed in ("orca", "speech-dispatcher"):
            if shutil.which(needed) is None:
                pytest.skip(f"{needed} is not installed")
        self._desktop = desktop
        self._log = desktop.home / "orca.log"
        data = desktop.home / ".local" / "share" / "orca"
        _write(data / "orca-customizations.py", _CUSTOMIZATIONS)
        config = desktop.home / ".config" / "speech-dispatcher"
        _write(config / "speechd.conf", _SERVER)
        _write(config / "modules" / "quiet.conf", _VOICE)
        desktop.start(["speech-dispatcher", "--run-single", "--timeout", "0"])
        desktop.start(["orca", "--replace", "--debug", "--debug-file", str(self._log)])
        wait_for(lambda: "Screen reader on." in self.said(), "Orca")

    def said(self) -> list[str]:
        """All that it said, without surrounding blanks."""
        if not self._log.exists():
            return []
        return [text.strip() for text in _UTTERANCE.findall(self._log.read_text(errors="replace"))]

    def after(self, act: Callable[[], object] | str, *wanted: str) -> list[str]:
        """What it says after something is done, until all that is wanted was among it.

        Args:
            act: what is done; or keys to press, such as ``ctrl+comma``.
            wanted: regular expressions, each for the beginning of an utterance.
        """
        before = len(self.said())
        if isinstance(act, str):
            self._desktop.press(act)
        else:
            act()

        def missing() -> list[str]:
            heard = self.said()[before:]
            return [one for one in wanted if not any(re.match(one, text) for text in heard)]

        try:
            wait_for(lambda: not missing(), "Orca")
        except AssertionError:
            raise AssertionError(f"{missing()} not said, but {self.said()[before:]}") from None
        return self.said()[before:]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
