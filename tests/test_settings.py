"""The settings file: what was saved comes back, and nothing in it can stop the program."""

import os
import stat
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.actions import HOTKEYS
from desktop.settings import Settings, SettingsError, SettingsFile

CHANGED = Settings(
    speech="both",
    voice='gmw/en-gb "Scotland" \\ ü 🦆 \x7f\t',
    rate=333,
    volume=0,
    earcons=False,
    camera="rtsp://me:pass@phone:8554/live?a=b",
    screen="2",
    read_text=False,
    keep_days=30,
    keep_pictures=True,
    private=True,
    start_minimised=True,
    start_at_login=True,
    welcomed=True,
    hotkeys={**HOTKEYS, "camera": "Ctrl+Alt+Shift+F1", "stop": "", "region": "Meta+F5"},
)


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "config" / "settings.toml")


def write(file: SettingsFile, text: str | bytes) -> None:
    file.path.parent.mkdir(exist_ok=True)
    file.path.write_bytes(text.encode() if isinstance(text, str) else text)


def test_without_a_file_the_defaults_hold(file: SettingsFile) -> None:
    assert file.load() == (Settings(), None)
    assert dict(Settings().hotkeys) == HOTKEYS


def test_everything_comes_back(file: SettingsFile) -> None:
    for entry in fields(Settings):
        assert getattr(CHANGED, entry.name) != getattr(Settings(), entry.name), entry.name
    file.save(CHANGED)
    assert file.load() == (CHANGED, None)
    file.save(Settings())
    assert file.load() == (Settings(), None)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = SettingsFile(tmp_path_factory.getbasetemp() / "any" / "settings.toml")
    file.save(Settings(camera=text))
    assert file.load() == (Settings(camera=text), None)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('speech = "loud"', "speech"),
        ("speech = ['own']", "speech"),
        ("voice = 3", "voice"),
        ("rate = 79", "rate"),
        ("rate = 451", "rate"),
        ("rate = 180.5", "rate"),
        ("rate = true", "rate"),
        ("volume = -1", "volume"),
        ("earcons = 1", "earcons"),
        ("camera = 0", "camera"),
        ('screen = "0"', "screen"),
        ('screen = "left"', "screen"),
        (f'screen = "{"9" * 5000}"', "screen"),
        ("keep_days = -1", "keep_days"),
        ("keep_days = 99999999999999999999", "keep_days"),
        ('private = "yes"', "private"),
        ("hotkeys = 1", "hotkeys"),
        ("hotkeys.camera = 7", "hotkeys.camera"),
        ('hotkeys.camera = "Strg+F7"', "hotkeys.camera"),
        ('hotkeys.camera = "Ctrl+K, Ctrl+C"', "hotkeys.camera"),
    ],
)
def test_one_wrong_value_costs_only_itself(file: SettingsFile, line: str, name: str) -> None:
    write(file, f'{line}\nstart_minimised = true\n"from a later version" = 1')
    settings, told = file.load()
    assert settings == Settings(start_minimised=True)
    assert told is not None
    assert f"look at {name} in the settings" in told
    assert file.path.exists()


def test_hotkeys_may_be_written_in_any_order(file: SettingsFile) -> None:
    write(file, '[hotkeys]\ncamera = "shift+ctrl+f7"\nstop = ""')
    settings, told = file.load()
    assert told is None
    assert settings.hotkeys["camera"] == "Ctrl+Shift+F7"
    assert settings.hotkeys["stop"] == ""
    assert settings.hotkeys["repeat"] == HOTKEYS["repeat"]


@pytest.mark.parametrize(
    "content",
    [b"rate = ", b"\xff\xfe\x00", b"\0" * 4096, b"a = " + b"[" * 100_000, b"rate = 1\nrate = 2"],
    ids=["cut", "not UTF-8", "nulls", "deep", "twice"],
)
def test_a_broken_file_is_set_aside(file: SettingsFile, content: bytes) -> None:
    write(file, content)
    settings, told = file.load()
    assert settings == Settings()
    (aside,) = file.path.parent.iterdir()
    assert aside.name.startswith("settings.toml.broken-2")
    assert aside.read_bytes() == content
    assert told is not None
    assert str(aside) in told
    file.save(CHANGED)
    assert file.load() == (CHANGED, None)


def test_an_unreadable_file_is_told(file: SettingsFile) -> None:
    file.path.mkdir(parents=True)  # even root cannot read a folder as a file
    settings, told = file.load()
    assert settings == Settings(private=True, welcomed=True)
    assert told is not None
    assert "cannot be opened" in told


def test_an_unreadable_file_is_kept_when_others_are_saved(file: SettingsFile) -> None:
    inside = file.path / "inside"
    inside.parent.mkdir(parents=True)
    inside.touch()
    file.load()
    file.save(CHANGED)
    assert file.load() == (CHANGED, None)
    (aside,) = file.path.parent.glob("settings.toml.broken-*")
    assert (aside / "inside").exists()
    file.save(Settings())  # only once
    assert [*file.path.parent.glob("settings.toml.broken-*")] == [aside]


def test_an_unreadable_file_may_be_taken_away(file: SettingsFile) -> None:
    file.path.mkdir(parents=True)
    file.load()
    file.path.rmdir()
    file.save(CHANGED)
    assert file.load() == (CHANGED, None)


def test_what_cannot_be_saved_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be saved"):
        SettingsFile(tmp_path / "file" / "settings.toml").save(CHANGED)
    folder = tmp_path / "settings.toml"
    folder.mkdir()
    with pytest.raises(SettingsError, match="cannot be saved"):
        SettingsFile(folder).save(CHANGED)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "settings.toml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "seesay.toml"
    target.parent.mkdir()
    link = tmp_path / "settings.toml"
    link.symlink_to(target)
    SettingsFile(link).save(CHANGED)
    assert link.is_symlink()
    assert SettingsFile(target).load() == (CHANGED, None)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_nobody_else_may_read_it(file: SettingsFile) -> None:
    file.save(CHANGED)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_killed_while_saving(file: SettingsFile) -> None:
    file.save(CHANGED)
    saver = (
        "import sys; from pathlib import Path; from desktop.settings import *\n"
        "file = SettingsFile(Path(sys.argv[1]))\n"
        "print(flush=True)\n"
        "while True:\n"
        "    for rate in range(80, 451): file.save(Settings(rate=rate, voice='x' * 100_000))\n"
    )
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", saver, str(file.path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        before = os.stat(file.path).st_ino
        while os.stat(file.path).st_ino == before:
            pass
        process.kill()
        process.communicate()
        _, told = file.load()
        assert told is None


def test_the_file_is_where_the_system_keeps_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux lets it be moved by a variable")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert SettingsFile().path == tmp_path / "seesay" / "settings.toml"


def test_a_draft_of_a_killed_process_is_removed(file: SettingsFile) -> None:
    old, new = (file.path.with_name(f".settings.toml.{name}.draft") for name in ("old", "new"))
    file.path.parent.mkdir()
    for draft in (old, new):
        draft.write_text("")
    os.utime(old, (0, 0))
    file.save(CHANGED)
    assert {*file.path.parent.iterdir()} == {file.path, new}
