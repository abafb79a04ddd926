"""Commands of ``training`` as ``python -m`` runs them, without the seconds of another process."""

import runpy
import sys
from types import ModuleType

import pytest


def status_of(tool: ModuleType, *arguments: object, monkeypatch: pytest.MonkeyPatch) -> object:
    """Run a module as the main one, with these arguments; gives its exit status."""
    assert tool.__file__ is not None
    monkeypatch.setattr(sys, "argv", [tool.__file__, *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(tool.__file__, run_name="__main__")
    return ended.value.code
