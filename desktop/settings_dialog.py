"""The settings dialog."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGroupBox,
    QLabel,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.camera_device import Camera
from desktop.hotkey_page import HotkeyPage
from desktop.settings import DAYS, RATES, VOLUMES, Settings, SpeechMode
from desktop.speech import Voice

_MODES: tuple[tuple[SpeechMode, str, str], ...] = (
    (
        "own",
        "Seesay's &own voice",
        "Seesay speaks itself. This works everywhere, with or without a screen reader.",
    ),
    (
        "screen_reader",
        "Through the screen &reader",
        "The running screen reader says the sentences in its own voice, and in braille. Most do so "
        "only while Seesay's window is in front. On Linux it takes a newer Orca: version 43 stays "
        "silent. If you hear nothing, choose Seesay's own voice.",
    ),
    (
        "both",
        "&Both",
        "Seesay speaks itself and also hands the sentences to the screen reader, for instance for "
        "braille. The two voices may overlap.",
    ),
    ("silent", "&Silent", "Sentences are only shown in the window."),
)


class Monitor(Protocol):
    """What the dialog needs to know of a monitor."""

    @property
    def number(self) -> int:
        """From 1."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def width(self) -> int:
        """In pixels."""

    @property
    def height(self) -> int:
        """In pixels."""


