"""How well live mode tells scenes apart, on photographs that a simulated camera looks at.

Run ``python -m tests.benchmarks.bench_live``; it needs ``data/flickr8k``. The clock is simulated:
a look takes as long as it takes `desktop.live` on a quick machine, and what is said takes no time.
"""

import argparse
import io
import itertools
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.caption import Caption
from core.captioner import Captioner
from core.picture import Picture, open_picture
from core.scene import SceneWatch, Step, grey_view
from tests.camera_parts import camera_server

Pixels = NDArray[np.uint8]

_DATA = Path("data/flickr8k")
_WIDTH, _HEIGHT = 320, 240
_TICK = 0.25  # seconds between two frames of a film
_PACE = 2  # frames from look to look where nothing changes
_CAPTION = 0.3  # seconds until a caption is there
_SCENE = 3.0  # seconds between two cuts
_MEASURED = 20.0  # seconds over which the time of the processor is measured
_LATE = 2.0  # seconds within which a cut is to be told


@dataclass(frozen=True)
class Hand:
    """How a camera is held, and how good it is.

    Attributes:
        noise: standard deviation, of 255.
        flicker: how much brighter or darker a frame may be.
        shake: how far a frame may be shifted, as a share of its width.
    """

    noise: float = 8
    flicker: float = 0.15
    shake: float = 0.02


class Film:
    """Frames at every `_TICK`, looked at only once each, whoever asks."""

    def __init__(self, captioner: Captioner, frames: Sequence[Callable[[], Pixels]]) -> None:
        self._captioner = captioner
        self._frames = frames
        self.picture = cache(self._picture)
        self.features = cache(self._features)
        self.caption = cache(self._caption)

    def __len__(self) -> int:
        return len(self._frames)

    def _picture(self, number: int) -> Picture:
        return open_picture(self._frames[number]())

    def _features(self, number: int) -> NDArray[np.float32]:
        return self._captioner.glance(self.picture(number))

    def _caption(self, number: int) -> Caption:
        return self._captioner.caption(self.picture(number))


def watch(film: Film, offset: int = 0) -> list[tuple[float, str]]:
    """What live mode tells of a film, and when in seconds.

    Args:
        film: to watch.
        offset: of the first look, in frames.
    """
    scenes = SceneWatch()
    told: list[tuple[float, str]] = []
    number = offset
    while number < len(film):
        now = number * _TICK
        step = Step.WAIT
        if scenes.glimpse(grey_view(film.picture(number).pixels)):
            step = scenes.see(film.features(number), now)
        if step is Step.DESCRIBE:
            caption = film.caption(number)
            if scenes.judge(caption, now + _CAPTION):
                told.append((now + _CAPTION, caption.spoken))
        number += 1 if step is Step.LOOK_SOON else _PACE
    return told


def seen(
    picture: Image.Image, hand: Hand, random: np.random.Generator, left: float = 0.05
) -> Pixels:
    """A frame: what the camera sees of a picture that is a tenth larger than the frame."""
    wide = round(_HEIGHT * 1.1 * picture.width / picture.height)
    large = picture.resize((wide, round(_HEIGHT * 1.1)), Image.Resampling.BICUBIC)
    shift, drop = random.uniform(-hand.shake, hand.shake, 2)
    x, y = round(left * _WIDTH + shift * _WIDTH), round(_HEIGHT * (0.05 + drop))
    part = np.asarray(large.crop((x, y, x + _WIDTH, y + _HEIGHT)), np.float32)
    part = part * random.uniform(1 - hand.flicker, 1 + hand.flicker)
    part += random.normal(0, hand.noise, part.shape)
    file = io.BytesIO()
    quality = int(random.integers(60, 92))
    Image.fromarray(np.clip(part, 0, 255).astype(np.uint8)).save(file, "jpeg", quality=quality)
    return np.asarray(Image.open(file))


def still(
    picture: Image.Image, seconds: float, hand: Hand, seed: int
) -> list[Callable[[], Pixels]]:
    """A scene that does not change."""
    random = np.random.default_rng(seed)
    return [lambda: seen(picture, hand, random) for _ in range(round(seconds / _TICK))]


