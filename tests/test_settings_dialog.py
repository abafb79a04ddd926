"""The settings dialog and the first page: by keyboard, with names for screen readers, enlarged."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QMessageBox,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.actions import ACTIONS, HOTKEYS
from desktop.camera_device import Camera
from desktop.first_run import Welcome
from desktop.hotkey_page import HotkeyEdit
from desktop.settings import Settings
from desktop.settings_dialog import SettingsDialog
from desktop.speech import Voice

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@dataclass(frozen=True)
class Screen:
    number: int
    name: str
    width: int
    height: int


def show(qtbot: QtBot, dialog: QDialog) -> None:
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)


def dialog_of(qtbot: QtBot, settings: Settings = Settings()) -> SettingsDialog:  # noqa: B008
    voices = [Voice("en", "English", ("en-gb",)), Voice("fr", "French", ())]
    cameras = [Camera("0", "Webcam"), Camera("/dev/video7", "Microscope")]
    monitors = [Screen(1, "HDMI-1", 1920, 1080), Screen(2, "DP-1", 800, 600)]
    dialog = SettingsDialog(settings, voices, cameras, monitors)
    qtbot.addWidget(dialog)
    show(qtbot, dialog)
    return dialog


@pytest.fixture
def dialog(qtbot: QtBot) -> SettingsDialog:
    return dialog_of(qtbot)


@pytest.fixture
def large_letters(qapp: QApplication) -> Iterator[None]:
    font = qapp.font()
    large = qapp.font()
    large.setPointSizeF(font.pointSizeF() * 3)
    qapp.setFont(large)
    yield
    qapp.setFont(font)


def name_of(widget: QWidget) -> str:
    interface = QAccessible.queryAccessibleInterface(widget)
    # On Linux, the name of a list is its value, and screen readers go by the label beside it.
    for label, relation in interface.relations(QAccessible.RelationFlag.AllRelations):
        if relation == QAccessible.RelationFlag.Label and isinstance(widget, QComboBox):
            return label.text(QAccessible.Text.Name)
    return interface.text(QAccessible.Text.Name)


def control(dialog: QWidget, name: str, kind: type = QWidget) -> QWidget:
    """The one control that a screen reader calls so."""
    widgets: list[QWidget] = dialog.findChildren(kind)
    shown = [each for each in widgets if each.isVisible() and not each.focusProxy()]
    found = [each for each in shown if each.focusPolicy() and name_of(each) == name]
    assert len(found) == 1, [*map(name_of, shown)]
    return found[0]


def focus() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def turn_to(dialog: QDialog, page: int) -> None:
    tabs = dialog.findChild(QTabWidget)
    assert tabs is not None
    tabs.setCurrentIndex(page)
    tabs.tabBar().setFocus()


def button(dialog: QDialog, kind: QDialogButtonBox.StandardButton) -> QAbstractButton:
    box = dialog.findChild(QDialogButtonBox)
    assert box is not None
    return box.button(kind)


def round_by_tab(dialog: QWidget, key: Qt.Key = Qt.Key.Key_Tab) -> list[QWidget]:
    """Every widget that the key goes through until it is back where it began."""
    start = focus()
    seen = [start]
    while True:
        QTest.keyClick(focus(), key, SHIFT if key == Qt.Key.Key_Backtab else Qt.KeyboardModifier(0))
        if focus() is start:
            return seen
        assert focus() not in seen, f"caught at {name_of(focus())}"
        seen.append(focus())


SET = Settings(
    speech="both",
    voice="fr",
    rate=250,
    volume=40,
    earcons=False,
    camera="/dev/video7",
    screen="2",
    read_text=False,
    keep_days=30,
    keep_pictures=True,
    private=True,
    start_minimised=True,
    start_at_login=True,
    welcomed=True,
    hotkeys={**HOTKEYS, "stop": "Ctrl+Alt+Shift+F1", "region": "Ctrl+Shift+F4", "live": ""},
)


def with_all_actions(settings: Settings) -> Settings:
    hotkeys = {action.name: settings.hotkeys.get(action.name, "") for action in ACTIONS}
    return replace(settings, hotkeys=hotkeys)


@pytest.mark.parametrize("settings", [Settings(), SET], ids=["defaults", "changed"])
def test_what_is_set_stays_set(qtbot: QtBot, settings: Settings) -> None:
    dialog = dialog_of(qtbot, settings)
    with qtbot.waitSignal(dialog.applied) as applied:
        QTest.keyClick(focus(), Qt.Key.Key_Return)
    assert applied.args == [with_all_actions(settings)]
    assert not dialog.isVisible()


def test_all_by_keyboard(qtbot: QtBot, dialog: SettingsDialog) -> None:
    def at(name: str, *keys: Qt.Key) -> None:
        control(dialog, name).setFocus()
        for key in keys:
            QTest.keyClick(focus(), key)

    at("Seesay's own voice", Qt.Key.Key_Down, Qt.Key.Key_Down)
    at("Voice", Qt.Key.Key_Down, Qt.Key.Key_Down)
    at("Speed", *[Qt.Key.Key_Up] * 7)
    at("Volume", *[Qt.Key.Key_Down] * 12)
    at("Short sounds", Qt.Key.Key_Space)
    turn_to(dialog, 1)
    at("Camera", Qt.Key.Key_Down, Qt.Key.Key_Down)
    at("Screen", Qt.Key.Key_Down, Qt.Key.Key_Down)
    at("Read text", Qt.Key.Key_Space)
    turn_to(dialog, 2)
    at("Private: keep nothing", Qt.Key.Key_Space)
    at("Keep descriptions", *[Qt.Key.Key_Up] * 30)
    at("Keep full pictures", Qt.Key.Key_Space)
    turn_to(dialog, 3)
    at("Keys for Stop")
    QTest.keyClick(focus(), Qt.Key.Key_F1, CTRL | ALT | SHIFT)
    at("Keys for Describe region")
    QTest.keyClick(focus(), Qt.Key.Key_F4, CTRL | SHIFT)
    at("Keys for Live", Qt.Key.Key_Backspace)
    turn_to(dialog, 4)
    at("Start when I log in", Qt.Key.Key_Space)
    at("Start minimised", Qt.Key.Key_Space)
    assert dialog.settings() == with_all_actions(replace(SET, welcomed=False))
    with qtbot.waitSignal(dialog.applied) as applied:
        button(dialog, QDialogButtonBox.StandardButton.Apply).click()
    assert applied.args == [dialog.settings()]
    assert dialog.isVisible()
    with qtbot.assertNotEmitted(dialog.applied):
        QTest.keyClick(focus(), Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_camera_can_be_typed(dialog: SettingsDialog) -> None:
    turn_to(dialog, 1)
    camera = control(dialog, "Camera", QComboBox)
    camera.setFocus()
    for text, camera_id in [
        (" rtsp://phone:8554/live ", "rtsp://phone:8554/live"),
        ("Microscope", "/dev/video7"),
        ("", ""),
    ]:
        QTest.keySequence(focus(), "Ctrl+A")
        QTest.keyClick(focus(), Qt.Key.Key_Delete)
        QTest.keyClicks(focus(), text)
        assert dialog.settings().camera == camera_id


def test_what_is_not_there_now_stays_set(qtbot: QtBot) -> None:
    settings = replace(SET, voice="gone", camera="http://phone/", screen="3")
    dialog = dialog_of(qtbot, settings)
    assert dialog.settings() == with_all_actions(settings)


@pytest.mark.parametrize("page", range(5))
def test_tab_reaches_everything_and_each_has_a_name(dialog: SettingsDialog, page: int) -> None:
    turn_to(dialog, page)
    forward = round_by_tab(dialog)
    assert {*round_by_tab(dialog, Qt.Key.Key_Backtab)} == {*forward}

    names = [name_of(widget) for widget in forward]
    assert all(names), names
    assert len({*names}) == len(names), names
    roles = [QAccessible.queryAccessibleInterface(widget).role() for widget in forward]
    assert QAccessible.Role.Client not in roles
    shown = [
        widget
        for widget in dialog.findChildren(QWidget)
        if widget.isVisible()
        and not widget.focusProxy()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        # Of the four who may speak, Tab goes to the one that is chosen; arrow keys to the others.
        and not (
            isinstance(widget, QAbstractButton)
            and widget.autoExclusive()
            and not widget.isChecked()
        )
        and not isinstance(widget.parent(), QComboBox | QSpinBox)
    ]
    assert {*shown} <= {*forward}, {name_of(widget) for widget in {*shown} - {*forward}}


@pytest.mark.parametrize("page", range(5))
def test_at_three_times_the_size_the_focus_stays_in_sight(
    large_letters: None, qtbot: QtBot, page: int
) -> None:
    dialog = dialog_of(qtbot)
    turn_to(dialog, page)
    for widget in round_by_tab(dialog):
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(focus(), Qt.Key.Key_Tab)
        here = focus()
        area = next((a for a in dialog.findChildren(QScrollArea) if a.isAncestorOf(here)), None)
        if area is not None:
            at = QRect(here.mapTo(area.viewport(), QPoint(0, 0)), here.size())
            assert area.viewport().rect().contains(at.center()), name_of(here)
            assert area.horizontalScrollBar().maximum() == 0
    screen = dialog.screen().availableSize()
    assert dialog.width() <= screen.width()
    assert dialog.height() <= screen.height()


def test_a_hotkey_field_lets_the_keyboard_go(qtbot: QtBot, dialog: SettingsDialog) -> None:
    turn_to(dialog, 3)
    edit = control(dialog, "Keys for Repeat", HotkeyEdit)
    assert isinstance(edit, HotkeyEdit)
    edit.setFocus()
    QTest.keyClick(focus(), Qt.Key.Key_Shift)
    QTest.keyClick(focus(), Qt.Key.Key_Tab)
    assert focus() is control(dialog, "Keys for Stop")
    QTest.keyClick(focus(), Qt.Key.Key_Backtab, SHIFT)
    assert focus() is edit
    assert edit.text() == "Ctrl+Shift+F11"
    QTest.keyClick(focus(), Qt.Key.Key_H, ALT)  # the History page has it, too
    assert edit.text() == "Alt+H"
    assert focus() is edit
    interface = QAccessible.queryAccessibleInterface(edit)
    assert interface.role() == QAccessible.Role.EditableText
    assert interface.text(QAccessible.Text.Value) == "Alt+H"
    QTest.keyClick(focus(), Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_while_keys_are_chosen_the_hotkeys_can_rest(qtbot: QtBot, dialog: SettingsDialog) -> None:
    turn_to(dialog, 3)
    with qtbot.waitSignal(dialog.recording) as recording:
        control(dialog, "Keys for Repeat").setFocus()
    assert recording.args == [True]
    with qtbot.waitSignal(dialog.recording) as recording:
        control(dialog, "Reset to defaults").setFocus()
    assert recording.args == [False]


def test_two_actions_on_one_key_are_not_taken(qtbot: QtBot, dialog: SettingsDialog) -> None:
    turn_to(dialog, 3)
    edit = control(dialog, "Keys for Repeat")
    edit.setFocus()
    with qtbot.waitSignal(dialog.told) as told:
        QTest.keyClick(focus(), Qt.Key.Key_F7, CTRL | SHIFT)
    sentence = "Ctrl+Shift+F7 is also the hotkey of Describe camera: choose another."
    assert told.args == [f"Ctrl+Shift+F7. {sentence}"]
    interface = QAccessible.queryAccessibleInterface(edit)
    assert sentence in interface.text(QAccessible.Text.Description)

    turn_to(dialog, 0)
    ok = button(dialog, QDialogButtonBox.StandardButton.Ok)
    with qtbot.assertNotEmitted(dialog.applied), qtbot.waitSignal(dialog.told) as told:
        ok.click()
    assert focus() is control(dialog, "Keys for Describe camera")

    control(dialog, "Reset to defaults", QAbstractButton).setFocus()
    QTest.keyClick(focus(), Qt.Key.Key_Space)
    assert sentence not in interface.text(QAccessible.Text.Description)
    with qtbot.waitSignal(dialog.applied):
        ok.click()
    assert dialog.settings().hotkeys == with_all_actions(Settings()).hotkeys


def test_what_another_program_has_taken_is_shown(dialog: SettingsDialog) -> None:
    turn_to(dialog, 3)
    dialog.show_problems(["Another program has taken Ctrl+Shift+F7."])
    label = control(dialog, "Hotkeys that do not work")
    assert label.isVisible()
    assert label in round_by_tab(dialog)
    dialog.show_problems([])
    assert not label.isVisible()


def test_a_voice_can_be_tried_out(qtbot: QtBot) -> None:
    dialog = dialog_of(qtbot, SET)
    try_out = control(dialog, "Try it", QAbstractButton)
    with qtbot.waitSignal(dialog.try_out) as heard:
        QTest.keyClick(try_out, Qt.Key.Key_Space)
    assert heard.args == ["fr", 250, 40]


@pytest.mark.parametrize("sure", [True, False])
def test_the_history_is_deleted_only_when_one_is_sure(
    qtbot: QtBot, dialog: SettingsDialog, sure: bool
) -> None:
    turn_to(dialog, 2)
    asked: list[bool] = []
    dialog.delete_all.connect(lambda: asked.append(True))
    QTest.keyClick(control(dialog, "Delete all history …", QAbstractButton), Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: dialog.findChild(QMessageBox) is not None)
    question = dialog.findChild(QMessageBox)
    assert question is not None
    question.activateWindow()
    qtbot.waitUntil(question.isActiveWindow)
    assert name_of(focus()) == "Keep"
    if sure:
        QTest.keyClick(control(question, "Delete all"), Qt.Key.Key_Space)
    else:
        QTest.keyClick(focus(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not question.isVisible())
    assert asked == [True] * sure


def test_the_first_page(qtbot: QtBot) -> None:
    settings = Settings(hotkeys={"camera": "Ctrl+Alt+F5", "screen": "Ctrl+Shift+F8", "stop": ""})
    welcome = Welcome(settings)
    qtbot.addWidget(welcome)
    show(qtbot, welcome)
    text = welcome.text()
    assert text.count(".") == 4
    assert "Control+Alt+F5 describes what the camera sees, Control+Shift+F8" in text
    assert "Esc, in Seesay's window, silences" in text
    assert "Nothing leaves your computer" in text

    assert name_of(focus()) == "Start"
    start, *sentences = [name_of(widget) for widget in round_by_tab(welcome)]
    assert start == "Start"
    assert " ".join(sentences) == text
    with qtbot.waitSignal(welcome.finished):
        QTest.keyClick(focus(), Qt.Key.Key_Return)
