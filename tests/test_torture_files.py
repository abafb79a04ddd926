"""The heavy test of damaged settings and histories, in short."""

from pathlib import Path

from tests.torture import bad_files


def test_damage_here_and_there(tmp_path: Path) -> None:
    result = bad_files.Result()
    bad_files.damaged_settings(tmp_path, 128, result)
    bad_files.damaged_histories(tmp_path, 512 * 61, result)
    bad_files.damaged_logs(tmp_path, 512 * 61, result)
    assert result.failures == []
    assert result.tried > 100
