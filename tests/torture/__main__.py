"""All heavy tests, two beside each other: ``python -m tests.torture [SUBJECT...]``.

What a subject prints comes whole once it has ended, so that their lines do not mix.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.torture.processes import kill_session

_ROOT = Path(__file__).resolve().parent.parent.parent

# Two lanes of subjects, and the seconds within which each has to end: together at most 20 minutes.
# These measure how long something takes, or mostly wait:
BY_THE_CLOCK = {
    "long_day": 400,
    "two_at_once": 180,
    "hammering": 240,
    "mischief": 180,
    "privacy": 120,
    "bad_homes": 80,
}
# These keep a processor busy whatever happens beside them, and give way to the others:
BY_THE_PROCESSOR = {"kills": 540, "bad_models": 340, "bad_pictures": 220, "bad_files": 100}


async def run(title: str, command: Sequence[str], limit: float) -> bool:
    """Run one subject, and print what it told.

    Args:
        title: of what is printed.
        command: a program and its arguments.
        limit: seconds after which it is ended, with all that it has started.

    Returns:
        Whether it ended by itself, with the status 0.
    """
    began = time.monotonic()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}  # to see how far one came that hangs
    with tempfile.TemporaryFile() as told:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=_ROOT,
            env=environment,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )
        status: int | None = None
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    status = await process.wait()
        finally:  # also when this program is ended, or the subject died
            kill_session(process.pid)
            await process.wait()
        seconds = time.monotonic() - began
        told.seek(0)
        lines = [f"== {title}, {seconds:.0f} s", *told.read().decode(errors="replace").splitlines()]
    if status is None:
        lines.append(f"{title}: failed, as it had not ended after {limit:.0f} s")
    elif status:
        lines.append(f"{title}: failed, with the status {status}")
    print("\n".join(lines), flush=True)
    return status == 0


async def _lane(limits: Mapping[str, float], niceness: int) -> list[bool]:
    """Run subjects one after the other."""
    python = ["nice", "-n", str(niceness), sys.executable, "-m"]
    return [
        await run(name, [*python, f"tests.torture.{name}"], limit) for name, limit in limits.items()
    ]


async def main(wanted: Sequence[str]) -> int:
    """Run all subjects, or those that are wanted; gives the exit status."""
    began = time.monotonic()
    if unknown := {*wanted} - {*BY_THE_CLOCK, *BY_THE_PROCESSOR}:
        print(f"torture: there is no {', '.join(unknown)}", file=sys.stderr)
        return 2
    lanes = [
        {name: limit for name, limit in lane.items() if name in wanted or not wanted}
        for lane in (BY_THE_CLOCK, BY_THE_PROCESSOR)
    ]
    first, second = await asyncio.gather(_lane(lanes[0], 0), _lane(lanes[1], 10))
    survived = [*first, *second]
    print(
        f"torture: {len(survived)} subjects tried, {sum(survived)} survived, "
        f"{time.monotonic() - began:.0f} s"
    )
    return int(not all(survived))


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
