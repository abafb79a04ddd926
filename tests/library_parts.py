"""What tests of ``seesay library`` share."""

from pathlib import Path

import seesay


def library(*arguments: str | Path) -> int:
    """Run ``seesay library``; gives its exit status."""
    return seesay.main(["library", *map(str, arguments)])
