"""Nothing leaves the machine: what captions opens no socket to anywhere, and changes no picture."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import skimage

from tests.torture import privacy

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="strace and namespaces")


def test_captions_and_texts_open_no_socket(tmp_path: Path) -> None:
    """Where a library tries as little as whether there is a network, this fails."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    log = tmp_path / "sockets.log"
    page = Path(skimage.__file__).parent / "data" / "page.png"
    before = hashlib.sha256(page.read_bytes()).digest(), page.stat().st_mtime
    traced = ["strace", "--follow-forks", "--quiet=all", "--trace=network", "-o", str(log)]
    caption = [sys.executable, "-m", "seesay", "caption", "--json", str(page)]
    done = subprocess.run([*traced, *caption], cwd=privacy.ROOT, capture_output=True, text=True)
    if "ptrace" in done.stderr:
        pytest.skip("strace is not allowed here")
    assert done.returncode == 0, done.stderr
    assert '"text": []' not in done.stdout
    assert not re.findall(r"socket\(AF_(?!UNIX|LOCAL)\w+", log.read_text())
    assert (hashlib.sha256(page.read_bytes()).digest(), page.stat().st_mtime) == before


def test_private_mode_leaves_nothing_on_the_disk_and_needs_no_network() -> None:
    wrong = privacy.examine("in private mode")
    if wrong is None:
        pytest.skip("only root may do this, and not with a checkout below /tmp")
    assert wrong == []
