"""What can be asked of the program: one list for menus, hotkeys, settings and help."""

from dataclasses import dataclass
from typing import Literal

# Where a picture comes from.
Source = Literal["camera", "screen", "window", "clipboard", "region", "file"]


@dataclass(frozen=True)
class Action:
    """Something that the user can ask for.

    Attributes:
        name: in settings and code.
        title: in menus, with the access key after ``&``.
        shortcut: inside the window, as ``QKeySequence`` reads it.
        hotkey: default anywhere in the system; none for actions of the window alone.
        help: what happens, in one sentence.
    """

    name: str
    title: str
    shortcut: str
    hotkey: str
    help: str

    @property
    def plain_title(self) -> str:
        """Without the mark of the access key, as it is read aloud."""
        return self.title.replace("&", "")


# Hotkeys are Ctrl+Shift with a function key. Screen readers keep to Insert, Caps Lock (NVDA, JAWS,
# Orca) and Ctrl+Option (VoiceOver); the desktops to Super, Alt and Ctrl+Alt. Where a hotkey reaches
# the program in front as well, a function key types nothing into it, unlike Ctrl+Alt with a letter,
# which is AltGr on Windows.
ACTIONS = (
    Action(
        "camera",
        "Describe &camera",
        "Ctrl+1",
        "Ctrl+Shift+F7",
        "Say what the camera sees.",
    ),
    Action(
        "screen",
        "Describe &screen",
        "Ctrl+2",
        "Ctrl+Shift+F8",
        "Say what is on the screen.",
    ),
    Action(
        "window",
        "Describe &window",
        "Ctrl+3",
        "Ctrl+Shift+F9",
        "Say what is in the window that you work in.",
    ),
    Action(
        "clipboard",
        "Describe clip&board",
        "Ctrl+4",
        "Ctrl+Shift+F10",
        "Say what the copied picture or picture file shows.",
    ),
    Action(
        "region",
        "Describe re&gion …",
        "Ctrl+5",
        "",
        "Choose a part of the screen and say what is in it.",
    ),
    Action(
        "file",
        "Describe &files …",
        "Ctrl+O",
        "",
        "Choose picture files and describe them.",
    ),
    Action(
        "repeat",
        "&Repeat",
        "Ctrl+R",
        "Ctrl+Shift+F11",
        "Say the last description once more.",
    ),
    Action("stop", "S&top", "Esc", "Ctrl+Shift+F12", "Stop speaking, and drop what is under way."),
    Action(
        "text",
        "Read &on",
        "Ctrl+T",
        "Ctrl+Shift+F6",
        "Say the text in the picture, portion by portion.",
    ),
    Action(
        "live",
        "&Live",
        "Ctrl+L",
        "Ctrl+Shift+F3",
        "Watch the camera, and say when the scene changes.",
    ),
    Action(
        "aim",
        "&Aim",
        "Ctrl+6",
        "Ctrl+Shift+F5",
        "Say how to hold the camera: faces, tilt and light.",
    ),
    Action(
        "show",
        "Show &Seesay",
        "",
        "Ctrl+Shift+F2",
        "Bring the window to the front.",
    ),
)

HOTKEYS = {action.name: action.hotkey for action in ACTIONS if action.hotkey}

# What concerns the description that is shown; not to be asked for elsewhere in the system.
DETAILS = (
    Action("where", "&Where", "Ctrl+E", "", "Say where the things in the description were seen."),
    Action("spell", "S&pell", "Ctrl+Shift+S", "", "Say the description letter by letter."),
    Action("copy", "&Copy description", "Ctrl+Shift+C", "", "Copy the description."),
)
# What concerns the program itself.
PROGRAM = (
    Action("cameras", "Choose &camera …", "F6", "", "Choose among the cameras by name."),
    Action("settings", "&Settings …", "Ctrl+,", "", "Voice, camera, hotkeys, history and start."),
    Action("find", "&Find in history", "Ctrl+F", "", "Go to the search of the history."),
    Action("welcome", "&What Seesay does", "F1", "", "What Seesay does, and its most useful keys."),
    Action("quit", "&Quit", "Ctrl+Q", "", "End Seesay; the hotkeys end with it."),
)
