"""Where Seesay's own files are installed: the one place that knows."""

from pathlib import Path

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
BUILTIN_MODEL = RESOURCES / "model"
