"""Hotkeys that would be in the way of other programs, or of this one."""

import pytest

from desktop.actions import HOTKEYS
from desktop.key_conflicts import conflicts


def test_the_defaults_are_in_nobodys_way() -> None:
    for platform in ("linux", "win32", "darwin"):
        assert conflicts(HOTKEYS, platform) == []


@pytest.mark.parametrize(
    ("keys", "platform", "sentence", "blocks"),
    [
        ("A", "linux", "needed for typing", True),
        ("Shift+A", "linux", "needed for typing", True),
        ("Shift+Left", "linux", "needed for typing", True),
        ("Space", "linux", "needed for typing", True),
        ("nonsense", "linux", "no hotkey", True),
        ("F7", "linux", "lost to all other programs", False),
        ("Ctrl+C", "linux", "lost to all other programs", False),
        ("Ctrl+O", "linux", "in Seesay's own window", False),
        ("Meta+Alt+S", "linux", "Orca", False),
        ("Ctrl+Alt+T", "linux", "terminal", False),
        ("Ctrl+Alt+Left", "linux", "workspaces", False),
        ("Ctrl+Alt+Del", "linux", "lock", False),
        ("Ctrl+Alt+F3", "linux", "console", False),
        ("Alt+Tab", "linux", "windows", False),
        ("Alt+F4", "linux", "windows", False),
        ("Print", "linux", "screenshots", False),
        ("Meta+F7", "linux", "Super", False),
        ("Ctrl+Alt+N", "win32", "NVDA", False),
        ("Ctrl+Alt+Q", "win32", "signs", False),
        ("Alt+F4", "win32", "windows", False),
        ("Meta+Ctrl+Return", "win32", "Narrator", False),
        ("Ctrl+Meta+Alt+F7", "darwin", "VoiceOver", False),
        ("Meta+Alt+F7", "darwin", "VoiceOver", False),
        ("Ctrl+F5", "darwin", "VoiceOver", False),
        ("Ctrl+Shift+4", "darwin", "screenshots", False),
    ],
)
def test_keys_in_the_way_of_others(keys: str, platform: str, sentence: str, blocks: bool) -> None:
    (conflict,) = conflicts({"camera": keys}, platform)
    assert sentence in conflict.sentence
    assert conflict.blocks == blocks


@pytest.mark.parametrize("keys", ["Ctrl+Shift+A", "Alt+Shift+F7", "F13", "Ctrl+Shift+F1", "Pause"])
def test_keys_in_nobodys_way(keys: str) -> None:
    assert conflicts({"camera": keys, "stop": ""}, "linux") == []
