"""A few kills of what is not killed by a test of its own; ``make torture`` does 500."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("skimage", reason="its photographs are described")


SUBJECTS = ("the command line", "the desktop program", "mending history", "library as XMP files")


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no such handles")
def test_whatever_is_killed_nothing_is_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.kills", "10", *SUBJECTS],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    counts = re.search(r"kills: (\d+) tried, (\d+) survived", done.stdout)
    assert counts is not None
    assert counts[1] == counts[2]
