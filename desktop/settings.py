"""What the user has set, and the file that keeps it."""

import contextlib
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from platformdirs import user_config_path

from core.drafts import remove_drafts
from core.errors import SeesayError
from desktop.actions import ACTIONS, HOTKEYS
from desktop.keys import read_hotkey

SpeechMode = Literal["own", "screen_reader", "both", "silent"]

RATES = range(80, 451)  # words a minute
VOLUMES = range(101)  # per cent
DAYS = range(36501)
_MONITOR = re.compile("[1-9][0-9]{0,3}")


class SettingsError(SeesayError):
    """The settings cannot be saved."""


@dataclass(frozen=True)
class Settings:
    """What the user has set.

    Attributes:
        speech: who speaks: Seesay's own voice, the screen reader, both or nobody.
        voice: the speech engine's id of the voice; "" for the system's own.
        rate: words a minute, 80 to 450.
        volume: per cent.
        earcons: whether short sounds tell what is going on.
        camera: index ("0"), device path or stream URL; "" for the first.
        screen: "all", or a monitor's number from "1".
        read_text: whether text in pictures is read.
        keep_days: how long the history keeps a description, in days; 0 for ever.
        keep_pictures: whether it keeps full pictures beside their thumbnails.
        private: whether nothing is kept at all.
        start_minimised: whether the window stays in the tray at the start.
        start_at_login: whether the system starts Seesay when the user logs in.
        welcomed: whether the first-run page was seen.
        hotkeys: action's name -> keys anywhere in the system, "" or missing for none.
    """

    speech: SpeechMode = "own"
    voice: str = ""
    rate: int = 180
    volume: int = 100
    earcons: bool = True
    camera: str = ""
    screen: str = "all"
    read_text: bool = True
    keep_days: int = 0
    keep_pictures: bool = False
    private: bool = False
    start_minimised: bool = False
    start_at_login: bool = False
    welcomed: bool = False
    hotkeys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(HOTKEYS))


class SettingsFile:
    """The settings as a TOML file, which may be edited by hand.

    Args:
        path: the file; by default, the one of this user.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_config_path("seesay", appauthor=False) / "settings.toml"
        self._unread = False  # what is in the file is not known, and must not be lost

    def load(self) -> tuple[Settings, str | None]:
        """The settings, and one sentence for the user where not all of the file was usable.

        A wrong value falls back to its default. A file that is no TOML is set aside under another
        name, and everything falls back; so it does where the file cannot be opened, which is set
        aside only when others are saved. Private mode is on then, for it may have been.
        Never raises for what is in the file or around it.
        """
        self._unread = False
        try:
            entries = tomllib.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return Settings(), None
        except OSError as error:
            self._unread = True
            return Settings(private=True, welcomed=True), (
                f"The settings in {self.path} cannot be opened ({error.strerror}), so that the "
                "defaults are used, in private mode: nothing is kept in the history until you "
                "turn that off. Check the permissions of the file, and start Seesay again."
            )
        except (ValueError, RecursionError):  # no TOML, no UTF-8
            return Settings(), self._set_aside()
        return _checked(entries)

    def save(self, settings: Settings) -> None:
        """Write the settings so that after a crash there are the old ones or the new, whole.

        Raises:
            SettingsError: if they cannot be written.
        """
        try:
            path = self.path.resolve()  # a link stays a link
            _write(path, _toml(settings), _aside(path) if self._unread else None)
            self._unread = False
            remove_drafts(path.parent.glob(f".{path.name}.*.draft"))
        except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself
            reason = getattr(error, "strerror", None) or str(error)
            raise SettingsError(
                f"The settings cannot be saved to {self.path} ({reason}): check that the folder "
                "can be written and that the disk is not full."
            ) from error

    def _set_aside(self) -> str:
        broken = _aside(self.path)
        try:
            os.replace(self.path, broken)
        except OSError:
            return (
                f"The settings in {self.path} are damaged and the defaults are used: "
                "delete the file."
            )
        return (
            f"The settings were damaged, so that the defaults are used: set them again, "
            f"or mend {broken}."
        )


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_screen(value: Any) -> bool:
    return _is_text(value) and (value == "all" or _MONITOR.fullmatch(value) is not None)


def _is_in(numbers: range) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not _is_flag(value) and value in numbers


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "speech": lambda value: value in get_args(SpeechMode),
    "voice": _is_text,
    "rate": _is_in(RATES),
    "volume": _is_in(VOLUMES),
    "earcons": _is_flag,
    "camera": _is_text,
    "screen": _is_screen,
    "read_text": _is_flag,
    "keep_days": _is_in(DAYS),
    "keep_pictures": _is_flag,
    "private": _is_flag,
    "start_minimised": _is_flag,
    "start_at_login": _is_flag,
    "welcomed": _is_flag,
}


def _checked(entries: Mapping[str, Any]) -> tuple[Settings, str | None]:
    """Entries of the file -> settings and what to tell; unknown ones may be of a later version."""
    wrong = [
        name for name, right in _CHECKS.items() if name in entries and not right(entries[name])
    ]
    good = {name: entries[name] for name in _CHECKS if name in entries and name not in wrong}

    hotkeys = dict(HOTKEYS)
    table = entries.get("hotkeys", {})
    if not isinstance(table, dict):
        wrong.append("hotkeys")
        table = {}
    for action in ACTIONS:
        keys = table.get(action.name)
        if keys is None:
            continue
        hotkey = read_hotkey(keys) if isinstance(keys, str) else None
        if hotkey is None and keys != "":
            wrong.append(f"hotkeys.{action.name}")
        else:
            hotkeys[action.name] = hotkey.text if hotkey else ""

    problem = None
    if wrong:
        problem = (
            "The settings file has values that Seesay does not understand, and uses the defaults "
            f"instead: look at {', '.join(wrong)} in the settings."
        )
    return Settings(**good, hotkeys=MappingProxyType(hotkeys)), problem


def _toml(settings: Settings) -> str:
    lines = [
        f"{entry.name} = {_toml_value(getattr(settings, entry.name))}"
        for entry in fields(settings)
        if entry.name != "hotkeys"
    ]
    lines += ["", "[hotkeys]"]
    lines += [f"{name} = {_toml_value(keys)}" for name, keys in settings.hotkeys.items()]
    return "\n".join(lines) + "\n"


def _toml_value(value: str | int | bool) -> str:
    # JSON writes text, whole numbers and truth as TOML does, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.broken-{datetime.now():%Y-%m-%d-%H%M%S-%f}")


def _write(path: Path, text: str, aside: Path | None) -> None:
    """Write a file whole; the one that is there is kept under another name, if one is given."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Readable by the user alone, as a camera's address may hold a password.
    handle, draft = tempfile.mkstemp(".draft", f".{path.name}.", path.parent)
    try:
        with open(handle, "wb") as file:
            # What UTF-8 cannot hold are bytes of a path that was no text either.
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        if aside is not None:
            with contextlib.suppress(FileNotFoundError):  # somebody has taken it away
                os.replace(path, aside)
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
