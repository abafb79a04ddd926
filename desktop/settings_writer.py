"""Writes the settings in a thread: a busy disk may take seconds, and the window goes on."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from core.errors import SeesayError
from desktop.settings import Settings, SettingsFile
from desktop.worker import Worker


class SettingsWriter(QObject):
    """Saves the settings, the latest ones where several come at once.

    Args:
        file: where they are kept.
        parent: as of every QObject.
    """

    tried = Signal(str)
    """An empty sentence: they are saved; or why they could not be."""

    def __init__(self, file: SettingsFile, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = file
        self._worker = Worker("settings")

    def save(self, settings: Settings) -> None:
        """Save these, in the place of some that still wait."""
        self._worker.ask(partial(self._save, settings))

    def close(self) -> None:
        """End the thread when what waits is saved."""
        self._worker.close(finish=True)

    def _save(self, settings: Settings) -> None:
        problem = ""
        try:
            self._file.save(settings)
        except SeesayError as error:
            problem = str(error)
        self.tried.emit(problem)
