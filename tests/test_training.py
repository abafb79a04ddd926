"""A whole training run, small: what it leaves, and that a kill changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.captioner import Captioner
from core.errors import SeesayError
from core.model import build_cnn
from core.model_file import load_model
from core.picture import open_picture
from core.preprocess import squeeze_many
from core.vocabulary import Vocabulary
from tests.tiny_runs import (
    ENCODER,
    SIDE,
    rows,
    write_config,
    write_weights,
)
from tests.tiny_sets import entry, karpathy, shapes
from training.config import DataConfig, TrainConfig, read_config
from training.data import load_split
from training.keep import Teacher, forgetting
from training.train import cosine, train

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> TrainConfig:
    folder = tmp_path_factory.mktemp("finished")
    data = (shapes(folder / "shapes", 8), shapes(folder / "more", 4))
    config = read_config(write_config(folder, weights, *data))
    assert train(config) == folder / "run" / "best"
    return config


def test_log_has_a_row_for_each_epoch(finished: TrainConfig) -> None:
    found = rows(Path(finished.output))
    assert [(row["stage"], row["epoch"]) for row in found] == [
        ("decoder", "1"),
        ("everything", "1"),
    ]
    for row in found:
        ciders = [float(row[f"cider_{name}"]) for name in ("shapes", "more")]
        assert float(row["cider_mean"]) == pytest.approx(sum(ciders) / 2, abs=0.01)
        assert float(row["loss"]) > 0


def test_curves_are_a_picture(finished: TrainConfig) -> None:
    assert open_picture(Path(finished.output) / "curves.png").width > 500


def test_best_model_captions(finished: TrainConfig) -> None:
    captioner = Captioner.load(Path(finished.output) / "best", "cpu")
    # Of its own pictures, which are drawn, the program would say so instead.
    photographs = Path(pytest.importorskip("skimage").__file__).parent / "data"
    assert captioner.caption(photographs / "chelsea.png").caption
    facts = captioner.config
    assert (facts["name"], facts["licence"]) == ("tiny", "for tests")
    assert facts["training"]["pictures"] == 12
    assert facts["training"]["sentences"] == 24


def test_vocabulary_is_of_the_training_split_alone(finished: TrainConfig) -> None:
    vocabulary = load_model(Path(finished.output) / "best")[1]
    assert "floor" in vocabulary
    assert "carpet" not in vocabulary  # only people of the val split say so


def test_every_layer_of_the_encoder_learns(finished: TrainConfig, weights: Path) -> None:
    before, after = load_file(weights), load_file(Path(finished.output) / "last.safetensors")
    pairs = {
        name: (before[f"features.{name.removeprefix('model.encoder.cnn.')}"], tensor)
        for name, tensor in after.items()
        if name.startswith("model.encoder.cnn.")
    }
    assert len(pairs) > 100
    assert [name for name, (old, new) in pairs.items() if torch.equal(old, new)] == []


def test_finished_run_has_nothing_to_resume(finished: TrainConfig) -> None:
    folder = Path(finished.output)
    before = (folder / "log.csv").read_bytes(), (folder / "last.safetensors").read_bytes()
    assert train(finished, resume=True) == folder / "best"
    assert ((folder / "log.csv").read_bytes(), (folder / "last.safetensors").read_bytes()) == before


def test_a_run_is_never_overwritten(finished: TrainConfig) -> None:
    folder = Path(finished.output)
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    with pytest.raises(SeesayError, match="--resume"):
        train(finished)
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


def test_training_goes_on_from_a_trained_model(finished: TrainConfig, tmp_path: Path) -> None:
    start = Path(finished.output) / "best"
    data = karpathy(
        tmp_path / "new",
        [
            entry(split, f"{split}.png", ["A red zebra is at the top."])
            for split in ("train", "val")
        ],
    )
    stage = replace(finished.stages[0], learning_rate=1e-9)
    config = replace(
        finished,
        output=str(tmp_path / "run"),
        data=(replace(finished.data[0], folder=str(data)),),
        stages=(stage,),
        start=str(start),
    )
    new, vocabulary, _ = load_model(train(config))
    old, old_vocabulary, _ = load_model(start)
    assert vocabulary.words == old_vocabulary.words  # no zebra: the output layer has its size
    for name, tensor in new.state_dict().items():
        torch.testing.assert_close(tensor, old.state_dict()[name], rtol=1e-3, atol=1e-3)


def test_a_trained_model_goes_on_with_larger_pictures(
    finished: TrainConfig, tmp_path: Path
) -> None:
    config = replace(
        finished,
        output=str(tmp_path / "run"),
        start=str(Path(finished.output) / "best"),
        model={"image_size": 96},
    )
    model, _, _ = load_model(train(config))
    assert model.config == replace(load_model(Path(config.start or ""))[0].config, image_size=96)


def squares(data: Path) -> Tensor:
    """The pictures of its val split, as the model gets them."""
    pixels = [open_picture(example.path).pixels for example in load_split(data, "val")]
    return torch.from_numpy(squeeze_many(pixels, SIDE))


@torch.inference_mode()
def forgotten(folder: Path, cnn: nn.Module, data: Path) -> float:
    """How far a run's second head is from the original classifier on new pictures, at its end."""
    model, _, _ = load_model(folder / "best")
    last = load_file(folder / "last.safetensors")
    model.load_state_dict(
        {k.removeprefix("model."): v for k, v in last.items() if k.startswith("model.")}
    )
    pixels = squares(data)
    truth = Teacher(cnn).answer(model.encoder, pixels)
    return forgetting(model.recognise(model.encoder.share(pixels)), truth).item()


