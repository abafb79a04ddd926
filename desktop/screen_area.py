"""Rectangles on the screen, and what is told where the screen cannot be captured."""

from dataclasses import dataclass

from core.errors import SeesayError

# Where Wayland's portal for screenshots is missing or refuses.
NO_PORTAL = (
    "This desktop does not let Seesay take screenshots: copy one with the Print Screen key and "
    "describe the clipboard, or describe the camera or a file."
)

NO_SCREEN = (
    "The screen cannot be captured: start Seesay inside the desktop session, or describe the "
    "camera, the clipboard or a file."
)


class ScreenError(SeesayError):
    """The screen, or what was asked for on it, cannot be captured."""


@dataclass(frozen=True)
class Area:
    """A rectangle on the screen, in device pixels from the upper left corner of the main monitor.

    Monitors to the left of the main one, or above, have negative coordinates.
    """

    left: int
    top: int
    width: int
    height: int

    def within(self, other: "Area") -> "Area":
        """The part that lies inside another area; width or height is 0 where none does."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right = min(self.left + self.width, other.left + other.width)
        bottom = min(self.top + self.height, other.top + other.height)
        return Area(left, top, max(0, right - left), max(0, bottom - top))

    def __bool__(self) -> bool:
        return self.width > 0 and self.height > 0
