"""The package as others get it: the wheel, what importing costs, and who may import whom."""

import ast
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "desktop", "training")
MODEL = "resources/model/model.safetensors"


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that must find nothing through the folder of this repository."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation")
    built = run(*pip, "--wheel-dir", folder, ROOT, cwd=folder)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("seesay-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the programs folder of a new environment with the wheel in it.

    The heavy dependencies are borrowed from the environment of the tests through a .pth file.
    Its own .pth files are not read there, so the editable install of this folder stays out.
    """
    home = tmp_path_factory.mktemp("environment")
    made = run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    assert made.returncode == 0, made.stderr
    python = home / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps")
    put_in = run(*pip, wheel, cwd=home)
    assert put_in.returncode == 0, put_in.stderr
    (site_packages,) = home.glob("lib/python3*/site-packages")
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


def test_wheel_holds_the_rooms_and_their_licence_but_no_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {"core", "training", "seesay.py"} <= tops
    others = tops - {*ROOMS, "resources", "seesay.py"}
    assert [name.partition("-")[0] for name in others] == ["seesay"]  # seesay-….dist-info
    assert any(name.endswith("/LICENSE") for name in names)
    pictures = {".webp", ".jpg", ".jpeg"}
    assert not [name for name in names if Path(name).suffix in pictures or "dataset_" in name]


def test_wheel_holds_the_model(wheel: Path) -> None:
    if not (ROOT / MODEL).exists():
        pytest.skip(f"{MODEL} is not there yet")
    with zipfile.ZipFile(wheel) as archive:
        assert {MODEL, "resources/model/config.json"} <= set(archive.namelist())
        assert archive.getinfo(MODEL).file_size == (ROOT / MODEL).stat().st_size


def test_installed_wheel_captions_from_another_folder(installed: Path, tmp_path: Path) -> None:
    found = run(
        installed / "python", "-c", "import core, seesay; print(seesay.__file__)", cwd=tmp_path
    )
    assert found.stdout.startswith(str(installed.parent)), found.stdout + found.stderr
    if not (ROOT / MODEL).exists():
        pytest.skip(f"{MODEL} is not there yet")
    sky = np.linspace((90, 140, 220), (230, 240, 250), 160)  # (160, 3): rows from top to bottom
    pixels = np.repeat(sky[:, None], 240, axis=1).astype(np.uint8)  # (160, 240, 3)
    pixels[100:, :, :] = (60, 130, 50)
    pixels[60:140, 90:150, :] = (170, 60, 40)
    Image.fromarray(pixels).save(tmp_path / "a picture.png")
    answer = run(installed / "seesay", "caption", "--json", "a picture.png", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert told["path"] == "a picture.png"
    assert told["spoken"]
    assert 0 <= told["confidence"] <= 1


@pytest.mark.parametrize(
    "statement",
    [
        "import core",
        "import core.picture",
        "import core.caption",
        "import sys, seesay; sys.argv = ['seesay', '--help']; seesay.main()",
        "import sys, seesay; sys.argv = ['seesay', 'caption', '--help']; seesay.main()",
    ],
)
def test_light_doors_do_not_import_torch(statement: str) -> None:
    at_exit = "import atexit, sys; atexit.register(lambda: print('TORCH', 'torch' in sys.modules))"
    done = run(sys.executable, "-c", f"{at_exit}\n{statement}", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "TORCH False"


def imported_packages(room: str) -> Iterator[tuple[Path, str]]:
    """Yield every module of a room with each top-level package it imports, anywhere in it."""
    for module in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if node.level == 0 else []
            else:
                continue
            yield from ((module, name.split(".")[0]) for name in names)


@pytest.mark.parametrize(
    ("room", "strangers"),
    [
        ("core", {"desktop", "training", "seesay", "PySide6", "pyttsx3"}),
        ("desktop", {"training", "seesay"}),
        ("training", {"desktop", "seesay", "PySide6"}),
    ],
)
def test_rooms_keep_to_themselves(room: str, strangers: set[str]) -> None:
    assert [
        f"{module.relative_to(ROOT)} imports {package}"
        for module, package in imported_packages(room)
        if package in strangers
    ] == []
