"""The heavy test of bad pictures, in short; and that it notices what it is there to notice."""

import importlib.util
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.torture import bad_pictures
from tests.torture.picture_child import BOX, BOX_BYTES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.mark.parametrize("way", ["mutation", "coverage"])
def test_a_few_hundred_damaged_pictures(way: str, tmp_path: Path) -> None:
    if way == "coverage" and importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed")
    result = bad_pictures.run(400, tmp_path, [way])  # type: ignore[list-item]
    assert result.tried == 400
    assert result.failed == 0
    assert 0 < result.refused < 400


@pytest.mark.parametrize(
    ("opens", "ends_by"),
    [
        ("while True: pass", signal.SIGPROF),
        ("return bytearray(400_000_000)", signal.SIGKILL),
        ("raise ValueError('odd')", None),
        ("raise PictureError('two\\nlines.')", None),
    ],
)
def test_what_is_wrong_is_noticed(opens: str, ends_by: int | None, tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.write_bytes(bytes(BOX_BYTES))
    script = f"""
        import sys
        from pathlib import Path
        from core.errors import PictureError
        from tests.torture.picture_child import Examiner

        def opens(data: bytes) -> object:
            {opens}

        Examiner(Path(sys.argv[1]), Path(sys.argv[2]), opens, PictureError).examine(b"bad")
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(box), str(tmp_path)]
    done = subprocess.run(command, cwd=bad_pictures.ROOT, timeout=60)
    kept = list(tmp_path.glob("*.picture"))
    if ends_by is None:
        assert done.returncode == 0
        assert [file.read_bytes() for file in kept] == [b"bad"]
    else:
        assert done.returncode == -ends_by
        content = box.read_bytes()
        assert BOX.unpack_from(content)[-1] == 3
        assert content[BOX.size :][:3] == b"bad"
