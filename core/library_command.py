"""``seesay library`` on the command line: what it takes, and how it runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import SeesayError
from core.library_walk import walk

if TYPE_CHECKING:
    from core.library import Engine


def add_parser(
    commands: "argparse._SubParsersAction[Any]",
) -> argparse.ArgumentParser:
    """Add the command to those of ``seesay``; the options of models are left to the caller."""
    parser = commands.add_parser(
        "library",
        help="caption a folder of pictures",
        description="Caption all pictures in a folder and below it. An interrupted run goes on "
        "where it was when the same command is given again; what failed is tried again.",
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
    parser.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="this machine (default), or the Ray cluster that RAY_ADDRESS names; without "
        "RAY_ADDRESS, one is started on this machine",
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

    if options.where and options.format == "xmp":
        raise SeesayError(
            "XMP files have no place for what --where tells: leave it out, or choose another "
            "--format."
        )
    pictures = list(walk(options.folder))  # a wrong name is told before anything is written
    with open_out(options.out, options.format) as out:
        summary = caption_library(_engine(options), options.folder, pictures, out)
    return str(summary), 2 if summary.failed else 0


def _engine(options: argparse.Namespace) -> "Engine":
    wishes = (options.beam, options.text, options.where)
    if options.engine == "local":
        from core.captioner import Captioner
        from core.library import LocalEngine

        return LocalEngine(Captioner.load(options.model, options.device), *wishes)
    try:
        from core.library_ray import RayEngine
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise SeesayError(
            "ray is not installed; install it with: pip install 'seesay[cluster]'"
        ) from error
    return RayEngine(options.model, options.device, *wishes)
