"""What runs the heavy tests: bounded, whatever they do."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from tests.desktop_parts import wait_for
from tests.torture.__main__ import BY_THE_CLOCK, BY_THE_PROCESSOR, main, run
from tests.torture.processes import processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

# Starts a process in a session of its own, which would never end.
HANGS = """
import subprocess, sys
child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
print("sleeps:", child.pid)
child.wait()
"""


def test_one_that_hangs_is_ended_with_all_that_it_has_started(
    capfd: pytest.CaptureFixture[str],
) -> None:
    command = [sys.executable, "-c", HANGS]
    began = time.monotonic()
    assert not asyncio.run(run("hanging", command, 2.0))
    assert time.monotonic() - began < 5
    title, told, closing = capfd.readouterr().out.splitlines()
    assert title.startswith("== hanging, 2 s")
    assert closing == "hanging: failed, as it had not ended after 2 s"
    child = int(told.split()[-1])
    wait_for(lambda: child not in [one.number for one in processes()], "its end")


def test_what_one_that_died_has_left_is_ended(capfd: pytest.CaptureFixture[str]) -> None:
    dies = "import os, subprocess; print(subprocess.Popen(['sleep', '1000']).pid); os.abort()"
    assert not asyncio.run(run("dying", [sys.executable, "-c", dies], 20))
    _, told, closing = capfd.readouterr().out.splitlines()
    assert closing == "dying: failed, with the status -6"
    wait_for(lambda: int(told) not in [one.number for one in processes()], "its end")


@pytest.mark.parametrize(("script", "well"), [("print('done')", True), ("raise OSError", False)])
def test_what_it_told_is_printed_and_how_it_ended(
    script: str, well: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    assert asyncio.run(run("short", [sys.executable, "-c", script], 20)) == well
    *_, last = capfd.readouterr().out.splitlines()
    assert last == ("done" if well else "short: failed, with the status 1")


def test_all_of_them_are_bounded_and_there() -> None:
    for limits in (BY_THE_CLOCK, BY_THE_PROCESSOR):
        assert sum(limits.values()) <= 20 * 60
        for name in limits:
            assert (Path(__file__).parent / "torture" / f"{name}.py").exists()


def test_a_name_of_none_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(main(["kils"])) == 2
    assert "there is no kils" in capfd.readouterr().err
