"""Runs work in forks of a warm process, and kills it by ``kill -9`` at a chosen instant."""

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.torture.processes import processes

_ENDS_WITHIN = 20.0  # seconds, of what a killed process has started


class Killer:
    """Forks this process, which has imported what takes long, and must have no other threads.

    Args:
        folder: gets what the work writes to its output and of its errors.
    """

    def __init__(self, folder: Path) -> None:
        self.said = folder / "stdout.txt"
        self._errors = folder / "stderr.txt"
        self._sessions: set[int] = set()

    def run(self, work: Callable[[], None], seconds: float) -> bool:
        """Do some work in a process of its own, and kill it after so many seconds.

        Returns:
            whether it was killed; False if it was done before.

        Raises:
            AssertionError: if it failed before, with what it told.
        """
        child = os.fork()
        if child == 0:
            self._work(work)
        self._sessions.add(child)
        end = os.pidfd_open(child)
        select.select([end], [], [], seconds)
        os.close(end)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, self._errors.read_text()[-2000:]
        return os.WIFSIGNALED(status)

    def finish(self, work: Callable[[], None]) -> float:
        """Do some work to its end; gives the seconds that it took."""
        began = time.monotonic()
        assert not self.run(work, 300), "it does not end"
        return time.monotonic() - began

    def check_orphans(self) -> None:
        """All that the killed processes had started has ended, too."""
        deadline = time.monotonic() + _ENDS_WITHIN
        while orphans := [one.command for one in processes() if one.session in self._sessions]:
            assert time.monotonic() < deadline, f"processes are left: {orphans}"
            time.sleep(0.1)

    def _work(self, work: Callable[[], None]) -> None:
        """In the child."""
        status = 1
        try:
            os.setsid()
            for path, number in ((self.said, 1), (self._errors, 2)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            work()
            sys.stdout.flush()
            status = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(status)
