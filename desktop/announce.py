"""Sentences through the running screen reader."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent


def announce(origin: QObject, text: str) -> None:
    """Ask the screen reader to say a sentence now, in place of what it says.

    Nothing happens where none runs, or one that does not know announcements, as Orca 43.

    Args:
        origin: the window or widget that the sentence comes from.
        text: to be said.
    """
    event = QAccessibleAnnouncementEvent(origin, text)
    event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
    QAccessible.updateAccessibility(event)
