"""Starting Seesay when the user logs in, by the means of each system."""

import plistlib
import re
import subprocess
import sys
from pathlib import Path

from platformdirs import user_config_path

from core.errors import SeesayError

_RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
_NAME = "Seesay"


class AutostartError(SeesayError):
    """The system's list of programs to start cannot be changed."""


def set_start_at_login(on: bool) -> None:
    """Have Seesay started, minimised, when the user logs in, or no longer.

    Raises:
        AutostartError: if that cannot be set.
    """
    try:
        _set(on)
    except OSError as error:
        raise AutostartError(
            f"Whether Seesay starts at login cannot be changed ({error.strerror}): "
            "set it in your system's own list of programs to start."
        ) from error


def desktop_entry(command: list[str]) -> str:
    """A desktop entry of the XDG autostart specification that runs this command."""
    words = " ".join(_quoted(word) for word in command)
    return (
        "[Desktop Entry]\n"
        "Type=Application\n"
        f"Name={_NAME}\n"
        "Comment=Says what is in a picture\n"
        f"Exec={words}\n"
        "Icon=seesay\n"
        "Terminal=false\n"
        "StartupNotify=false\n"
    )


def _quoted(word: str) -> str:
    # Quoted for the command line first, and the backslashes of that once more as in any value.
    if re.search(r"[^\w@+=:,./-]", word, re.ASCII):
        word = '"' + re.sub(r'(["`$\\])', r"\\\1", word) + '"'
    return word.replace("\\", "\\\\").replace("%", "%%")


def _command() -> list[str]:
    """What starts this Seesay again, whatever folder or PATH the login has."""
    script = Path(sys.executable).with_name("seesay.exe" if sys.platform == "win32" else "seesay")
    start = [str(script)] if script.is_file() else [sys.executable, "-m", "seesay"]
    return [*start, "app", "--minimised"]


if sys.platform == "win32":
    import winreg

    def starts_at_login() -> bool:
        """Whether the system starts Seesay when the user logs in."""
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN_KEY) as key:
                winreg.QueryValueEx(key, _NAME)
        except FileNotFoundError:
            return False
        return True

    def _set(on: bool) -> None:
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, _RUN_KEY) as key:
            if on:
                command = subprocess.list2cmdline(_command())
                winreg.SetValueEx(key, _NAME, 0, winreg.REG_SZ, command)
            elif starts_at_login():
                winreg.DeleteValue(key, _NAME)

else:

    def starts_at_login() -> bool:
        """Whether the system starts Seesay when the user logs in."""
        return _file().is_file()

    def _set(on: bool) -> None:
        path = _file()
        if not on:
            path.unlink(missing_ok=True)
            return
        if sys.platform == "darwin":
            agent = {"Label": "seesay", "ProgramArguments": _command(), "RunAtLoad": True}
            content = plistlib.dumps(agent)
        else:
            content = desktop_entry(_command()).encode()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(content)

    def _file() -> Path:
        if sys.platform == "darwin":
            return Path("~/Library/LaunchAgents/seesay.plist").expanduser()
        return user_config_path() / "autostart" / "seesay.desktop"
