"""What tests of ``seesay library`` share."""

from pathlib import Path

import seesay

# What an engine says of a picture.
SAID = {"caption": "A dog runs.", "spoken": "A dog runs."}


def library(*arguments: str | Path) -> int:
    """Run ``seesay library``; gives its exit status."""
    return seesay.main(["library", *map(str, arguments)])
