"""A library on a Ray cluster: as on one machine, nothing lost or repeated when somebody dies."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import seesay
from core.captioner import Captioner
from core.library import LocalEngine, caption_library, open_out
from core.library_walk import walk
from tests.desktop_parts import wait_for
from tests.picture_kinds import save_snapshot

ROOT = Path(__file__).resolve().parent.parent

# In each process of the cluster: who opens a "deadly" picture is killed; so is the first that
# opens an "unlucky" one.
KILLS = """
import os, signal, sys

def hook(event, arguments):
    if event == "open":
        name = os.path.basename(str(arguments[0]))
        if name.startswith("unlucky"):
            try:
                os.mkdir(os.path.join(os.path.dirname(__file__), name))
            except FileExistsError:
                return
        if name.startswith(("deadly", "unlucky")):
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
"""


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where it is noted which unlucky pictures have killed somebody."""
    folder = tmp_path_factory.mktemp("deaths")
    (folder / "sitecustomize.py").write_text(KILLS)
    return folder


@pytest.fixture(scope="module")
def cluster(deaths: Path) -> Iterator[str]:
    """The address of a cluster of two machines with a processor each, and a head that has none."""
    pytest.importorskip("ray", reason="ray is not installed: pip install 'seesay[cluster]'")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(deaths))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")
        cluster = Cluster(True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        for _ in range(2):
            cluster.add_node(num_cpus=1, memory=2 * 1024**3)
    yield cluster.address
    cluster.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty pictures."""
    folder = tmp_path / "photos"
    for number in range(40):
        save_snapshot(folder / f"{number:03}.png", number)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "said.jsonl"


def command(folder: Path, out: Path, model: Path) -> list[str]:
    return ["library", str(folder), "--out", str(out), "--model", str(model), "--engine", "ray"]


def said(out: Path) -> dict[str, str]:
    """What the lines of a file say, by name."""
    lines = [json.loads(line) for line in out.read_bytes().splitlines()]
    spoken = {line["path"]: line.get("spoken") or line["error"] for line in lines}
    assert len(spoken) == len(lines)  # nothing twice
    return spoken


def said_here(folder: Path, model: Path) -> dict[str, str]:
    path = folder.with_name("here.jsonl")
    with open_out(path, "jsonl") as opened:
        engine = LocalEngine(Captioner.load(model, "cpu"), 3)
        caption_library(engine, folder, list(walk(folder)), opened)
    return said(path)


# First, while the cluster of the others does not run.
def test_a_cluster_of_its_own(tmp_path: Path, out: Path, tiny_model: Path) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'seesay[cluster]'")
    save_snapshot(tmp_path / "photos" / "only.png")
    environment = {**os.environ, "HOME": str(tmp_path / "home")}
    environment.pop("RAY_ADDRESS", None)
    arguments = command(tmp_path / "photos", out, tiny_model)
    run = subprocess.run(
        [sys.executable, "-m", "seesay", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout) == (0, "1 captioned.\n"), run.stderr
    assert run.stderr.splitlines()[-1].lstrip().startswith("100%")
    assert "ray" not in run.stderr.lower()
    assert not (tmp_path / "home").exists()  # no keys of clusters are left there


def test_a_worker_that_is_killed_is_replaced(
    folder: Path,
    out: Path,
    tiny_model: Path,
    cluster: str,
    deaths: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "000.png").rename(folder / "unlucky.png")
    (folder / "001.png").rename(folder / "deadly.png")
    (folder / "002.png").write_bytes((folder / "003.png").read_bytes()[:300])
    monkeypatch.setenv("RAY_ADDRESS", cluster)
    assert seesay.main(command(folder, out, tiny_model)) == 2
    spoken, here = said(out), said_here(folder, tiny_model)
    assert (deaths / "unlucky.png").exists()
    assert "another takes its place" in capsys.readouterr().err
    assert spoken.pop("deadly.png").startswith("deadly.png ends the program")
    del here["deadly.png"]
    assert spoken == here


def test_a_driver_that_is_killed_goes_on(
    folder: Path, out: Path, tiny_model: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40, 200):  # so many that it is not through before it is killed
        save_snapshot(folder / f"{number:03}.png", number)
    monkeypatch.setenv("RAY_ADDRESS", cluster)
    arguments = command(folder, out, tiny_model)
    driver = [sys.executable, "-m", "seesay", *arguments]
    with subprocess.Popen(driver, cwd=ROOT, stderr=subprocess.DEVNULL) as run:
        wait_for(lambda: out.exists() and out.stat().st_size, "the first lines", timeout=280)
        run.send_signal(signal.SIGKILL)
    assert out.read_bytes().count(b"\n") < 200
    assert seesay.main(arguments) == 0
    assert said(out) == said_here(folder, tiny_model)


def test_no_such_cluster(
    folder: Path,
    out: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'seesay[cluster]'")
    monkeypatch.setenv("RAY_ADDRESS", "nonsense")
    assert seesay.main(command(folder, out, tiny_model)) == 2
    assert "The Ray cluster nonsense cannot be used" in capsys.readouterr().err


def test_ray_is_not_installed(
    folder: Path,
    out: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delitem(sys.modules, "core.library_ray", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert seesay.main(command(folder, out, tiny_model)) == 2
    assert "pip install 'seesay[cluster]'" in capsys.readouterr().err
