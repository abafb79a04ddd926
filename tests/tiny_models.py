"""A small model with random weights, quick to load, which writes nonsense."""

from pathlib import Path

import torch

from core.model import CaptionModel, without_head
from core.model_config import ModelConfig
from core.model_file import save_model
from core.vocabulary import Vocabulary
from tests.tiny_sets import lively_cnn

SENTENCES = [
    "A man and a woman sitting on the bench with two dogs.",
    "The child is playing in blue water, holding an orange ball.",
    "Red table of a white kitchen: a black cat standing on it.",
    "A dog running over grass near the street.",
]


def save_tiny_model(folder: Path) -> None:
    """Write a model that says its own nonsense of each picture.

    Its weights are random. The decoder's are enlarged until they tell pictures apart.
    """
    cnn = without_head(lively_cnn("mobilenet_v2", 64))
    vocabulary = Vocabulary.build(SENTENCES, min_count=1)
    model = CaptionModel(ModelConfig(len(vocabulary), "mobilenet_v2", 64, hidden=32, heads=4))
    model.encoder.cnn.load_state_dict(cnn.state_dict())
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(3)
    save_model(model, vocabulary, folder, {"name": "tiny"})
