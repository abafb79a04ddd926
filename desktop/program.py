"""The desktop program: its parts, and how they are joined."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog

from core.errors import SeesayError
from desktop.autostart import set_start_at_login
from desktop.camera import Camera
from desktop.captioning import Captioning
from desktop.clipboard import clipboard_pictures
from desktop.description import Description
from desktop.earcons import Earcons
from desktop.first_run import Welcome
from desktop.flow import Flow
from desktop.history import Entry, open_history
from desktop.history_pane import HistoryPane
from desktop.hotkeys import Hotkeys
from desktop.part_choice import PartChoice
from desktop.presses import Presses
from desktop.screen import list_monitors
from desktop.settings import Settings, SettingsFile
from desktop.settings_dialog import SettingsDialog
from desktop.settings_writer import SettingsWriter
from desktop.sources import Order, Sources, file_orders
from desktop.speech import Speech, Voice
from desktop.spelling import spelled
from desktop.talker import Talker
from desktop.tray import Tray
from desktop.window import Window

_PICTURES = (
    "Pictures (*.jpg *.jpeg *.png *.webp *.gif *.bmp *.tif *.tiff *.ppm *.pgm *.pbm *.ico *.avif)"
    ";;All files (*)"
)

# How often the history is tidied, in milliseconds: the program may run for weeks.
_DAY = 86_400_000


class Program(QObject):
    """All of the program but its start and its end.

    Args:
        model: folder of a model; the built-in one by default.
    """

    _forgotten = Signal()  # what was too old is gone

    def __init__(self, model: Path | None = None) -> None:
        super().__init__()
        file = SettingsFile()
        self.settings, problem = file.load()
        self._settings_writer = SettingsWriter(file, self)
        self.history = open_history()
        # What does not work -> sentences that are shown until it does.
        self._problems: dict[str, list[str]] = {
            "files": [text for text in (problem, self.history.problem) if text]
        }
        self._pane = HistoryPane(self.history)
        self.window = Window(self._pane)
        self.speech = Speech(self)
        self._voices: list[Voice] = []
        self._cameras: list[Camera] = []
        self._with_cameras: Callable[[], None] | None = None
        self._talker = Talker(self.speech, self.window)
        self.earcons = Earcons(self)
        self.sources = Sources(self)
        self.captioning = Captioning(model, self)
        self.flow = Flow(
            self.captioning,
            self.sources,
            self._talker,
            self.earcons,
            self.history,
            self.settings,
            self,
        )
        self.hotkeys = Hotkeys(self)
        self._presses = Presses(self)
        self._tray = Tray(self.window.actions_by_name, self)
        self._tidying = QTimer(self, interval=_DAY)
        self._tidying.timeout.connect(self._tidy_history)
        self._shown: Description | None = None
        self._choice = PartChoice(self)
        self._let_go = False  # of the hotkeys, while new ones are chosen
        self._join()
        self._apply(self.settings)

    def start(self, minimised: bool) -> None:
        """Show the window, then load what takes time."""
        minimised = minimised or self.settings.start_minimised
        if not minimised:
            self.window.show()
        elif not self._tray.is_there():
            self.window.showMinimized()
        # The worker imports what runs the model from now on, and the window has been drawn.
        QTimer.singleShot(0, self, self._load)

    def close(self) -> None:
        """Give back everything that others may want: the camera, keys, files."""
        self.window.hide()
        self.hotkeys.close()
        self.flow.close()
        self.speech.close()
        self.sources.blockSignals(True)  # the camera may tell that it closed when all is gone
        self.sources.close()
        self.captioning.close()
        self._pane.finish_export()
        self.history.close()
        self._settings_writer.close()
        self._tray.close()

    def on_asked_from_outside(self, paths: list[str], action: str) -> None:
        """A second start, or the command line, asks for something."""
        if paths:
            self.flow.describe(*file_orders(paths))
        self.do(action or ("" if paths else "show"))

    def do(self, action: str) -> None:
        """Do what was asked for by a key, a button, a menu or another start of the program."""
        work = {
            "camera": lambda: self.flow.describe(Order("camera")),
            "screen": lambda: self.flow.describe(Order("screen")),
            "window": lambda: self.flow.describe(Order("window")),
            "clipboard": self._describe_clipboard,
            "region": self.flow.choose_part,
            "file": self._choose_files,
            "repeat": self.flow.repeat,
            "stop": self.flow.stop,
            "live": self.flow.toggle_live,
            "show": self.window.bring_to_front,
            "where": self.flow.say_where,
            "text": self.flow.read_on,
            "aim": self.flow.aim,
            "spell": self._spell,
            "copy": self._copy,
            "cameras": lambda: self._find_cameras(self._choose_camera),
            "settings": lambda: self._find_cameras(self._edit_settings),
            "find": self._find,
            "welcome": self._welcome,
            "quit": _end,
        }.get(action)
        if work is not None:
            work()

    def _join(self) -> None:
        window, flow = self.window, self.flow
        window.asked.connect(self.do)
        window.dropped.connect(lambda paths: flow.describe(*file_orders(paths)))
        window.closing.connect(self._on_closing)
        self.hotkeys.pressed.connect(self._presses.add)
        self._presses.due.connect(self.do)
        self.hotkeys.problems.connect(self._on_hotkey_problems)
        flow.described.connect(self._show)
        flow.completed.connect(window.words.show_words)
        flow.kept.connect(self._pane.added)
        flow.keeping.connect(lambda problem: self._show_problems("keeping", [problem]))
        flow.cleared.connect(self._pane.refresh)
        flow.to_choose_from.connect(self._choice.begin)
        self._choice.picked.connect(lambda part: flow.describe(Order("region", part)))
        self._choice.told.connect(flow.tell)
        self._choice.cancelled.connect(lambda: flow.give_up("No part was chosen."))
        flow.told.connect(window.show_status)
        flow.live_changed.connect(window.show_live)
        self.sources.camera_open.connect(self._on_camera)
        self.sources.cameras_found.connect(self._on_cameras)
        self.captioning.ready.connect(self._on_ready)
        self.captioning.failed.connect(self._on_no_answer)
        self._settings_writer.tried.connect(self._on_settings_tried)
        self.speech.voices.connect(self._on_voices)
        self.speech.failed.connect(lambda sentence: self._show_problems("speech", [sentence]))
        self.speech.started.connect(lambda _: self._show_problems("speech", []))
        self._pane.repeat_requested.connect(flow.say)
        self._pane.opened.connect(self._open_entry)
        self._pane.told.connect(flow.tell)
        self._pane.exported.connect(flow.tell_later)
        self._forgotten.connect(self._pane.refresh)
        self._pane.damaged.connect(self._on_damage)
        self._tray.clicked.connect(window.bring_to_front)

    def _apply(self, settings: Settings) -> None:
        self.settings = self.flow.settings = settings
        self.speech.configure(settings.voice, settings.rate, settings.volume)
        if settings.speech != self._talker.mode:
            self._talker.mode = settings.speech
            self.flow.hush()  # or the voice that was in use would go on
        self.earcons.enabled = settings.earcons
        self.sources.use_camera(settings.camera)
        self.sources.screen = settings.screen
        self._let_go_of_keys(False)
        self.window.show_hotkeys(settings.hotkeys)

    def _load(self) -> None:
        self.window.show_status("Loading the model …")
        self.captioning.load(self.settings.read_text)
        self.sources.find_cameras()  # loads OpenCV, for which the first picture need not wait
        self._tidy_history()
        self._tidying.start()
        if not self.settings.welcomed and self.window.isVisible():
            self._welcome()
        if self._problems["files"]:
            self.window.show_problems(self._problems["files"])
            self.flow.tell_later(" ".join(self._problems["files"]))

    def _tidy_history(self) -> None:
        self.history.tidy(self.settings.keep_days, self._tell_forgotten)

    def _tell_forgotten(self) -> None:
        with contextlib.suppress(RuntimeError):  # the program has ended
            self._forgotten.emit()

    def _show(self, description: Description) -> None:
        self._shown = description
        self.window.show_description(description)

    def _open_entry(self, entry: Entry) -> None:
        try:
            picture = self.history.picture(entry.id) or entry.thumbnail_picture()
        except SeesayError as error:
            self.flow.fail(str(error))
            return
        self._show(Description(entry.caption, picture, entry.source))
        self.flow.remember(entry.caption)
        self.flow.say(entry.caption.spoken)

    def _say_of_shown(self, text: str) -> None:
        if self._shown is None:
            text = "Nothing has been described yet."
        self.flow.say(text)
        self.window.show_status(text)

    def _spell(self) -> None:
        self._say_of_shown(spelled(self._shown.caption.spoken) if self._shown else "")

    def _copy(self) -> None:
        if self._shown is not None:
            QGuiApplication.clipboard().setText(self._shown.caption.spoken)
        self._say_of_shown("Copied.")

    def _describe_clipboard(self) -> None:
        try:
            pictures = clipboard_pictures(QGuiApplication.clipboard().mimeData())
        except SeesayError as error:
            self.flow.fail(str(error))
            return
        many = len(pictures) > 1
        self.flow.describe(*(Order("clipboard", given, one_of_many=many) for given in pictures))

    def _choose_files(self) -> None:
        dialog = QFileDialog(self.window, "Describe pictures", "", _PICTURES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda paths: self.flow.describe(*file_orders(paths)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _on_cameras(self, cameras: list[Camera]) -> None:
        self._cameras = cameras
        then, self._with_cameras = self._with_cameras, None
        if then is not None:
            then()

    def _find_cameras(self, then: Callable[[], None]) -> None:
        """Look which cameras there are, which may take a moment, and go on."""
        self._with_cameras = then
        self.sources.find_cameras()

    def _choose_camera(self) -> None:
        if not self._cameras:
            self.flow.tell(
                "No camera found: connect one, or put the address of a phone's camera into the "
                "settings, under Camera and screen."
            )
            return
        ids = {camera.name: camera.id for camera in self._cameras}
        chosen = [name for name, camera in ids.items() if camera == self.settings.camera]
        dialog = QInputDialog(self.window)
        dialog.setWindowTitle("Choose camera")
        dialog.setLabelText("Camera:")
        dialog.setComboBoxItems([*ids])
        dialog.setTextValue((chosen or [*ids])[0])
        dialog.textValueSelected.connect(lambda name: self._use_camera(name, ids[name]))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _use_camera(self, name: str, camera: str) -> None:
        self._save(replace(self.settings, camera=camera))
        self.flow.tell(f"{name} is the camera now.")

    def _edit_settings(self) -> None:
        dialog = SettingsDialog(
            self.settings, self._voices, self._cameras, list_monitors(), self.window
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.try_out.connect(self.speech.try_out)
        dialog.delete_all.connect(self.flow.clear_history)
        dialog.applied.connect(self._save)
        dialog.told.connect(self.flow.tell)
        # A key that is held back from other programs cannot be typed into its own field.
        dialog.recording.connect(self._let_go_of_keys)
        self.hotkeys.problems.connect(dialog.show_problems)
        dialog.open()

    def _save(self, settings: Settings) -> None:
        former = self.settings
        self._settings_writer.save(settings)
        self._apply(settings)
        if settings.keep_days != former.keep_days:
            self._tidy_history()
        if settings.start_at_login != former.start_at_login:
            try:
                set_start_at_login(settings.start_at_login)
            except SeesayError as error:
                self.flow.tell(str(error))

    def _find(self) -> None:
        self.window.bring_to_front()
        self._pane.focus_search()

    def _welcome(self) -> None:
        welcome = Welcome(self.settings, self.window)
        welcome.finished.connect(lambda _: self._on_welcomed())
        welcome.open()
        # A screen reader says what is on the page by itself.
        if not QAccessible.isActive():
            self.flow.say(welcome.text())

    def _on_welcomed(self) -> None:
        self.flow.hush()
        if not self.settings.welcomed:
            self._save(replace(self.settings, welcomed=True))

    def _on_camera(self, is_open: bool) -> None:
        self.window.show_camera(is_open)
        if is_open:
            self.earcons.play("camera")

    def _on_voices(self, voices: list[Voice]) -> None:
        self._voices = voices

    def _let_go_of_keys(self, let_go: bool) -> None:
        self._let_go = let_go
        self.hotkeys.set({} if let_go else self.settings.hotkeys)

    def _on_hotkey_problems(self, problems: list[str]) -> None:
        if self._let_go:
            return
        if problems and problems != self._problems.get("hotkeys"):
            self.flow.tell_later(" ".join(problems))
        self._show_problems("hotkeys", problems)

    def _on_ready(self) -> None:
        self._show_problems("model", [])
        self.window.show_status("Ready.")

    def _on_no_answer(self, number: int, sentence: str) -> None:
        if number == 0:
            self._show_problems("model", [sentence])

    def _on_settings_tried(self, problem: str) -> None:
        self._show_problems("settings", [problem])
        if problem:
            self.flow.tell_later(problem)

    def _on_damage(self, sentence: str) -> None:
        self._show_problems("history", [sentence])
        self.flow.tell_later(sentence)

    def _show_problems(self, kind: str, problems: list[str]) -> None:
        problems = [problem for problem in problems if problem]
        if problems != self._problems.get(kind, []):
            self._problems[kind] = problems
            self.window.show_problems([one for some in self._problems.values() for one in some])

    def _on_closing(self) -> None:
        if not self._tray.is_there():
            _end()
        else:
            self.window.hide()
            quit_keys = self.window.actions_by_name["quit"].shortcut().toString()
            show_keys = self.settings.hotkeys.get("show")
            self.flow.tell(
                "Seesay goes on in the tray."
                + (f" {show_keys} brings the window back." if show_keys else "")
                + f" {quit_keys} in the window ends it."
            )


def _end() -> None:
    # Not by quit(), which would first ask the window to close: that would be taken for going on
    # in the tray, and told so.
    QApplication.exit(0)
