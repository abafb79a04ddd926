"""ViT + GPT-2 of transformers as two functions of tensors alone, which is what ONNX can hold.

The same weights and the same sums as in ``VisionEncoderDecoderModel``, with the cache of keys and
values going in and out.
"""

from typing import Any

import torch
from torch import Tensor, nn

HEADS = 12


class See(nn.Module):
    """Pictures to the keys and values that the decoder's layers look up in them.

    Args:
        model: ``VisionEncoderDecoderModel`` of a ViT and a GPT-2.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.encoder, self.blocks = model.encoder, model.decoder.transformer.h

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, 224, 224) to keys and values of each layer in turn, (B, heads, R, 64)."""
        return look(self.blocks, self.encoder(pixel_values=pixels).last_hidden_state)


def look(blocks: Any, regions: Tensor) -> list[Tensor]:
    """Keys and values of each layer, as `See` gives them, of the encoder's output, (B, R, H)."""
    looks = (_linear(block.crossattention.c_attn, regions) for block in blocks)
    return [_by_heads(part) for both in looks for part in both.chunk(2, dim=2)]


class SeeNoMore(nn.Module):
    """Pictures to the encoder's output alone, (B, 3, 224, 224) -> [(B, R, H)]."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.encoder = model.encoder

    def forward(self, pixels: Tensor) -> list[Tensor]:
        return [self.encoder(pixel_values=pixels).last_hidden_state]


class Step(nn.Module):
    """One more word of each sentence.

    Args:
        decoder: ``GPT2LMHeadModel`` with cross attention.
    """

    def __init__(self, decoder: Any) -> None:
        super().__init__()
        self.gpt = decoder.transformer
        self.head = nn.Parameter(decoder.lm_head.weight.detach().T.contiguous())  # (H, V)

    def forward(
        self, words: Tensor, place: Tensor, past: list[Tensor], cross: list[Tensor]
    ) -> tuple[Tensor, ...]:
        """Score the next word.

        Args:
            words: (S, 1) the last word of each sentence.
            place: (1,) how many words come before it.
            past: keys and values of these in each layer in turn, (S, heads, place, 64).
            cross: of the sentence's picture, as `See` gives them.

        Returns:
            Log-probabilities (S, V) of the next word, and what is ``past`` then.
        """
        # Out of the head, which is the same matrix: in int8 the file would get two of them.
        embedded = self.head.index_select(1, words.flatten()).T.unsqueeze(1)
        x = embedded + self.gpt.wpe(place)  # (S, 1, H)
        after: list[Tensor] = []
        for layer, block in enumerate(self.gpt.h):
            mine = _linear(block.attn.c_attn, block.ln_1(x)).chunk(3, dim=2)
            query, *new = map(_by_heads, mine)
            old = past[2 * layer : 2 * layer + 2]
            keys, values = (torch.cat(pair, dim=2) for pair in zip(old, new, strict=True))
            after += [keys, values]
            x = x + _linear(block.attn.c_proj, _attend(query, keys, values))
            query = _by_heads(_linear(block.crossattention.q_attn, block.ln_cross_attn(x)))
            looked = _attend(query, *cross[2 * layer : 2 * layer + 2])
            x = x + _linear(block.crossattention.c_proj, looked)
            inner = block.mlp.act(_linear(block.mlp.c_fc, block.ln_2(x)))
            x = x + _linear(block.mlp.c_proj, inner)
        logits = self.gpt.ln_f(x).squeeze(1) @ self.head
        return logits.log_softmax(dim=1), *after


class StepAnew(nn.Module):
    """The same, with the picture's keys and values computed anew for every word.

    Args:
        decoder: ``GPT2LMHeadModel`` with cross attention.
    """

    def __init__(self, decoder: Any) -> None:
        super().__init__()
        self.step = Step(decoder)

    def forward(
        self, words: Tensor, place: Tensor, past: list[Tensor], regions: list[Tensor]
    ) -> tuple[Tensor, ...]:
        """Score the next word; ``regions`` is what `SeeNoMore` gives."""
        answer: tuple[Tensor, ...] = self.step(words, place, past, look(self.step.gpt.h, *regions))
        return answer


def _linear(layer: Any, x: Tensor) -> Tensor:
    """GPT-2's Conv1D as a plain product, which the quantiser knows."""
    return x @ layer.weight + layer.bias


def _by_heads(x: Tensor) -> Tensor:
    """(S, T, H) -> (S, heads, T, 64)."""
    return x.unflatten(2, (HEADS, -1)).transpose(1, 2)


def _attend(query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    weights = (query @ keys.transpose(2, 3) * keys.shape[3] ** -0.5).softmax(dim=3)
    return (weights @ values).transpose(1, 2).flatten(2)  # (S, T, H)
