"""What a training run's TOML file may hold, and what is told of one that is wrong."""

from pathlib import Path

import pytest

from training.config import ConfigError, read_config

CONFIGS = Path(__file__).resolve().parent.parent / "training" / "configs"
GOOD = """
name = "tiny"
output = "runs/tiny"

[model]
hidden = 16
heads = 2

[[data]]
folder = "data/shapes"

[[stage]]
name = "decoder"
epochs = 1
batch = 2
learning_rate = 1
"""


def read(tmp_path: Path, content: str) -> str:
    """The sentence that a wrong file is refused with."""
    file = tmp_path / "run.toml"
    file.write_text(content)
    with pytest.raises(ConfigError) as error:
        read_config(file)
    text = str(error.value)
    assert text.startswith(str(file))
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_good_file(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(GOOD)
    config = read_config(file)
    assert [data.folder for data in config.data] == ["data/shapes"]
    assert [(stage.name, stage.learning_rate) for stage in config.stages] == [("decoder", 1)]
    assert config.model == {"hidden": 16, "heads": 2}
    assert config.weights is None
    assert config.cache_pictures
    file.write_text("cache_pictures = false\n" + GOOD)
    assert not read_config(file).cache_pictures


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.toml")), ids=lambda file: file.stem)
def test_shipped_files_can_be_read(file: Path) -> None:
    assert read_config(file).name


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        read_config(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path)


def test_no_toml(tmp_path: Path) -> None:
    assert "TOML" in read(tmp_path, "name = tiny\n")


@pytest.mark.parametrize(
    ("found", "written", "told"),
    [
        ('name = "tiny"', 'name = "tiny"\nspeed = 3', "speed"),
        ("hidden = 16", "hiden = 16", "hiden"),
        ('folder = "data/shapes"', 'folder = "data/shapes"\nweigth = 2', "weigth"),
        ("epochs = 1", "epoch = 1", "epoch"),
        ("hidden = 16", "vocabulary_size = 16", "vocabulary_size"),
        ('output = "runs/tiny"', "", "output"),
        ("batch = 2", "", "batch"),
        ('folder = "data/shapes"', "", "folder"),
        ("epochs = 1", 'epochs = "3"', "epochs"),
        ("epochs = 1", "epochs = 1.5", "epochs"),
        ("epochs = 1", "epochs = true", "epochs"),
        ("learning_rate = 1", 'learning_rate = "fast"', "learning_rate"),
        ('name = "tiny"', "name = 3", "name"),
        ("hidden = 16", 'hidden = "16"', "hidden"),
        ('name = "tiny"', 'name = "tiny"\nweights = 3', "weights"),
        ("[[data]]", "[data]", "[[data]]"),
        ("[[stage]]", "[stage]", "[[stage]]"),
        ("[model]", "[[model]]", "[model]"),
        ("[[data]]\n", "[[date]]\n", "[[data]]"),
        ("epochs = 1", "epochs = 0", "epochs"),
        ("batch = 2", "batch = 0", "batch"),
        ("learning_rate = 1", "learning_rate = 0", "learning_rate"),
        ("learning_rate = 1", "learning_rate = nan", "learning_rate"),
        ("batch = 2", "batch = 2\nsmallest_crop = 1.2", "smallest_crop"),
        ("batch = 2", "batch = 2\nsmallest_crop = 0", "smallest_crop"),
        ("batch = 2", "batch = 2\nencoder_learning_rate = -1", "encoder_learning_rate"),
        ('folder = "data/shapes"', 'folder = "data/shapes"\nweight = 0', "weight"),
        ('name = "tiny"', 'name = "tiny"\ncheckpoint_every = 0', "checkpoint_every"),
        ('name = "tiny"', 'name = "tiny"\nbeam = 0', "beam"),
        ('name = "tiny"', 'name = "tiny"\nlabel_smoothing = 1', "label_smoothing"),
        ('name = "tiny"', 'name = "tiny"\nprecision = "float8"', "precision"),
        ("heads = 2", "heads = 3", "heads"),
        ("hidden = 16", "classes = 1000", "classes"),
        ("hidden = 16", "own_layers = 4", "own_layers"),
        ("hidden = 16", "expected = 9", "what is expected is learnt afterwards"),
        ('name = "tiny"', 'name = "tiny"\nown_layers = -1', "own_layers"),
        ("batch = 2", "batch = 2\nviews = 0", "views"),
        ("batch = 2", "batch = 2\nlight = 1", "light"),
        ("batch = 2", "batch = 2\nlight = 0.2", "light"),
        ("batch = 2", "batch = 2\nspoil = 2", "spoil"),
        ("batch = 2", "batch = 2\nspoil = 0.2", "cached features"),
        ("batch = 2", "batch = 2\nhide = 1", "hide"),
        ("batch = 2", "batch = 2\naverage = 1", "average"),
        ("batch = 2", "batch = 2\nconcepts = 0.1", "encoder_learning_rate"),
        ("batch = 2", "batch = 2\nbleu = 1", "samples"),
        ("batch = 2", "batch = 2\nsamples = 2\nmeteor = -1", "meteor"),
        ("[model]", 'start = "runs/tiny/best"\n[model]', "image_size"),
        ('name = "tiny"', 'name = "tiny"\ncache_pictures = 1', "cache_pictures"),
        ("batch = 2", "batch = 2\nkeep = 1", "encoder_learning_rate"),
        ("batch = 2", "batch = 2\nencoder_learning_rate = 1\nkeep = -1", "keep"),
        ("[[stage]]", '[[data]]\nfolder = "elsewhere/shapes"\n\n[[stage]]', "same name"),
    ],
)
def test_wrong_entry_is_named(tmp_path: Path, found: str, written: str, told: str) -> None:
    assert GOOD.count(found) == 1
    assert told in read(tmp_path, GOOD.replace(found, written)).removeprefix(str(tmp_path))
