"""The lock file: fits what the project asks for, and pins every file by its hash."""

import re
import tomllib
from collections.abc import Set
from itertools import chain
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text()
LOCKED = {
    canonicalize_name(name): (version, rest)
    for name, version, rest in re.findall(r"^([\w.-]+)==(\S+)((?:.*\\\n)*.*)", LOCK, re.MULTILINE)
}
LINUX: dict[str, str | Set[str]] = {
    **{name: str(value) for name, value in default_environment().items()},
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "python_version": "3.11",
    "python_full_version": "3.11.7",
}


def asked_for() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [
        *project["dependencies"],
        *chain.from_iterable(project["optional-dependencies"].values()),
    ]


@pytest.mark.parametrize("line", sorted({*asked_for()}))
def test_what_is_asked_for_is_locked(line: str) -> None:
    """Whoever changes a dependency brings the lock up to date; CONTRIBUTING.md tells how."""
    asked = Requirement(line)
    if asked.marker is not None and not asked.marker.evaluate(LINUX):
        return
    version, _ = LOCKED[canonicalize_name(asked.name)]
    assert asked.specifier.contains(version, prereleases=True)


def test_everything_is_pinned_by_hashes() -> None:
    assert len(LOCKED) > 100
    for name, (version, rest) in LOCKED.items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", rest), name
        assert "+" not in version, name  # such as torch without graphics cards


def test_it_names_no_place_to_install_from() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert "nvidia-cudnn" in LOCK
