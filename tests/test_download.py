"""Downloading a data set from a real server on this machine, with all that can go wrong."""

import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import pytest

from tests.tiny_sets import draw, entry
from training import fetch
from training.data import load_split
from training.download import COCO, Archive, download, main
from training.fetch import DownloadError


@dataclass
class Web:
    """What a server has and how it behaves, and what was asked of it."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)  # bytes that each of the next answers sends
    answers: list[int] = field(default_factory=list)  # status of each of the next answers
    before: Callable[[], None] = lambda: None
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # file and range
    sent: int = 0
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    def __init__(self, web: Web, *arguments: object) -> None:
        self.web = web
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        web, name, wanted = self.web, self.path.rpartition("/")[2], self.headers["Range"]
        web.asked.append((name, wanted))
        status = web.answers.pop(0) if web.answers else 200 if name in web.files else 404
        if status != 200:
            self.send_error(status)
            return
        web.before()
        content, start = web.files[name], 0
        if wanted and web.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:][: web.breaks.pop(0) if web.breaks else None]
        web.sent += len(body)  # before it is: whoever has it all may look at once
        with contextlib.suppress(ConnectionError):  # the other side has no room for more
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(fetch, "_WAITS", ())
    web = Web()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, web)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        web.address = f"http://127.0.0.1:{server.server_port}/coco"
        yield web
        server.shutdown()
        thread.join()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def offer(web: Web, name: str, content: bytes, *members: str, into: str = ".") -> Archive:
    """Put an archive on the web."""
    web.files[name] = content
    digest = hashlib.sha256(content).hexdigest()
    # The official source is out of reach: whatever arrives comes from the mirror.
    url = f"http://127.0.0.1:1/{name}"
    return Archive(url, len(content), digest, len(content), members, into)


@pytest.fixture
def coco(web: Web, tmp_path: Path) -> list[Archive]:
    """A COCO 2014 of four pictures."""
    listed: list[dict[str, Any]] = []
    zips: dict[str, bytes] = {}
    for part, splits in (("train2014", ["train", "train"]), ("val2014", ["restval", "test"])):
        pictures = {}
        for split in splits:
            name = f"COCO_{part}_{len(listed):012}.jpg"
            draw(tmp_path / name)
            pictures[f"{part}/{name}"] = (tmp_path / name).read_bytes()
            listed.append(entry(split, name, ["A red square."], filepath=part))
        zips[part] = zipped(pictures)
    splits_file = json.dumps({"images": listed}).encode()
    captions = zipped({"annotations/captions_val2014.json": b"{}", "annotations/other.json": b"{}"})
    return [
        offer(
            web,
            "caption_datasets.zip",
            zipped({"dataset_coco.json": splits_file, "dataset_flickr8k.json": b"{}"}),
            "dataset_coco.json",
        ),
        offer(web, "annotations.zip", captions, "annotations/captions_val2014.json"),
        *(offer(web, f"{part}.zip", zips[part], part, into="images") for part in zips),
    ]


def noise(web: Web, size: int = 300_000) -> Archive:
    """An archive with one file that cannot be made smaller."""
    return offer(web, "noise.zip", zipped({"noise.bin": os.urandom(size)}), "noise.bin")


def refused(archive: Archive, folder: Path, web: Web) -> str:
    """The sentence that a download ends with."""
    with pytest.raises(DownloadError) as error:
        download([archive], folder, web.address)
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_whole_data_set(web: Web, coco: list[Archive], tmp_path: Path) -> None:
    folder = tmp_path / "data" / "coco2014"
    download(coco, folder, web.address)
    assert names(folder) == [
        "annotations/captions_val2014.json",
        "dataset_coco.json",
        "images/train2014/COCO_train2014_000000000000.jpg",
        "images/train2014/COCO_train2014_000000000001.jpg",
        "images/val2014/COCO_val2014_000000000002.jpg",
        "images/val2014/COCO_val2014_000000000003.jpg",
    ]
    train = [example.path.name for example in load_split(folder, "train")]
    assert [name[-7:] for name in train] == ["000.jpg", "001.jpg", "002.jpg"]
    assert len(load_split(folder, "test")) == 1


def test_nothing_is_fetched_again(web: Web, coco: list[Archive], tmp_path: Path) -> None:
    download(coco[:2], tmp_path / "data", web.address)
    download(coco, tmp_path / "data", web.address)
    download(coco, tmp_path / "data", web.address)
    assert [name for name, _ in web.asked] == [archive.name for archive in coco]


def test_broken_connections(web: Web, tmp_path: Path) -> None:
    archive = noise(web)
    web.breaks = [100_000, 50_000]
    download([archive], tmp_path, web.address)
    assert [wanted for _, wanted in web.asked] == [None, "bytes=100000-", "bytes=150000-"]
    assert web.sent == archive.size
    assert names(tmp_path) == ["noise.bin"]


def test_the_next_run_goes_on(web: Web, tmp_path: Path) -> None:
    archive = noise(web)
    web.breaks = [100_000, 0]
    assert "100,000 of" in refused(archive, tmp_path, web)
    assert names(tmp_path) == ["noise.zip.part"]
    (tmp_path / ".unpacking").mkdir()
    (tmp_path / ".unpacking" / "noise.bin").write_bytes(b"of a run that was killed")
    download([archive], tmp_path, web.address)
    assert web.sent == archive.size
    assert names(tmp_path) == ["noise.bin"]


def test_server_without_ranges(web: Web, tmp_path: Path) -> None:
    archive = noise(web)
    web.ranges, web.breaks = False, [100_000, 50_000]
    refused(archive, tmp_path, web)
    # What the first connection brought was not lost by the second, which brought less.
    assert (tmp_path / "noise.zip.part").stat().st_size == 100_000
    download([archive], tmp_path, web.address)
    assert names(tmp_path) == ["noise.bin"]


def test_busy_server_is_asked_again(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_WAITS", (0.0,))
    web.answers = [503]
    download([noise(web)], tmp_path, web.address)
    assert names(tmp_path) == ["noise.bin"]


def test_wrong_checksum(web: Web, tmp_path: Path) -> None:
    archive = noise(web)
    good = web.files[archive.name]
    web.files[archive.name] = good[:1000] + bytes(1000) + good[2000:]
    assert "SHA-256" in refused(archive, tmp_path, web)
    assert names(tmp_path) == []
    web.files[archive.name] = good
    download([archive], tmp_path, web.address)
    assert names(tmp_path) == ["noise.bin"]


def test_another_file_is_not_fetched(web: Web, tmp_path: Path) -> None:
    archive = noise(web)
    web.files[archive.name] += b"more"
    assert f"not {archive.size:,}" in refused(archive, tmp_path, web)
    assert names(tmp_path) == ["noise.zip.part"]
    assert (tmp_path / "noise.zip.part").stat().st_size == 0


def test_no_such_file(web: Web, tmp_path: Path) -> None:
    archive = noise(web)
    del web.files[archive.name]
    assert "HTTP 404" in refused(archive, tmp_path, web)


def test_no_server(web: Web, tmp_path: Path) -> None:
    archive = noise(web)
    with pytest.raises(DownloadError, match="Connection refused"):
        download([archive], tmp_path)


@pytest.mark.parametrize("content", [b"no archive", zipped({"other.bin": b""})])
def test_wrong_archives(web: Web, tmp_path: Path, content: bytes) -> None:
    archive = offer(web, "noise.zip", content, "noise.bin")
    assert "cannot be unpacked" in refused(archive, tmp_path, web)
    assert names(tmp_path) == []


def test_damaged_member(web: Web, tmp_path: Path) -> None:
    content = zipped({"noise.bin": bytes(10_000)})
    damaged = content[:5000] + b"x" + content[5001:]
    archive = offer(web, "noise.zip", damaged, "noise.bin")
    assert "CRC" in refused(archive, tmp_path, web)
    assert names(tmp_path) == []


def test_paths_outside_the_folder(web: Web, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    outside = zipped({"train2014/1.jpg": b"", "train2014/../../../evil.txt": b""})
    archive = offer(web, "train2014.zip", outside, "train2014", into="images")
    assert "outside" in refused(archive, folder, web)
    # What nobody asked for is never unpacked.
    unwanted = zipped({"train2014/1.jpg": b"", "../../evil.txt": b"", "/tmp/evil.txt": b""})
    download([offer(web, "train2014.zip", unwanted, "train2014")], folder, web.address)
    assert names(tmp_path) == ["deep/data/train2014/1.jpg"]


def test_too_small_a_disk_is_told_before_anything_is_fetched(web: Web, tmp_path: Path) -> None:
    huge = replace(noise(web), unpacked=1 << 60)
    assert "GB free" in refused(huge, tmp_path, web)
    assert web.asked == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root may mount a small disk, and not everywhere")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_disk_that_is_filled_by_others_meanwhile(web: Web, small_disk: Path) -> None:
    archive, other = noise(web), small_disk / "other"

    def fill() -> None:
        other.write_bytes(bytes(900_000))

    web.before = fill
    assert "No space left" in refused(archive, small_disk, web)
    kept = (small_disk / "noise.zip.part").stat().st_size
    assert 0 < kept < archive.size
    web.before = lambda: None
    other.unlink()
    download([archive], small_disk, web.address)
    assert web.asked[-1] == ("noise.zip", f"bytes={kept}-")
    assert names(small_disk) == ["noise.bin"]


def test_disk_that_is_full_while_unpacking(web: Web, small_disk: Path) -> None:
    archive = replace(noise(web, 600_000), unpacked=0)
    assert "No space left" in refused(archive, small_disk, web)
    assert names(small_disk) == ["noise.zip"]
    assert "No space left" in refused(archive, small_disk, web)
    assert len(web.asked) == 1


def test_command(web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    web.files = {archive.name: b"another" for archive in COCO}
    command = ["coco", "--to", str(tmp_path / "coco2014"), "--mirror", web.address]
    assert main(command) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert re.match(r"training\.download: .* (GB free|is another file)", told)


@pytest.mark.parametrize("mirror", ["ftp://example.org/coco", "coco", "http://"])
def test_mirror_that_is_no_address(mirror: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["coco", "--mirror", mirror])
