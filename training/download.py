"""Downloads data sets, ready to train on.

    python -m training.download coco --to data/coco2014

fetches COCO 2014 (Lin et al., 2014; Chen et al., 2015) with Karpathy's split: pictures, COCO's own
captions, and ``dataset_coco.json``. Interrupted at any time, the same command goes on; what is
complete is not fetched again. Every archive is checked by its size and SHA-256, and every file in
it by the archive's CRC-32; an archive is removed once it is unpacked.
"""

import argparse
import shutil
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import BadZipFile, ZipFile, ZipInfo

from tqdm import tqdm

from core.errors import SeesayError
from training.data import load_split
from training.fetch import DownloadError, fetch, part_of, writing

_UNPACKING = ".unpacking"


@dataclass(frozen=True)
class Archive:
    """A ZIP file on the web, and what of it is wanted.

    Attributes:
        url: of the official source.
        size: in bytes.
        sha256: in hexadecimal digits.
        unpacked: bytes that what is wanted takes on a disk with blocks of 4 KiB, rounded up.
        members: the files and folders that are wanted.
        into: where they are put, below the data set's folder.
    """

    url: str
    size: int
    sha256: str
    unpacked: int
    members: tuple[str, ...]
    into: str = "."

    @property
    def name(self) -> str:
        """Of the file, wherever it comes from."""
        return self.url.rpartition("/")[2]

    def complete(self, folder: Path) -> bool:
        """Whether all that is wanted is in the data set's folder."""
        return all((folder / self.into / member).exists() for member in self.members)

    def fetched(self, folder: Path) -> int:
        """Bytes of the archive that are in the folder already."""
        path = folder / self.name
        return sum(file.stat().st_size for file in (path, part_of(path)) if file.exists())


# Sizes and checksums are those that public projects which use these files agree on. COCO's server
# has no certificate for its own name, hence http; the checksums make up for it.
COCO = (
    Archive(
        "https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip",
        size=36_745_453,
        sha256="4cfd70132527b80933105e5829dc9034eaab9573482e2e680abbab6130244817",
        unpacked=150_000_000,
        members=("dataset_coco.json",),
    ),
    Archive(
        "http://images.cocodataset.org/annotations/annotations_trainval2014.zip",
        size=252_872_794,
        sha256="031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009",
        unpacked=100_000_000,
        members=("annotations/captions_train2014.json", "annotations/captions_val2014.json"),
    ),
    Archive(
        "http://images.cocodataset.org/zips/train2014.zip",
        size=13_510_573_713,
        sha256="ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775",
        unpacked=13_700_000_000,
        members=("train2014",),
        into="images",
    ),
    Archive(
        "http://images.cocodataset.org/zips/val2014.zip",
        size=6_645_013_297,
        sha256="fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0",
        unpacked=6_750_000_000,
        members=("val2014",),
        into="images",
    ),
)
SETS = {"coco": COCO}


def download(archives: Sequence[Archive], folder: Path, mirror: str | None = None) -> None:
    """Put what is wanted of some archives into a folder; what is there already is left alone.

    Args:
        archives: one by one fetched, unpacked and removed.
        folder: of the data set.
        mirror: address of a folder on the web that holds the same files, to be used instead.

    Raises:
        DownloadError: if the disk has too little room, or an archive cannot be fetched or unpacked.
    """
    missing = [archive for archive in archives if not archive.complete(folder)]
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / _UNPACKING, ignore_errors=True)  # of a run that was killed
    room, free = _room(missing, folder), shutil.disk_usage(folder).free
    if room > free:
        raise DownloadError(
            f"{folder} needs {room / 1e9:.1f} GB, for archives and what is in them, and its disk "
            f"has {free / 1e9:.1f} GB free; make room or choose another folder by --to."
        )
    for archive in missing:
        url = archive.url if mirror is None else f"{mirror.rstrip('/')}/{archive.name}"
        path = folder / archive.name
        fetch(url, path, archive.size, archive.sha256)
        unpack(path, archive.members, folder / archive.into)
        path.unlink()


def _room(archives: Sequence[Archive], folder: Path) -> int:
    """Bytes that must be free: what is unpacked stays, an archive goes once it is unpacked."""
    kept = most = 0
    for archive in archives:
        kept += archive.size - archive.fetched(folder) + archive.unpacked
        most = max(most, kept)
        kept -= archive.size
    return most


def unpack(path: Path, members: Sequence[str], folder: Path) -> None:
    """Unpack some files and folders of a ZIP file; each appears in its place once all are whole.

    Raises:
        DownloadError: if the archive is damaged, lacks a member, or would write outside the folder,
            after which it is removed; or if the disk is full.
    """
    unpacking = path.parent / _UNPACKING
    try:
        with ZipFile(path) as archive, writing(folder):
            wanted = [info for info in archive.infolist() if _belongs(info, members)]
            for info in tqdm(wanted, desc=f"unpacking {path.name}", unit="file"):
                if not (unpacking / info.filename).resolve().is_relative_to(unpacking.resolve()):
                    raise BadZipFile(f"{info.filename!r} is outside of it")
                archive.extract(info, unpacking)
            for member in members:
                if not (unpacking / member).exists():
                    raise BadZipFile(f"{member} is not in it")
            for member in members:
                (folder / member).parent.mkdir(parents=True, exist_ok=True)
                (unpacking / member).replace(folder / member)
    # RuntimeError: encrypted, or compressed in a way that Python does not know.
    except (BadZipFile, EOFError, RuntimeError, zlib.error) as error:
        path.unlink()
        raise DownloadError(
            f"{path.name} cannot be unpacked ({error}) and was removed; run the same command "
            "again, or try another --mirror."
        ) from error
    finally:
        shutil.rmtree(unpacking, ignore_errors=True)


def _belongs(info: ZipInfo, members: Sequence[str]) -> bool:
    return any(
        info.filename == member or info.filename.startswith(f"{member}/") for member in members
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Download a data set and tell how many pictures each split has; gives the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", choices=SETS, help="data set")
    parser.add_argument(
        "--to", type=Path, default=Path("data/coco2014"), metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument(
        "--mirror", type=_address, metavar="URL", help="folder on the web with the same archives"
    )
    options = parser.parse_args(argv)
    try:
        download(SETS[options.set], options.to, options.mirror)
        for split in ("train", "val", "test"):
            print(f"{split:<6} {len(load_split(options.to, split)):>7,} pictures")
    except SeesayError as error:
        print(f"training.download: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")) or not urlsplit(text).hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is no address that begins with http(s)://")
    return text


if __name__ == "__main__":
    sys.exit(main())
