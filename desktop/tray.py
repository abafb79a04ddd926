"""The icon in the system's tray, with the menu of what Seesay does."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from core.paths import RESOURCES

# "" is a line between them.
_MENU = ("show", "", "camera", "screen", "window", "clipboard", "", "repeat", "stop", "live", "")


def app_icon() -> QIcon:
    """Seesay's icon."""
    return QIcon(str(RESOURCES / "icons" / "seesay.svg"))


class Tray(QObject):
    """Shows the icon where the desktop has a tray, also one that comes later.

    Args:
        actions: of the window, by name.
        parent: as of every QObject.
    """

    clicked = Signal()
    """The icon was clicked."""

    def __init__(self, actions: Mapping[str, QAction], parent: QObject) -> None:
        super().__init__(parent)
        self._menu = QMenu()
        for name in (*_MENU, "quit"):
            if name:
                self._menu.addAction(actions[name])
            else:
                self._menu.addSeparator()
        self._icon = QSystemTrayIcon(app_icon(), self)
        self._icon.setToolTip("Seesay")
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._on_activated)
        self._icon.show()

    @staticmethod
    def is_there() -> bool:
        """Whether the desktop has a tray now."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def close(self) -> None:
        """Take the icon away."""
        self._icon.hide()

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self.clicked.emit()