def test_what_the_original_classifier_knew_is_kept(weights: Path, tmp_path: Path) -> None:
    opinionated = load_file(weights)
    opinionated["classifier.3.bias"] = torch.randn(1000, generator=torch.manual_seed(1))
    save_file(opinionated, tmp_path / "cnn.safetensors")
    weights = tmp_path / "cnn.safetensors"
    data = shapes(tmp_path / "shapes", 24)
    config = read_config(write_config(tmp_path, weights, data, keep=5))
    stage = replace(config.stages[1], epochs=2, batch=4, learning_rate=3e-2)
    train(replace(config, output=str(tmp_path / "a"), stages=(stage,)))
    train(replace(config, output=str(tmp_path / "b"), stages=(replace(stage, keep=1e-9),)))
    cnn = build_cnn(ENCODER)
    cnn.load_state_dict(opinionated)
    kept = forgotten(tmp_path / "a", cnn, data)
    assert kept < 0.5 * forgotten(tmp_path / "b", cnn, data)
    for row in rows(tmp_path / "a"):
        assert 0 <= float(row["same_shapes"]) <= 100
    # The batch norms keep their statistics.
    before, after = load_file(weights), load_file(tmp_path / "a" / "last.safetensors")
    for name, tensor in before.items():
        if name.endswith(("running_mean", "running_var")):
            kept_tensor = after[f"model.encoder.cnn.{name.removeprefix('features.')}"]
            assert torch.equal(kept_tensor, tensor), name


def test_a_trained_model_is_given_a_second_head(
    finished: TrainConfig, weights: Path, tmp_path: Path
) -> None:
    start = Path(finished.output) / "best"
    assert load_model(start)[0].recogniser is None
    stage = replace(finished.stages[1], keep=1.0)
    config = replace(finished, output=str(tmp_path / "run"), start=str(start), stages=(stage,))
    model, _, _ = load_model(train(config))
    assert model.config.classes == 1000
    assert model.recogniser is not None


def test_a_second_head_with_layers_of_its_own_forgets_nothing(
    finished: TrainConfig, tmp_path: Path
) -> None:
    # A CNN whose answers are one layer after the pooling, which the head can copy.
    weights = write_weights(tmp_path, "mobilenet_v2")
    stage = replace(finished.stages[1], views=3)
    config = replace(
        finished,
        output=str(tmp_path / "run"),
        weights=str(weights),
        model={**finished.model, "encoder": "mobilenet_v2"},
        own_layers=3,
        stages=(stage, replace(stage, samples=2, views=0, light=0.2)),
    )
    model, _, _ = load_model(train(config))
    assert model.config.own_layers == 3
    # 8 bits may turn over an answer between two that are equally likely.
    assert all(float(row["same_shapes"]) == 100 for row in rows(tmp_path / "run"))
    original, after = load_file(weights), load_file(tmp_path / "run" / "last.safetensors")
    layers = len(model.encoder.cnn)  # type: ignore[arg-type]
    for name, tensor in original.items():
        if name.startswith("features."):
            trained = after[f"model.encoder.cnn.{name.removeprefix('features.')}"]
            shared = int(name.split(".")[1]) < layers - 3
            assert torch.equal(trained, tensor) == shared, name


