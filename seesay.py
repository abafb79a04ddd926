"""The front door: the ``seesay`` command, which imports each room only when it is called for."""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from core.errors import PictureError, SeesayError
from core.library_command import add_parser as add_library_parser
from desktop.history_command import add_parser as add_history_parser

if TYPE_CHECKING:
    from core.caption import Caption
    from core.picture import Picture

_MOST_BEAMS = 50
_TRAIN_EXTRA = ("matplotlib", "pycocoevalcap", "scipy", "tensorboard")

_EXAMPLES = """\
Without a command, the desktop program starts.

examples:
  seesay caption photo.jpg                 say what is in a picture
  seesay caption --speak photo.jpg         say it aloud as well
  seesay library photos --out said.jsonl   caption a whole folder
  seesay history search dog                find what was said before
  seesay evaluate --data data/flickr8k     score the model on a data set

"seesay COMMAND --help" tells more about a command."""

_CAPTION_EXAMPLES = """\
examples:
  seesay caption photo.jpg garden.png      one sentence a picture, in this order
  seesay caption - < photo.jpg             a picture from standard input
  seesay caption --json *.jpg              one JSON object a line and picture
  seesay caption --attention why.png photo.jpg
                                           a figure of where the model looked

A picture that cannot be read gets a sentence that says why; the others still get
theirs, and the exit status is 2. A name that starts with "-" goes after "--"."""


