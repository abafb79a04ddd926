"""What tests of ``seesay library`` share."""

import json
from pathlib import Path
from typing import Any

import seesay

# What an engine says of a picture.
SAID = {"caption": "A dog runs.", "spoken": "A dog runs."}


def library(*arguments: str | Path) -> int:
    """Run ``seesay library``; gives its exit status."""
    return seesay.main(["library", *map(str, arguments)])


def objects(path: Path) -> list[dict[str, Any]]:
    """The lines of a file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]
