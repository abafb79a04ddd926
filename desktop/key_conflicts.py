"""Which hotkeys would get in the way of something else, and of what."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from desktop.actions import ACTIONS
from desktop.keys import Hotkey, read_hotkey, title_of

# System -> what the keys are for, and which keys, as regular expressions over the text of a hotkey,
# in which Meta comes before Ctrl, Alt and Shift.
# On macOS, Ctrl is the Command key, Meta the Control key and Alt the Option key, as in all of Qt.
_RESERVED: dict[str, tuple[tuple[str, str], ...]] = {
    "linux": (
        ("it turns Orca on and off", r"Meta\+Alt\+S"),
        ("it sends Orca to sleep", r"Ctrl\+Alt\+Shift\+Q"),
        ("it switches to a text console", r"Ctrl\+Alt\+F\d+"),
        ("desktops move between workspaces with it", r"Ctrl\+Alt\+(Shift\+)?(Left|Right|Up|Down)"),
        ("desktops open a terminal with it", r"Ctrl\+Alt\+T"),
        ("desktops lock the screen or log out with it", r"Ctrl\+Alt\+(L|Del|Backspace)"),
        ("some desktops end a program with it", r"Ctrl\+Alt\+Esc"),
        ("desktops take screenshots with it", r"(Ctrl\+)?(Alt\+)?(Shift\+)?Print"),
        ("GNOME records the screen with it", r"Ctrl\+Alt\+Shift\+R"),
        ("some desktops switch workspaces with it", r"Ctrl\+F\d+"),
        ("desktops manage windows with it", r"Alt\+(Shift\+)?(Tab|Backtab|Esc)|Alt\+(Space|F\d+)"),
        ("desktops use nearly all keys with Super", r"Meta\+.*"),
    ),
    "win32": (
        ("it starts NVDA", r"Ctrl\+Alt\+N"),
        ("it often starts JAWS", r"Ctrl\+Alt\+J"),
        ("Windows keeps it for its security screen", r"Ctrl\+Alt\+Del"),
        ("Windows opens the task manager or the start menu with it", r"Ctrl\+(Shift\+)?Esc"),
        ("Windows manages windows with it", r"(Ctrl\+)?Alt\+(Shift\+)?(Tab|Backtab|Esc|Space|F4)"),
        ("Windows takes screenshots with it", r"(Ctrl\+)?(Alt\+)?(Shift\+)?Print"),
        ("many keyboards type signs with Ctrl and Alt", r"Ctrl\+Alt\+(Shift\+)?."),
        ("Windows and Narrator use nearly all keys with the Windows key", r"Meta\+.*"),
    ),
    "darwin": (
        ("VoiceOver takes all keys with Control and Option", r"Meta\+(Ctrl\+)?Alt\+.*"),
        ("it turns VoiceOver or other aids on and off", r"Ctrl\+(Alt\+)?F5"),
        ("macOS switches programs with it", r"Ctrl\+(Shift\+)?(Tab|Backtab)"),
        ("macOS opens Spotlight with it", r"Ctrl\+(Alt\+)?Space"),
        ("macOS takes screenshots with it", r"Ctrl\+Shift\+[345#$%]"),
        (
            "macOS quits programs, locks or logs out with it",
            r"Ctrl\+(Alt\+|Shift\+)?(Q|Esc)|Meta\+Ctrl\+Q",
        ),
        ("macOS moves between spaces with it", r"Meta\+(Left|Right|Up|Down)"),
        ("macOS moves the focus with it", r"Meta\+F\d"),
    ),
}
_IN_MOST_PROGRAMS = re.compile(r"Ctrl\+([A-Z0-9]|Shift\+Z|Home|End|Left|Right|Tab)|Alt\+[A-Z]")


@dataclass(frozen=True)
class Conflict:
    """What is wrong with the hotkey of an action.

    Attributes:
        action: its name.
        sentence: for the user.
        blocks: whether the keys cannot stay so, as one could not type or not reach the action.
    """

    action: str
    sentence: str
    blocks: bool


def conflicts(hotkeys: Mapping[str, str], platform: str = sys.platform) -> list[Conflict]:
    """What is wrong with these hotkeys, by the order of `ACTIONS`.

    That another program has taken a key is known only when it is tried: see `Hotkeys.problems`.
    """
    read = {action: read_hotkey(keys) for action, keys in hotkeys.items() if keys}
    found: list[Conflict] = []
    for action in ACTIONS:
        if not hotkeys.get(action.name):
            continue
        hotkey = read[action.name]
        if hotkey is None:
            sentence = f"{hotkeys[action.name]} is no hotkey: press other keys."
            found.append(Conflict(action.name, sentence, True))
            continue
        others = [name for name, other in read.items() if other == hotkey and name != action.name]
        if others:
            sentence = f"{hotkey.text} is also the hotkey of {title_of(others[0])}: choose another."
            found.append(Conflict(action.name, sentence, True))
        elif hotkey.types_text:
            sentence = f"{hotkey.text} is needed for typing: add Ctrl or Alt."
            found.append(Conflict(action.name, sentence, True))
        elif sentence := _warning(action.name, hotkey, platform):
            found.append(Conflict(action.name, sentence, False))
    return found


def _warning(action: str, hotkey: Hotkey, platform: str) -> str:
    for use, keys in _RESERVED.get(platform, ()):
        if re.fullmatch(keys, hotkey.text):
            return f"{hotkey.text} may not work, or be missed elsewhere: {use}."
    for other in ACTIONS:
        if other.shortcut == hotkey.text and other.name != action:
            return f"{hotkey.text} is {title_of(other.name)} in Seesay's own window."
    if _IN_MOST_PROGRAMS.fullmatch(hotkey.text):
        return f"{hotkey.text} would be lost to all other programs, many of which use it."
    if not hotkey.modifiers and re.fullmatch(r"F([1-9]|1[0-2])", hotkey.key):
        return f"{hotkey.text} would be lost to all other programs: Ctrl or Shift with it is safer."
    return ""
