"""What several test files share: a small model with random weights, a screen, a loudspeaker."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# Before Qt is imported: windows of tests in this process stay invisible.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
# Where tests run beside each other, each takes one processor, and so do the programs it starts.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import pytest
from pytestqt.qtbot import QtBot

from desktop.speech import Speech
from tests.desktop_parts import a_display
from tests.sound_parts import Loudspeaker
from tests.speech_parts import LIMIT, QUICK
from tests.tiny_models import save_tiny_model

# How long an example takes is a matter of the machine, and of what else it does.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

# Files that take longest come first: one that began last would run alone, with all but one
# processor idle. Those with the most tests are not those, as pytest-xdist would have it.
_LONGEST = (
    "test_distributed",
    "test_library_ray",
    "test_desktop",
    "test_live",
    "test_export",
    "test_training_kills",
    "test_command",
    "test_training",
    "test_torture_program",
    "test_torture_kills",
    "test_library_kills",
)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait for speech, a camera or a window."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests, those of a file still in its order."""
    place = {name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model with random weights; see `save_tiny_model`."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_tiny_model(folder)
    return folder


@pytest.fixture(scope="session")
def x_display() -> Iterator[str]:
    """The name of an X display, 1280 x 800 with 24 bits, that nobody else uses."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    with a_display() as display:
        yield display


@pytest.fixture
def loudspeaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loudspeaker]:
    """A sound device whose sound can be looked at, for whoever plays something."""
    loudspeaker = Loudspeaker(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield loudspeaker
    loudspeaker.switch_off()


@pytest.fixture
def speech(loudspeaker: Loudspeaker, qtbot: QtBot) -> Iterator[Speech]:
    """Speech that is ready to speak."""
    speech = Speech()
    speech.configure("", QUICK, 100)
    with qtbot.waitSignal(speech.voices, timeout=LIMIT):
        pass
    yield speech
    speech.close()
