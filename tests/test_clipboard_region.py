"""The clipboard's pictures, and choosing a part of the screen by mouse and by keys."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QRect, QSize, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from core.errors import PictureError
from core.picture import Picture, open_picture
from desktop.clipboard import clipboard_pictures
from desktop.region import RegionPicker, part_in_words


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "a photo.png"
    Image.new("RGB", (30, 20), "red").save(path)
    return path


def test_a_copied_picture(qapp: QGuiApplication) -> None:
    image = QImage(33, 21, QImage.Format.Format_RGB888)  # rows are padded to whole words
    image.fill(QColor(10, 200, 30))
    image.setPixelColor(32, 20, QColor(1, 2, 3))
    clipboard = QGuiApplication.clipboard()
    clipboard.setImage(image)
    (source,) = clipboard_pictures(clipboard.mimeData())
    picture = open_picture(source)
    assert (picture.width, picture.height) == (33, 21)
    assert picture.pixels[0, 0].tolist() == [10, 200, 30]
    assert picture.pixels[20, 32].tolist() == [1, 2, 3]


def test_a_copied_picture_that_is_transparent_lies_on_white() -> None:
    image = QImage(8, 8, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    mime = QMimeData()
    mime.setImageData(image)
    assert open_picture(clipboard_pictures(mime)[0]).pixels.min() == 255


def test_copied_files_come_before_their_icon(photo: Path, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(photo)), QUrl.fromLocalFile(str(tmp_path / "b.png"))])
    mime.setImageData(QImage(8, 8, QImage.Format.Format_RGB888))
    assert clipboard_pictures(mime) == [str(photo), str(tmp_path / "b.png")]


@pytest.mark.parametrize("form", ["{path}", '"{path}"', " {path}\n", "{url}", "{path}\n{path}"])
def test_a_copied_path(photo: Path, form: str) -> None:
    mime = QMimeData()
    mime.setText(form.format(path=photo, url=QUrl.fromLocalFile(str(photo)).toString()))
    assert set(clipboard_pictures(mime)) == {str(photo)}


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", "/no/such/file.png", "https://example.org/a.png", "a\0b", "/" * 9999),
        *("~5 minutes", "~nobody/a.png", "~\0"),
    ],
)
def test_nothing_usable(text: str) -> None:
    mime = QMimeData()
    mime.setText(text)
    with pytest.raises(PictureError, match="no picture on the clipboard: copy a picture or"):
        clipboard_pictures(mime)


def test_a_folder_in_the_text_is_no_picture(tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setText(f"{tmp_path}\nand more")
    with pytest.raises(PictureError):
        clipboard_pictures(mime)


@pytest.fixture
def whole() -> Picture:
    """Each pixel tells where it is: red counts columns of 10, green rows of 10."""
    rows, columns = np.mgrid[0:720, 0:1280] // 10
    pixels = np.dstack([columns, rows, np.zeros_like(rows)]).astype(np.uint8)
    return Picture(pixels, "screen")


@pytest.fixture
def picker(qapp: QGuiApplication, whole: Picture) -> Iterator[RegionPicker]:
    picker = RegionPicker(whole)
    picker.resize(640, 400)  # the picture fills 640 x 360 of it, from y = 20
    picker.show()
    yield picker
    if isValid(picker):  # else it was closed, which deletes it
        picker.close()


def press(picker: RegionPicker, *keys: str) -> str:
    """Press keys such as "Shift+Left"; the last thing that was told."""
    told: list[str] = []
    picker.told.connect(told.append)
    for key in keys:
        *modifiers, name = key.split("+")
        modifier = Qt.KeyboardModifier.NoModifier
        for held in modifiers:
            modifier |= Qt.KeyboardModifier[f"{held}Modifier"]
        QTest.keyClick(picker, Qt.Key[f"Key_{name}"], modifier)
    return told[-1] if told else ""


@pytest.mark.parametrize(
    ("keys", "told", "part"),
    [
        (["Control+Left"], "Left half, 640 by 720", QRect(0, 0, 640, 720)),
        (["Control+Down"], "Lower half, 1280 by 360", QRect(0, 360, 1280, 360)),
        (["1"], "Upper left ninth, 427 by 240", QRect(0, 0, 427, 240)),
        (["5"], "Middle ninth, 426 by 240", QRect(427, 240, 426, 240)),
        (["9"], "Lower right ninth, 427 by 240", QRect(853, 480, 427, 240)),
        (["9", "0"], "Whole screen, 1280 by 720", QRect(0, 0, 1280, 720)),
        (["Left"], "Whole screen, 1280 by 720", QRect(0, 0, 1280, 720)),
        (["5", "Right", "Right"], "In the middle, 426 by 240, 533", QRect(533, 240, 426, 240)),
        (["5", "Shift+Down"], "In the middle, 426 by 270, 427 from", QRect(427, 240, 426, 270)),
        (["Shift+Left"] * 12, "Left half, 644 by 720", QRect(0, 0, 644, 720)),
        (["1", *["Shift+Up"] * 40], "In the upper left, 427 by 16, 0", QRect(0, 0, 427, 16)),
        (["1", *["Down"] * 40], "Lower left ninth, 427 by 240", QRect(0, 480, 427, 240)),
    ],
)
def test_keys_choose_and_tell(
    picker: RegionPicker, keys: list[str], told: str, part: QRect
) -> None:
    assert press(picker, *keys).startswith(told)
    assert picker.part == part
    assert told in picker.accessibleDescription()


def test_enter_gives_that_part_of_the_very_picture(
    qtbot: QtBot, picker: RegionPicker, whole: Picture
) -> None:
    with qtbot.waitSignal(picker.picked) as picked, qtbot.assertNotEmitted(picker.cancelled):
        press(picker, "9", "Return")
    (part,) = picked.args
    assert isinstance(part, Picture)
    assert np.array_equal(part.pixels, whole.pixels[480:720, 853:1280])
    assert not picker.isVisible()


def test_escape_cancels(qtbot: QtBot, picker: RegionPicker) -> None:
    with qtbot.waitSignal(picker.cancelled), qtbot.assertNotEmitted(picker.picked):
        press(picker, "Escape")
    assert not picker.isVisible()


def drag(picker: RegionPicker, start: QPoint, end: QPoint) -> None:
    QTest.mousePress(picker, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(picker, end)
    QTest.mouseRelease(picker, Qt.MouseButton.LeftButton, pos=end)


def test_the_mouse_draws_a_rectangle(qtbot: QtBot, picker: RegionPicker, whole: Picture) -> None:
    with qtbot.waitSignal(picker.picked) as picked:
        drag(picker, QPoint(300, 220), QPoint(100, 120))  # from the lower right
    assert np.array_equal(picked.args[0].pixels, whole.pixels[200:400, 200:600])


def test_a_drag_beyond_the_picture_and_a_click(qtbot: QtBot, picker: RegionPicker) -> None:
    with qtbot.assertNotEmitted(picker.picked):
        drag(picker, QPoint(100, 100), QPoint(100, 100))
    with qtbot.waitSignal(picker.picked) as picked:
        drag(picker, QPoint(320, 200), QPoint(639, 399))
    part = picked.args[0]
    assert (part.width, part.height) == (638, 360)


def test_how_to_choose_is_told_and_the_part_is_shown(qtbot: QtBot, whole: Picture) -> None:
    picker = RegionPicker(whole)
    qtbot.addWidget(picker)
    with qtbot.waitSignal(picker.told) as told:
        picker.show()
    assert "Enter describes the part, Escape cancels" in told.args[0]
    assert picker.accessibleName() == "Choose a part of the screen"

    picker.resize(640, 360)
    press(picker, "5")
    shown = picker.grab().toImage()
    inside, outside = shown.pixelColor(320, 180), shown.pixelColor(600, 340)
    assert (inside.red(), inside.green()) == (64, 36)
    assert outside.red() < 70  # half of the 120 that the picture has there
    border = {shown.pixelColor(x, 180).name() for x in range(210, 240)}
    assert {"#000000", "#ffff00"} <= border


def test_small_pictures_have_parts(qapp: QGuiApplication) -> None:
    picker = RegionPicker(Picture(np.zeros((3, 5, 3), np.uint8), "screen"))
    press(picker, "5", "Shift+Left", "Left")
    assert picker.part == QRect(0, 0, 5, 3)
    assert part_in_words(QRect(1, 1, 1, 1), QSize(5, 3))
