"""The program under more than it should get, for seconds; ``make torture`` does it for minutes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("skimage", reason="its photographs are described")
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("Xvfb", "xdotool", "aplay"))),
    reason="needs Xvfb, xdotool and aplay",
)


@pytest.mark.parametrize(
    "arguments", ["hammering 200", "long_day 8", "two_at_once 10 programs_and_commands"]
)
def test_nothing_is_lost_and_nothing_grows(arguments: str) -> None:
    module, *rest = arguments.split()
    done = subprocess.run(
        [sys.executable, "-m", f"tests.torture.{module}", *rest],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r": [1-9]\d*( \w+)? tried, [1-9]\d* survived", done.stdout), done.stdout