def test_more_layers_learn_and_their_head_still_forgets_nothing(
    finished: TrainConfig, tmp_path: Path
) -> None:
    weights = write_weights(tmp_path, "mobilenet_v2")
    model = {**finished.model, "encoder": "mobilenet_v2"}
    stage = replace(finished.stages[1], epochs=1, views=0, average=0.5)
    first = replace(finished, weights=str(weights), own_layers=3, stages=(stage,))
    start = train(replace(first, output=str(tmp_path / "first"), model=model))
    deeper = replace(first, own_layers=8, start=str(start), model={})
    after, _, _ = load_model(train(replace(deeper, output=str(tmp_path / "deeper"))))
    assert after.config.own_layers == 8
    # 8 bits may turn over an answer between two that are equally likely.
    assert all(float(row["same_shapes"]) == 100 for row in rows(tmp_path / "deeper"))
    before, original = load_model(start)[0].encoder.cnn.state_dict(), load_file(weights)
    for name, tensor in after.encoder.cnn.state_dict().items():
        if tensor.ndim > 1:  # others, such as counts of the batches, change in other ways
            number = int(name.split(".")[0])
            assert torch.equal(tensor, before[name]) == (number < 11), name
            same = torch.equal(before[name], original[f"features.{name}"].half().float())
            assert same == (number < 16), name


def test_a_second_head_with_too_many_layers(finished: TrainConfig, tmp_path: Path) -> None:
    config = replace(finished, output=str(tmp_path / "run"), own_layers=99)
    with pytest.raises(SeesayError, match="own_layers must be below"):
        train(config)


