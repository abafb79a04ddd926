"""The recipe for COCO 2014: its model at full size, and all its stages on a few tiny pictures."""

import csv
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from core.model import CaptionModel
from core.model_config import ModelConfig
from core.model_file import load_model
from tests.tiny_sets import entry, karpathy, lively_cnn
from training.config import DataConfig, read_config
from training.train import train

RECIPE = Path(__file__).resolve().parent.parent / "training" / "configs" / "coco_resnet101.toml"
ENCODER, SIDE = "resnet18", 64


def test_model_looks_at_7_by_7_regions() -> None:
    config = read_config(RECIPE)
    model = CaptionModel(ModelConfig(vocabulary_size=100, **config.model)).eval()
    with torch.inference_mode():
        regions = model.encoder(torch.zeros(1, 3, 224, 224, dtype=torch.uint8))
        words = model.decoder(model.decoder.look_at(regions), torch.tensor([[1]]))[0]
    assert regions.shape == (1, 49, 2048)
    assert words.shape == (1, 1, 100)


def coco(folder: Path) -> Path:
    entries = []
    for number, split in enumerate(["train"] * 4 + ["restval"] * 2 + ["val"] * 2):
        part = "train2014" if split == "train" else "val2014"
        sentences = [f"A {colour} square is on the floor." for colour in ("red", "green")]
        entries.append(entry(split, f"COCO_{part}_{number:012}.jpg", sentences, filepath=part))
    return karpathy(folder, entries)


def test_every_stage_trains(tmp_path: Path) -> None:
    weights = tmp_path / "cnn.safetensors"
    save_file(lively_cnn(ENCODER, SIDE).state_dict(), weights)
    config = read_config(RECIPE)
    small = replace(
        config,
        output=str(tmp_path / "run"),
        weights=str(weights),
        min_count=1,
        model={**config.model, "encoder": ENCODER, "image_size": SIDE, "hidden": 32},
        data=(DataConfig(str(coco(tmp_path / "coco2014"))),),
        stages=tuple(replace(stage, epochs=1, batch=3, warm_up=1) for stage in config.stages),
    )
    best = train(small)
    with (tmp_path / "run" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["stage"] for row in rows] == [
        "decoder",
        "everything",
        "decoder again",
        "critic",
    ]
    assert all(float(row["cider_coco2014"]) >= 0 for row in rows)
    model, vocabulary, facts = load_model(best)
    assert model.config.encoder == ENCODER
    assert "square" in vocabulary
    assert facts["training"]["pictures"] == 6  # with those of restval