def passing(
    picture: Image.Image, other: Image.Image, hand: Hand, seed: int
) -> list[Callable[[], Pixels]]:
    """A quarter of another picture crosses the scene in 2.5 seconds, after 2 and before 3 more."""
    random = np.random.default_rng(seed)
    width = picture.width // 4
    strip = other.crop((other.width * 3 // 8, 0, other.width * 5 // 8, other.height))
    strip = strip.resize((width, picture.height))

    def crossing(share: float) -> Pixels:
        scene = picture.copy()
        scene.paste(strip, (round(share * (picture.width + width)) - width, 0))
        return seen(scene, hand, random)

    steps = round(2.5 / _TICK)
    return [
        *still(picture, 2, hand, seed + 1),
        *(partial(crossing, step / steps) for step in range(steps)),
        *still(picture, 3, hand, seed + 2),
    ]


def panning(picture: Image.Image, hand: Hand, seed: int) -> list[Callable[[], Pixels]]:
    """The camera wanders from one end of a wide picture to the other in 10 seconds."""
    random = np.random.default_rng(seed)
    wide = picture.resize((picture.width * 2, picture.height))  # the frame shows half of it
    steps = round(10 / _TICK)
    reach = (_HEIGHT * 1.1 * wide.width / wide.height) / _WIDTH - 1.1
    return [partial(seen, wide, hand, random, 0.05 + step / steps * reach) for step in range(steps)]


def photographs(split: str, number: int) -> list[Image.Image]:
    """Photographs of a split, as wide as the camera's frames, in a fixed order."""
    listed = json.loads((_DATA / "dataset_flickr8k.json").read_text())["images"]
    names = [one["filename"] for one in listed if one["split"] == split]
    chosen = np.random.default_rng(0).permutation(len(names))[:number]
    return [
        Image.open(_DATA / "images" / names[one]).convert("RGB").resize((_WIDTH, _HEIGHT))
        for one in chosen
    ]


def films(
    captioner: Captioner, pictures: Sequence[Image.Image]
) -> Iterator[tuple[str, list[Film]]]:
    """The kinds of films: cuts in one film, the others a film for each picture."""
    random = np.random.default_rng(1)

    def made(frames: Sequence[Callable[[], Pixels]]) -> Film:
        return Film(captioner, frames)

    hands = [Hand(noise=random.uniform(2, 12), shake=random.uniform(0, 0.02)) for _ in pictures]
    together = list(zip(pictures, hands, strict=True))
    yield (
        "cuts",
        [made([f for n, (p, h) in enumerate(together) for f in still(p, _SCENE, h, n)])],
    )
    few = together[: max(1, len(together) // 5)]
    yield "still", [made(still(p, 10, h, n)) for n, (p, h) in enumerate(few)]
    harsh = Hand(noise=20, flicker=0.25, shake=0.02)
    yield "still, much noise", [made(still(p, 10, harsh, n)) for n, (p, _) in enumerate(few)]
    others = pictures[len(few) :]
    yield (
        "passer-by",
        [made(passing(p, others[n], h, n)) for n, (p, h) in enumerate(few)],
    )
    yield "slow pan", [made(panning(p, h, n)) for n, (p, h) in enumerate(few)]


def score_cuts(film: Film) -> dict[str, float]:
    """Of a film of scenes of equal length: how many cuts were told, in time, and told twice."""
    told = watch(film)
    cuts = round(len(film) * _TICK / _SCENE)
    in_scene: list[list[tuple[float, str]]] = [[] for _ in range(cuts)]
    for when, sentence in told:
        in_scene[min(cuts - 1, int(when / _SCENE))].append((when % _SCENE, sentence))
    first = [scene[0] for scene in in_scene if scene]
    return {
        "cuts": cuts,
        "told": len(first) / cuts,
        "told in time": sum(late <= _LATE for late, _ in first) / cuts,
        "told twice": sum(len(scene) - 1 for scene in in_scene if scene) / cuts,
        "median delay": float(np.median([late for late, _ in first])),
        "longest delay": max(late for late, _ in first),
    }


def score_others(shown: Sequence[Film]) -> dict[str, float]:
    """Tellings after the first one, which is due."""
    more = sum(max(0, len(watch(film)) - 1) for film in shown)
    minutes = sum(len(film) for film in shown) * _TICK / 60
    return {"films": len(shown), "told besides": more, "a minute": more / minutes}


def _serve(send: Connection, scenes: list[list[bytes]], seconds: float) -> None:
    """Runs in a process of its own: a camera before which the scene changes now and then."""
    began = time.monotonic()
    number = itertools.count()

    def frame() -> bytes:
        scene = scenes[int((time.monotonic() - began) / seconds) % len(scenes)]
        return scene[next(number) % len(scene)]

    with camera_server(frame, rate=30) as camera:
        send.send(camera.url)
        send.recv()


def share_of_a_core(pictures: Sequence[Image.Image], seconds: float) -> float:
    """Time of the processor that the whole program takes in live mode, for each second.

    Args:
        pictures: scenes, told one after the other by a camera of 640 x 480 pixels, 30 a second.
        seconds: that each scene lasts.
    """
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from desktop.program import Program

    random = np.random.default_rng(2)
    scenes = []
    for picture in pictures:
        frames = []
        for _ in range(30):
            file = io.BytesIO()
            image = Image.fromarray(seen(picture, Hand(), random)).resize((640, 480))
            image.save(file, "jpeg", quality=85)
            frames.append(file.getvalue())
        scenes.append(frames)
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(there, scenes, seconds)
    )
    server.start()
    application = QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as home:
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            os.environ[name] = home
        (Path(home) / "seesay").mkdir()
        settings = f'welcomed = true\nearcons = false\nspeech = "silent"\ncamera = "{here.recv()}"'
        (Path(home) / "seesay" / "settings.toml").write_text(settings)
        program = Program()
        marks: list[tuple[float, float]] = []

        def mark() -> None:
            marks.append((time.monotonic(), time.process_time()))

        def begin(_: object) -> None:
            program.flow.described.disconnect(begin)
            QTimer.singleShot(2000, mark)
            QTimer.singleShot(2000 + round(1000 * _MEASURED), mark)
            QTimer.singleShot(2100 + round(1000 * _MEASURED), application.quit)

        program.captioning.ready.connect(lambda: program.do("live"))
        program.flow.described.connect(begin)
        program.start(minimised=True)
        application.exec()
        program.close()
    here.send("end")
    server.join()
    (wall, used), (wall_after, used_after) = marks
    return (used_after - used) / (wall_after - wall)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="val")
    parser.add_argument("--pictures", type=int, default=300)
    arguments = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    pictures = photographs(arguments.split, arguments.pictures)
    share = share_of_a_core(pictures[:1], 60)
    print(f"share of a core, one scene            {share:.2f}")
    share = share_of_a_core(pictures[:20], _SCENE)
    print(f"share of a core, a cut every 3 seconds {share:.2f}")
    captioner = Captioner.load(device="cpu")
    for kind, shown in films(captioner, pictures):
        figures = score_cuts(shown[0]) if kind == "cuts" else score_others(shown)
        print(f"{kind:<20}", *(f"{name} {value:.3g}" for name, value in figures.items()), sep="  ")


if __name__ == "__main__":
    main()