class SettingsDialog(QDialog):
    """Shows the settings, lets them be changed, and tells what was chosen.

    Args:
        settings: as they are now.
        voices: to choose from.
        cameras: to choose from; others can be typed.
        monitors: to choose from.
        parent: the window that it belongs to.
    """

    applied = Signal(object)
    """The `Settings` are to be put to use and saved: OK or Apply was pressed."""

    try_out = Signal(str, int, int)
    """Let a voice be heard: its id, words a minute, volume in per cent."""

    delete_all = Signal()
    """The whole history is to be deleted; the user has confirmed."""

    recording = Signal(bool)
    """Hotkeys are being chosen, so that the present ones had better be let go; or no longer."""

    told = Signal(str)
    """A sentence on what was just chosen, or why OK is not taken."""

    def __init__(
        self,
        settings: Settings,
        voices: Sequence[Voice],
        cameras: Sequence[Camera],
        monitors: Sequence[Monitor],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings of Seesay")
        self._settings = settings
        self._hotkeys = HotkeyPage(settings.hotkeys)
        self._hotkeys.recording.connect(self.recording)
        self._hotkeys.told.connect(self.told)

        self._tabs = QTabWidget()
        self._tabs.setAccessibleName("Pages of the settings")
        self._tabs.addTab(_Scrolled(self._speech_page(settings, voices)), "S&peech")
        sources = self._source_page(settings, cameras, monitors)
        self._tabs.addTab(_Scrolled(sources), "Ca&mera and screen")
        self._tabs.addTab(_Scrolled(self._history_page(settings)), "&History")
        self._hotkey_tab = self._tabs.addTab(_Scrolled(self._hotkeys), "Hot&keys")
        self._tabs.addTab(_Scrolled(self._start_page(settings)), "S&tart")

        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel | kinds.Apply)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        buttons.button(kinds.Apply).clicked.connect(self._apply)

        layout = QVBoxLayout(self)
        layout.addWidget(self._tabs)
        layout.addWidget(buttons)
        letter = self.fontMetrics()
        wish = self.sizeHint().expandedTo(letter.size(0, "m" * 48))
        wish.setHeight(32 * letter.lineSpacing())
        self.resize(wish.boundedTo(self.screen().availableSize()))

    def settings(self) -> Settings:
        """The settings as they are chosen now."""
        return replace(
            self._settings,
            speech=_MODES[self._modes.checkedId()][0],
            voice=self._voice.currentData(),
            rate=self._rate.value(),
            volume=self._volume.value(),
            earcons=self._earcons.isChecked(),
            camera=self._chosen_camera(),
            screen=self._screen.currentData(),
            read_text=self._read_text.isChecked(),
            keep_days=self._keep_days.value(),
            keep_pictures=self._keep_pictures.isChecked(),
            private=self._private.isChecked(),
            start_minimised=self._minimised.isChecked(),
            start_at_login=self._at_login.isChecked(),
            hotkeys=self._hotkeys.hotkeys(),
        )

    def accept(self) -> None:
        """Put the settings to use and close, unless two hotkeys stand in each other's way."""
        if self._apply():
            super().accept()

    def show_problems(self, problems: list[str]) -> None:
        """Show what did not work with the hotkeys last put to use; none clears it."""
        self._hotkeys.show_problems(problems)

    def _apply(self) -> bool:
        conflict = self._hotkeys.blocking()
        if conflict is not None:
            self._tabs.setCurrentIndex(self._hotkey_tab)
            self._hotkeys.go_to(conflict.action)
            self.told.emit(conflict.sentence)
            return False
        self._settings = self.settings()
        self.applied.emit(self._settings)
        return True

    def _speech_page(self, settings: Settings, voices: Sequence[Voice]) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)

        group = QGroupBox("Who speaks")
        choices = QVBoxLayout(group)
        self._modes = QButtonGroup(self)
        for number, (mode, title, description) in enumerate(_MODES):
            choice = QRadioButton(title)
            choice.setAccessibleDescription(description)
            choice.setChecked(mode == settings.speech)
            self._modes.addButton(choice, number)
            choices.addWidget(choice)
            choices.addWidget(_note(description))
        for button in self._modes.buttons():
            # Tab goes to the chosen one; Qt sees to it only once one of them had the focus.
            if not button.isChecked():
                button.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        layout.addWidget(group)

        form = _form()
        layout.addLayout(form)
        self._voice = QComboBox()
        self._voice.addItem("The system's own", "")
        for voice in voices:
            languages = f" ({', '.join(voice.languages)})" if voice.languages else ""
            self._voice.addItem(f"{voice.name}{languages}", voice.id)
        _choose(self._voice, settings.voice, f"{settings.voice} (not found)")
        form.addRow("&Voice", self._voice)

        self._rate = QSpinBox()
        self._rate.setRange(RATES[0], RATES[-1])
        self._rate.setSingleStep(10)
        self._rate.setSuffix(" words a minute")
        self._rate.setValue(settings.rate)
        form.addRow("Sp&eed", self._rate)

        self._volume = QSpinBox()
        self._volume.setRange(VOLUMES[0], VOLUMES[-1])
        self._volume.setSingleStep(5)
        self._volume.setSuffix(" %")
        self._volume.setValue(settings.volume)
        form.addRow("Vo&lume", self._volume)

        try_out = QPushButton("Tr&y it")
        try_out.setAccessibleDescription("Says a sentence with this voice, speed and volume.")
        try_out.clicked.connect(
            lambda: self.try_out.emit(
                self._voice.currentData(), self._rate.value(), self._volume.value()
            )
        )
        layout.addWidget(try_out, alignment=Qt.AlignmentFlag.AlignLeft)

        self._earcons = _check(
            layout,
            "Short sou&nds",
            "Quiet sounds tell that Seesay looks, is done, or has failed.",
            settings.earcons,
        )
        layout.addStretch()
        return page

    def _source_page(
        self, settings: Settings, cameras: Sequence[Camera], monitors: Sequence[Monitor]
    ) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        form = _form()
        layout.addLayout(form)

        self._camera = QComboBox()
        self._camera.setEditable(True)
        self._camera.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._camera.addItem("The first one found", "")
        for camera in cameras:
            self._camera.addItem(camera.name, camera.id)
        _choose(self._camera, settings.camera, settings.camera)
        form.addRow("&Camera", self._camera)
        explanation = (
            "Choose a camera, or type the address of a stream, such as "
            "http://phone:8080/stream.mjpg or rtsp://phone:8554/live: a phone can be a camera."
        )
        self._camera.setAccessibleDescription(explanation)
        form.addRow(_note(explanation))

        self._screen = QComboBox()
        self._screen.addItem("All monitors", "all")
        for monitor in monitors:
            title = f"{monitor.number}: {monitor.name}, {monitor.width} by {monitor.height}"
            self._screen.addItem(title, str(monitor.number))
        _choose(self._screen, settings.screen, f"{settings.screen} (not connected)")
        form.addRow("Sc&reen", self._screen)
        self._read_text = _check(
            layout,
            "Read te&xt",
            "Text in pictures and on screens is said after the sentence, or in its place. Without "
            "it, descriptions come sooner where there is text.",
            settings.read_text,
        )
        layout.addStretch()
        return page

    def _chosen_camera(self) -> str:
        typed = self._camera.currentText().strip()
        index = self._camera.findText(typed, Qt.MatchFlag.MatchExactly)
        return str(self._camera.itemData(index)) if index >= 0 else typed

    def _history_page(self, settings: Settings) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        self._private = _check(
            layout,
            "Pri&vate: keep nothing",
            "New descriptions are spoken and shown, and then forgotten. What is in the history "
            "already stays.",
            settings.private,
        )
        form = _form()
        layout.addLayout(form)
        self._keep_days = QSpinBox()
        self._keep_days.setRange(DAYS[0], DAYS[-1])
        self._keep_days.setSpecialValueText("for ever")
        self._keep_days.setSuffix(" days")
        self._keep_days.setValue(settings.keep_days)
        self._keep_days.setAccessibleDescription("Older descriptions are deleted; 0 keeps all.")
        form.addRow("Keep de&scriptions", self._keep_days)
        self._keep_pictures = _check(
            layout,
            "Keep &full pictures",
            "Without it, a small preview of each picture is kept, which takes far less room.",
            settings.keep_pictures,
        )
        delete = QPushButton("&Delete all history …")
        delete.setAccessibleDescription("Asks first.")
        delete.clicked.connect(self._ask_to_delete)
        layout.addWidget(delete, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addStretch()
        return page

    def _start_page(self, settings: Settings) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        self._at_login = _check(
            layout,
            "Start when I &log in",
            "Seesay then starts in the tray, and its hotkeys work at once.",
            settings.start_at_login,
        )
        self._minimised = _check(
            layout,
            "Start m&inimised",
            "Seesay starts in the tray without its window. The hotkey of Show Seesay brings the "
            "window.",
            settings.start_minimised,
        )
        layout.addStretch()
        return page

    def _ask_to_delete(self) -> None:
        question = QMessageBox(self)
        question.setIcon(QMessageBox.Icon.Warning)
        question.setWindowTitle("Delete all history")
        question.setText("Delete all descriptions, notes and pictures in the history?")
        question.setInformativeText("They cannot be brought back.")
        delete = question.addButton("&Delete all", QMessageBox.ButtonRole.DestructiveRole)
        keep = question.addButton("&Keep", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(keep)
        question.setEscapeButton(keep)
        delete.clicked.connect(self.delete_all)
        question.open()


class _Scrolled(QScrollArea):
    """A page that scrolls where large letters do not fit, and keeps the focus in sight."""

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        # What is in it has the focus; the area itself would only be one Tab more.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # By itself, it follows the focus only from one of its widgets to another.
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._follow)

    def _follow(self, _: QWidget | None, focus: QWidget | None) -> None:
        if focus is not None and self.isAncestorOf(focus):
            self.ensureWidgetVisible(focus)


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    return form


def _note(text: str) -> QLabel:
    note = QLabel(text)
    note.setWordWrap(True)
    note.setIndent(note.fontMetrics().horizontalAdvance("mm"))
    return note


def _check(layout: QVBoxLayout, title: str, description: str, checked: bool) -> QCheckBox:
    box = QCheckBox(title)
    box.setAccessibleDescription(description)
    box.setChecked(checked)
    layout.addWidget(box)
    layout.addWidget(_note(description))
    return box


def _choose(box: QComboBox, data: str, title: str) -> None:
    """Choose the entry with these data; one that is missing now is added, so that it stays set."""
    if box.findData(data) < 0:
        box.addItem(title, data)
    box.setCurrentIndex(box.findData(data))
