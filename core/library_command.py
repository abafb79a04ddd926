"""``seesay library`` on the command line: what it takes, and how it runs."""

import argparse
from pathlib import Path
from typing import Any


def add_parser(
    commands: "argparse._SubParsersAction[Any]",
) -> argparse.ArgumentParser:
    """Add the command to those of ``seesay``; the options of models are left to the caller."""
    parser = commands.add_parser(
        "library",
        help="caption a folder of pictures",
        description="Caption all pictures in a folder and below it. An interrupted run goes on "
        "where it was when the same command is given again.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the pictures are")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="file that gets a line a picture; with --format xmp, the folder that gets the "
        "files, which may be DIR itself",
    )
    parser.add_argument(
        "--format",
        choices=("jsonl", "csv", "xmp"),
        default="jsonl",
        help="JSON Lines (default), a table, or XMP files with alternative texts",
    )
    parser.add_argument("--where", action="store_true", help="tell where things are as well")
    parser.add_argument("--text", action="store_true", help="read text as well; slower")
    return parser


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Caption the folder; gives what to print at the end, and the exit status.

    Raises:
        SeesayError: if folder, output, model or device cannot be used.
    """
    from core.library import caption_library, open_out

    with open_out(options.out, options.format) as out:
        from core.captioner import Captioner

        captioner = Captioner.load(options.model, options.device)
        summary = caption_library(
            captioner, options.folder, out, options.beam, options.text, options.where
        )
    return str(summary), 2 if summary.failed else 0