def main(argv: list[str] | None = None) -> int:
    """Run the command; gives the exit status.

    Args:
        argv: arguments without the program's name; those of this process by default.

    Raises:
        SystemExit: after ``--help``, and with status 2 for arguments that make no sense.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    if options.version:
        from importlib.metadata import version

        print("seesay", version("seesay"))
        return 0
    if options.command is None:
        options = parser.parse_args(["app"])
    try:
        return options.run(options)
    except SeesayError as error:
        _warn(error)
        return 2
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _TRAIN_EXTRA:
            raise
        _warn(f"{missing} is not installed; install it with: pip install 'seesay[train]'")
        return 2
    except KeyboardInterrupt:
        return 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"seesay: {message}; see {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="seesay",
        description="Says in plain English what is in a picture, on your own computer.",
        epilog=_EXAMPLES,
        formatter_class=layout,
    )
    parser.add_argument("--version", action="store_true", help="show the version and stop")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    app = commands.add_parser(
        "app",
        help="start the desktop program",
        description="Start the desktop program; where it runs already, ask it.",
    )
    app.set_defaults(run=_app)
    app.add_argument("paths", nargs="*", metavar="PATH", help="picture file to describe at once")
    app.add_argument("--do", choices=_names_of_actions(), default="", help="do this at once")
    app.add_argument("--minimised", action="store_true", help="start in the tray")
    app.add_argument(
        "--model", type=Path, metavar="DIR", help="folder of a model (default: the built-in one)"
    )

    caption = commands.add_parser(
        "caption",
        help="say what is in pictures",
        description="Say what is in each picture, and how sure that is.",
        epilog=_CAPTION_EXAMPLES,
        formatter_class=layout,
    )
    caption.set_defaults(run=_caption)
    caption.add_argument("paths", nargs="+", metavar="PATH", help='picture file; "-": stdin')
    caption.add_argument("--json", action="store_true", help="print one JSON object a picture")
    caption.add_argument("--speak", action="store_true", help="read each sentence aloud")
    caption.add_argument(
        "--where", action="store_true", help="say where the things in the sentence are"
    )
    caption.add_argument("--no-text", action="store_true", help="do not read text in pictures")
    caption.add_argument(
        "--save-speech",
        type=_output_file(".wav"),
        metavar="OUT.wav",
        help="save all sentences as speech, in one WAV file",
    )
    caption.add_argument(
        "--attention",
        type=_output_file(".png"),
        metavar="OUT.png",
        help="save a figure of where the model looked for each word; with several pictures, "
        "OUT-1.png for the first, OUT-2.png for the second and so on",
    )
    _add_model_options(caption)

    library = add_library_parser(commands)
    library.set_defaults(run=_library)
    _add_model_options(library)

    add_history_parser(commands).set_defaults(run=_history)

    train = commands.add_parser(
        "train",
        help="train a model",
        description="Train a model as a TOML file describes it; see training/configs/.",
    )
    train.set_defaults(run=_train)
    train.add_argument("config", type=Path, metavar="CONFIG.toml", help="description of the run")
    train.add_argument("--resume", action="store_true", help="go on with an interrupted run")

    evaluate = commands.add_parser(
        "evaluate",
        help="score a model",
        description="Score a model on a data set with the field's standard figures.",
    )
    evaluate.set_defaults(run=_evaluate)
    evaluate.add_argument("--data", type=Path, required=True, metavar="DIR", help="data set")
    evaluate.add_argument("--split", default="test", help="part of it: val or test (default)")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    evaluate.add_argument(
        "--trust",
        action="store_true",
        help="score the confidence instead, by people's judgements (Flickr8k)",
    )
    evaluate.add_argument(
        "--plots", type=Path, metavar="DIR", help="with --trust: save its curves as PNG there"
    )
    _add_model_options(evaluate)
    return parser


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--beam",
        type=_beam,
        default=3,
        metavar="N",
        help=f"sentences weighed up at once, 1 to {_MOST_BEAMS}; 1 is fastest (default: 3)",
    )
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where the model runs (default: auto, the fastest that is there)",
    )
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="folder of a model (default: the built-in one)"
    )


def _names_of_actions() -> list[str]:
    from desktop.actions import ACTIONS

    return [action.name for action in ACTIONS]


def _beam(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_BEAMS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {_MOST_BEAMS}")
    return int(text)


def _output_file(suffix: str) -> Callable[[str], Path]:
    """Checks before any work that a file can probably be written."""

    def check(text: str) -> Path:
        path = Path(text)
        if path.suffix.lower() != suffix:
            raise argparse.ArgumentTypeError(f"{text!r} must end in {suffix}")
        if not path.parent.is_dir():
            raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}")
        if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
            raise argparse.ArgumentTypeError(f"{text!r} cannot be written")
        return path

    return check


def _app(options: argparse.Namespace) -> int:
    from desktop.app import run

    return run(options.paths, options.do, options.minimised, options.model)


def _caption(options: argparse.Namespace) -> int:
    figures = _figure_paths(options.attention, options.paths)
    _prepare_output(options.json)
    from core.captioner import Captioner
    from core.stream import describe
    from core.where import spoken_with_places

    captioner = Captioner.load(options.model, options.device)
    # What nobody asks for would only take time.
    places = options.where or options.json or options.attention is not None
    results = describe(captioner, options.paths, options.beam, not options.no_text, places)
    aloud, failed, sentences = options.speak, False, []
    for (path, picture, caption), figure in zip(results, figures, strict=True):
        if isinstance(picture, PictureError) or caption is None:
            failed, spoken = True, str(picture)
            if options.json:
                _tell(json.dumps({"path": path, "error": spoken}, ensure_ascii=False))
            else:
                _warn(spoken)
        else:
            spoken = spoken_with_places(caption) if options.where else caption.spoken
            sentences.append(spoken)
            if options.json:
                _tell(json.dumps(caption.to_dict(), ensure_ascii=False, allow_nan=False))
            else:
                _tell(_line(caption, spoken, named=len(options.paths) > 1))
            if figure is not None:
                failed |= not _save_figure(picture, caption, figure)
        # Where nothing can be played, the first sentence tells so, and the captions go on.
        aloud = aloud and _speak(spoken)
    if options.save_speech is not None and sentences:
        from desktop.voice import save_speech

        save_speech(" ".join(sentences), options.save_speech)
    return 2 if failed else 0


def _line(caption: "Caption", spoken: str, named: bool) -> str:
    path = caption.path
    name = f"{path if path.isprintable() else repr(path)}: " if named else ""
    if not caption.is_sentence_said:  # the confidence is that of the sentence
        return name + spoken
    return f"{name}{spoken} (confidence {caption.confidence:.0%})"


def _figure_paths(wanted: Path | None, paths: list[str]) -> list[Path | None]:
    if wanted is None:
        return [None] * len(paths)
    figures = [wanted]
    if len(paths) > 1:
        numbers = range(1, len(paths) + 1)
        figures = [wanted.with_stem(f"{wanted.stem}-{number}") for number in numbers]
    pictures = {os.path.realpath(path) for path in paths}
    for figure in figures:
        if os.path.realpath(figure) in pictures:
            raise SeesayError(
                f"--attention would write over the picture {figure}; give another name."
            )
    return list(figures)


def _save_figure(picture: "Picture", caption: "Caption", path: Path) -> bool:
    from core.model_folder import replace_file
    from core.overlay import draw_attention

    figure = io.BytesIO()
    draw_attention(picture, caption).save(figure, "png")
    try:
        replace_file(path, figure.getvalue())
    except OSError as error:
        _warn(f"The figure {path} cannot be written ({error.strerror}); choose another place.")
        return False
    return True


def _speak(sentence: str) -> bool:
    from desktop.voice import VoiceError, speak

    try:
        speak(sentence)
    except VoiceError as error:
        _warn(error)
        return False
    return True


def _library(options: argparse.Namespace) -> int:
    from core.library_command import run

    summary, status = run(options)
    _tell(summary)
    return status


def _history(options: argparse.Namespace) -> int:
    from desktop.history_command import lines

    _prepare_output(getattr(options, "json", False))
    for line in lines(options):
        _tell(line)
    return 0


def _train(options: argparse.Namespace) -> int:
    from training.config import read_config
    from training.train import train

    best = train(read_config(options.config), options.resume, options.config)
    if os.environ.get("RANK", "0") == "0":  # of torchrun's processes, one tells it
        _tell(f"The best model is in {best}.")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    _prepare_output(options.json)
    if options.plots is not None and not options.trust:
        raise SeesayError("--plots draws what --trust measures; give both.")
    arguments = (options.data, options.split, options.beam, options.device, options.model)
    if options.trust:
        from training.trust import evaluate_trust

        figures = evaluate_trust(*arguments, options.plots)
    else:
        from training.evaluate import evaluate

        figures = evaluate(*arguments)
    if options.json:
        _tell(json.dumps(figures, ensure_ascii=False, allow_nan=False))
        return 0
    for name, value in figures.items():
        _tell(f"{name:<12} {'not scored' if value is None else value}")
    return 0


def _prepare_output(as_json: bool) -> None:
    """JSON is UTF-8 whatever the locale says; what cannot be written is escaped.

    A name's undecodable byte becomes \\udcXX, which in JSON stands for the very same name.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = "utf-8" if as_json else sys.stdout.encoding
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def _tell(line: str) -> None:
    """Print at once, for whoever waits at the other end of a pipe."""
    try:
        print(line, flush=True)
    except OSError as error:
        # What is left in the buffer must not fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # such as "| head -1", which is no mistake
            sys.exit(128 + 13)  # as if ended by SIGPIPE
        raise SeesayError(
            f"Standard output cannot be written ({error.strerror}); make room or redirect it."
        ) from error


def _warn(problem: SeesayError | str) -> None:
    print(f"seesay: {problem}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
