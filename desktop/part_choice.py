"""The choice of a part of the screen, in one picker at a time."""

from PySide6.QtCore import QObject, Signal

from core.picture import Picture
from desktop.region import RegionPicker


class PartChoice(QObject):
    """Has a part of a picture of the screen chosen; a new choice takes the place of one before."""

    picked = Signal(object)
    """The part, a `Picture`."""
    cancelled = Signal()
    """None was chosen."""
    told = Signal(str)
    """A sentence to be said: how to choose, and what is chosen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._picker: RegionPicker | None = None  # Python would delete it otherwise

    def begin(self, picture: Picture) -> None:
        """Show the picture over the whole screen, and let a part of it be chosen."""
        if self._picker is not None:
            self._picker.disconnect(self)  # nothing of it is told any more
            self._picker.close()
        picker = self._picker = RegionPicker(picture)
        picker.destroyed.connect(self._forget)
        picker.picked.connect(self.picked)
        picker.told.connect(self.told)
        picker.cancelled.connect(self.cancelled)
        picker.showFullScreen()
        picker.activateWindow()

    def _forget(self) -> None:
        self._picker = None  # it holds a picture of the screen