def test_java_is_missed_before_anything_is_trained(
    finished: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    stage = replace(finished.stages[0], samples=2, meteor=1.0)
    stages = (finished.stages[0], stage)
    with pytest.raises(SeesayError, match="METEOR needs Java"):
        train(replace(finished, output=str(tmp_path / "run"), stages=stages))
    assert not (tmp_path / "run").exists()


def test_a_recipe_in_bfloat16_trains_on_every_processor(
    finished: TrainConfig, tmp_path: Path
) -> None:
    """Where the processor has no LSTM in it, in float32."""
    stage = replace(finished.stages[1], epochs=1)
    config = replace(finished, output=str(tmp_path / "run"), stages=(stage,), precision="bfloat16")
    assert train(config) == tmp_path / "run" / "best"
    assert len(rows(tmp_path / "run")) == 1


def test_self_critical_training_raises_the_reward(finished: TrainConfig, tmp_path: Path) -> None:
    stage = replace(finished.stages[0], epochs=3, batch=8, learning_rate=1e-2, samples=5)
    config = replace(
        finished,
        output=str(tmp_path / "run"),
        data=tuple(replace(data, weight=20) for data in finished.data),
        stages=(replace(stage, epochs=1, samples=0), stage),
    )
    train(config)
    # The loss of such a stage is minus the mean CIDEr-D of what was drawn.
    first, _, last = (-float(row["loss"]) for row in rows(tmp_path / "run")[1:])
    assert last > 1.2 * first > 0


def test_loss_counts_neither_padding_nor_unknown_words(weights: Path, tmp_path: Path) -> None:
    sentences = [
        # Those with "left" are not mirrored, so that the encoder can be asked what was seen.
        ["A red square is left of a strange thing.", "A red square is left."],
        ["A red square is left and a red square is red.", "A peculiar red square is left of it."],
    ]
    entries = [
        entry(split, f"{split} {number}.png", texts)
        for split in ("train", "val")
        for number, texts in enumerate(sentences)
    ]
    data = karpathy(tmp_path / "data", entries)
    config = read_config(write_config(tmp_path, weights, data))
    config = replace(
        config,
        min_count=2,
        data=(replace(config.data[0], weight=1.0),),
        stages=(replace(config.stages[0], learning_rate=1e-12),),
        model={**config.model, "dropout": 0.0},
    )
    model, vocabulary, _ = load_model(train(config))
    last = load_file(tmp_path / "run" / "last.safetensors")
    model.load_state_dict(
        {k.removeprefix("model."): v for k, v in last.items() if k.startswith("model.")}
    )
    assert "red" in vocabulary
    assert "strange" not in vocabulary

    smoothing = config.label_smoothing
    total, count = 0.0, 0
    for example in load_split(data, "train"):
        square = squeeze_many([open_picture(example.path).pixels], SIDE)
        with torch.inference_mode():
            scene = model.decoder.look_at(model.encoder(torch.from_numpy(square)))
            for sentence in example.sentences:
                words = torch.tensor([vocabulary.encode(sentence)])
                log_probs = model.decoder(scene, words[:, :-1])[0].log_softmax(dim=2)[0]
                for at, word in enumerate(words[0, 1:].tolist()):
                    if word != Vocabulary.unknown:
                        right, spread = log_probs[at, word], log_probs[at].mean()
                        total -= float((1 - smoothing) * right + smoothing * spread)
                        count += 1
    assert float(rows(tmp_path / "run")[0]["loss"]) == pytest.approx(total / count, abs=2e-3)


def test_frozen_encoder_stays_as_it_is(weights: Path, tmp_path: Path) -> None:
    config = read_config(write_config(tmp_path, weights, shapes(tmp_path / "shapes", 4)))
    train(replace(config, stages=config.stages[:1]))
    before, after = load_file(weights), load_file(tmp_path / "run" / "last.safetensors")
    for name, tensor in before.items():
        if name.startswith("features."):
            kept = after[f"model.encoder.cnn.{name.removeprefix('features.')}"]
            assert torch.equal(kept, tensor), name


def test_cosine_falls_from_one_to_what_is_left() -> None:
    assert cosine(0, 0.1) == pytest.approx(1)
    assert cosine(0.5, 0.1) == pytest.approx(0.55)
    assert cosine(1, 0.1) == pytest.approx(0.1)
    assert cosine(1, 0) == pytest.approx(0)


@pytest.mark.parametrize("content", [None, b"no weights at all"])
def test_bad_encoder_weights(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "cnn.safetensors"
    if content is not None:
        file.write_bytes(content)
    config = read_config(write_config(tmp_path, file, shapes(tmp_path / "shapes", 2)))
    with pytest.raises(SeesayError, match=r"cnn\.safetensors") as error:
        train(config)
    assert "\n" not in str(error.value)


def test_unknown_encoder(tmp_path: Path, weights: Path) -> None:
    config = read_config(write_config(tmp_path, weights, shapes(tmp_path / "shapes", 2)))
    with pytest.raises(SeesayError, match="mobilnet"):
        train(replace(config, model={**config.model, "encoder": "mobilnet"}))


def test_a_run_that_was_begun_otherwise_is_not_gone_on_with(
    finished: TrainConfig, weights: Path, tmp_path: Path
) -> None:
    checkpoint = Path(finished.output) / "last.safetensors"
    before = checkpoint.read_bytes()
    first, second = finished.stages
    other = replace(finished, stages=(first, replace(second, batch=7)))
    with pytest.raises(SeesayError, match=r"batch of the stage 'everything' was 2 and is 7"):
        train(other, resume=True)
    data = (*finished.data, DataConfig(str(shapes(tmp_path / "more", 2))))
    with pytest.raises(SeesayError, match=r"begun otherwise: .*recipe\.toml there"):
        train(replace(finished, data=data), resume=True)
    elsewhere = replace(finished.data[0], folder=str(shapes(tmp_path / "shapes", 5)))
    with pytest.raises(SeesayError, match="pictures or their sentences are others"):
        train(replace(finished, data=(elsewhere, *finished.data[1:])), resume=True)
    larger = replace(finished, model={**finished.model, "hidden": 48})
    with pytest.raises(SeesayError, match="the model is built otherwise"):
        train(larger, resume=True)
    assert checkpoint.read_bytes() == before


def test_a_folder_that_cannot_be_written(finished: TrainConfig, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SeesayError, match=r"run cannot be used .*make room"):
        train(replace(finished, output=str(tmp_path / "file" / "run")))
