"""Writes the settings in a thread: a busy disk may take seconds, and the window goes on."""

import contextlib
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

    failed = Signal(str)
    """Why they could not be saved, a sentence."""

    def __init__(self, file: SettingsFile, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = file
        self._worker = Worker("settings")
        self._unsaved: Settings | None = None

    def save(self, settings: Settings) -> None:
        """Save these, in the place of some that still wait."""
        self._unsaved = settings
        self._worker.ask(partial(self._save, settings))

    def close(self) -> None:
        """End the thread; what is not yet saved is saved."""
        self._worker.close()
        if self._unsaved is not None:
            # Nobody is there any more to be told.
            with contextlib.suppress(SeesayError):
                self._file.save(self._unsaved)

    def _save(self, settings: Settings) -> None:
        try:
            self._file.save(settings)
        except SeesayError as error:
            self.failed.emit(str(error))
        if self._unsaved is settings:
            self._unsaved = None
