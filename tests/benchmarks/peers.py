"""What people would use instead of Seesay: other captioners, with random weights, for their speed.

They are built by their own classes in their published sizes; how fast they are does not depend on
what they have learnt. They write sentences of a given number of words (tokens).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported

import numpy as np
from PIL import Image

BEAM = 3
Pixels = np.ndarray
Write = Callable[[list[Pixels]], list[list[int]]]
"""Pictures, (height, width, 3) uint8 RGB each, to the words of a sentence about each."""


TITLES = {
    "vit_gpt2_float32": "ViT-base + GPT-2, float32, PyTorch",
    "vit_gpt2_int8": "ViT-base + GPT-2, int8, onnxruntime",
    "vit_gpt2_int8_nvda": "the same as NVDA runs it, following one sentence",
    "blip": "BLIP-base, 384 px, float32, PyTorch",
    "git": "GIT-base, float32, PyTorch",
    "tutorial": "ResNet-101 + soft attention LSTM, PyTorch",
}


@dataclass(frozen=True)
class Peer:
    """A captioner.

    Attributes:
        prepare: makes the files that it is loaded from, in an empty folder.
        load: reads them; gives what writes sentences of so many words.
    """

    prepare: Callable[[Path], None]
    load: Callable[[Path, int], Write]


def squeeze_and_normalise(pictures: list[Pixels], side: int) -> np.ndarray:
    """What the peers see, (pictures, 3, side, side) float32 from -1 to 1."""
    resized = (Image.fromarray(one).resize((side, side), 3) for one in pictures)
    pixels = np.stack([np.asarray(one, np.float32) for one in resized]) / 127.5 - 1
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))


def vit_gpt2(layers: int = 12) -> Any:
    """ViT-base and GPT-2, as nlpconnect/vit-gpt2-image-captioning, which NVDA's captioner is."""
    from transformers import (
        GPT2Config,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
        ViTConfig,
    )

    encoder = ViTConfig(num_hidden_layers=layers)
    decoder = GPT2Config(n_layer=layers, is_decoder=True, add_cross_attention=True)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id = config.pad_token_id = decoder.eos_token_id
    return VisionEncoderDecoderModel(config).eval()


def _blip() -> Any:
    """BLIP-base, as Salesforce/blip-image-captioning-base: 384 pixels."""
    from transformers import BlipConfig, BlipForConditionalGeneration

    config = BlipConfig(
        text_config={"num_attention_heads": 12, "projection_dim": 768, "vocab_size": 30524},
        vision_config={"image_size": 384},
    )
    return BlipForConditionalGeneration(config).eval()


def _git() -> Any:
    """GIT-base, as microsoft/git-base-coco: 224 pixels."""
    from transformers import GitConfig, GitForCausalLM

    return GitForCausalLM(GitConfig()).eval()


def _in_torch(build: Callable[[], Any], side: int) -> Peer:
    """A captioner of transformers in float32."""

    def prepare(folder: Path) -> None:
        build().save_pretrained(folder)

    def load(folder: Path, words: int) -> Write:
        import torch
        import transformers

        architecture = transformers.AutoConfig.from_pretrained(folder).architectures[0]
        model = getattr(transformers, architecture).from_pretrained(folder).eval()
        options = {"num_beams": BEAM, "min_new_tokens": words, "max_new_tokens": words}

        @torch.inference_mode()
        def write(pictures: list[Pixels]) -> list[list[int]]:
            pixels = torch.from_numpy(squeeze_and_normalise(pictures, side))
            sentences = model.generate(pixel_values=pixels, **options)
            # What comes before them is the word that each sentence starts with.
            written: list[list[int]] = sentences[:, 1:].tolist()
            return written

        return write

    return Peer(prepare, load)


def get_peer(name: str) -> Peer:
    """One of `TITLES`; what the others need is not imported, so that it takes no memory."""
    if name.startswith("vit_gpt2_int8"):
        from tests.benchmarks import peer_int8

        if name == "vit_gpt2_int8":
            return Peer(peer_int8.prepare, peer_int8.load)
        return Peer(partial(peer_int8.prepare, as_nvda=True), partial(peer_int8.load, beam=1))
    if name == "tutorial":
        from tests.benchmarks import peer_tutorial

        return Peer(peer_tutorial.prepare, peer_tutorial.load)
    build, side = {"vit_gpt2_float32": (vit_gpt2, 224), "blip": (_blip, 384), "git": (_git, 224)}[
        name
    ]
    return _in_torch(build, side)
