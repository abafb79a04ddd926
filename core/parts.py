"""The network as the parts that captioning runs, each a function of arrays alone.

The same parts run in torch and, exported to ONNX, in onnxruntime. They compute what ``Decoder``
does in training, with all that does not change from word to word done once a picture: of the LSTM's
and the gate's input the part that comes from the picture, and keys and values split by heads.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.model import CaptionModel, Decoder, Scene
from core.vocabulary import Vocabulary


class Seen(NamedTuple):
    """What `See` makes of pictures."""

    pooled: Tensor  # (B, C) mean of the region features
    summaries: Tensor  # (B, R, H) of each region, before their mean and ReLU
    keys: Tensor  # (B, heads, H / heads, R)
    values: Tensor  # (B, heads, R, H / heads)
    inputs: Tensor  # (B, 5 H) what the picture gives to the LSTM's and the sentinel's gates
    answers: Tensor  # (B, classes) logits of the second head
    expected: Tensor  # (B, words) how far the first words of the vocabulary are expected


class Written(NamedTuple):
    """What `Write` makes of a step of the search, for each live beam.

    The first four are of the beams as they go on, the others of the beams as they were.
    """

    totals: Tensor  # (B, K) log-probability of each sentence so far
    parents: Tensor  # (B, K) the beams that go on
    words: Tensor  # (B, K) the word that each is extended with
    log_probs: Tensor  # (B, K) of these words
    ends: Tensor  # (B, K) log-probability of ``<end>``
    entropies: Tensor  # (B, K) in nats, of the word that follows
    regions: Tensor  # (B, K, R) attention to each region, averaged over the heads
    sentinel: Tensor  # (B, K) attention to the sentinel
    recurrent: Tensor  # (B, K, 5 H) what the LSTM's output gives to the gates of the next step
    cell: Tensor  # (B, K, H) the LSTM's memory


class Beams(NamedTuple):
    """What one step of the search hands to the next."""

    words: Tensor  # (B, K) the last of each live beam
    totals: Tensor  # (B, K) log-probability of each
    best: Tensor  # (B,) score of the best sentence that ended
    recurrent: Tensor  # (B, K, 5 H) as of `Written`; zeros before the first word
    cell: Tensor  # (B, K, H) likewise


class Steps(NamedTuple):
    """What the search keeps of all its steps; see `core.network.Steps`."""

    parents: Tensor  # (T, B, K)
    words: Tensor  # (T, B, K)
    log_probs: Tensor  # (T, B, K)
    scores: Tensor  # (T, B, K)
    ends: Tensor  # (T, B, K)
    entropies: Tensor  # (T, B, K)
    regions: Tensor  # (T, B, K, R)
    sentinel: Tensor  # (T, B, K)


class See(nn.Module):
    """Pictures to all that the decoder needs of them."""

    def __init__(self, model: CaptionModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Seen:
        """See pictures, (B, 3, side, side) uint8 RGB."""
        model = self.model
        shared = model.encoder.share(pixels)
        regions = model.encoder.finish(shared)  # (B, R, C)
        pooled = regions.mean(dim=1)  # (B, C)
        # Not len(), which the export would take for a constant.
        answers = expected = pixels.new_zeros(pixels.shape[0], 0, dtype=torch.float32)
        if model.recogniser is not None:
            answers = model.recognise(shared)
        if model.expectation is not None:
            expected = model.expectation(pooled, answers)
        return Seen(pooled, *look(model.decoder, regions), answers, expected)


def look(decoder: Decoder, regions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What a decoder needs of region features, (B, R, C): four of `Seen`."""
    summaries = decoder.summary(regions)  # (B, R, H)
    values = F.relu(decoder.value(regions))  # (B, R, H)
    keys = _by_heads(decoder.key(values), decoder.heads).transpose(2, 3)
    inputs = _inputs(decoder, F.relu(summaries.mean(dim=1)))
    return summaries, keys, _by_heads(values, decoder.heads), inputs


def _inputs(decoder: Decoder, summary: Tensor) -> Tensor:
    """(B, H) -> (B, 5 H); the biases of the gates are added here, once."""
    gate, hidden = decoder.gate_input, decoder.lstm.hidden_size
    weights, _, *biases = decoder.lstm.all_weights[0]
    to_lstm = F.linear(summary, weights[:, hidden:], biases[0] + biases[1])
    to_sentinel = F.linear(summary, gate.weight[:, hidden:], gate.bias)
    return torch.cat([to_lstm, to_sentinel], dim=1)


def word_gates(decoder: Decoder) -> Tensor:
    """What each word of the vocabulary gives to the LSTM's and the sentinel's gates, (V, 5 H)."""
    hidden = decoder.lstm.hidden_size
    to_lstm = decoder.lstm.all_weights[0][0][:, :hidden]
    weights = torch.cat([to_lstm, decoder.gate_input.weight[:, :hidden]])
    return F.linear(decoder.embed.weight * hidden**0.5, weights)


class Write(nn.Module):
    """A step of the beam search: the next word of every live beam.

    Args:
        decoder: that writes.
        gates: its `word_gates`; without, they are computed in every step. A table of all words is
            read much faster than the weights that it takes the place of.
    """

    def __init__(self, decoder: Decoder, gates: Tensor | None = None) -> None:
        super().__init__()
        self.decoder = decoder
        self.gates = gates

    def forward(
        self,
        words: Tensor,
        totals: Tensor,
        inputs: Tensor,
        keys: Tensor,
        values: Tensor,
        recurrent: Tensor,
        cell: Tensor,
    ) -> Written:
        """Extend sentences.

        Args:
            words: (B, K) the last word of each beam.
            totals: (B, K) log-probability of each beam.
            inputs, keys, values: as of `Seen`.
            recurrent, cell: as of `Written`, of the step before; zeros before the first.
        """
        decoder = self.decoder
        beams = words.shape[1]
        hidden = decoder.lstm.hidden_size
        lstm_to_lstm = decoder.lstm.all_weights[0][1]
        table = self.gates if self.gates is not None else word_gates(decoder)
        gates = F.embedding(words, table) + inputs.unsqueeze(1) + recurrent  # (B, K, 5 H)
        enter, forget, new, leave, gate = gates.split(hidden, dim=2)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        output = leave.sigmoid() * cell.tanh()  # (B, K, H)

        gate_state, memory, query = decoder.gate_state, decoder.memory, decoder.query
        weights = torch.cat([lstm_to_lstm, gate_state.weight, memory.weight, query.weight])
        after = F.linear(output, weights)
        recurrent, memorised, asked = after.split([5 * hidden, hidden, hidden], dim=2)
        sentinel = gate.sigmoid() * (memorised + memory.bias).tanh()
        asked = (asked + query.bias) * (hidden // decoder.heads) ** -0.5
        q = _by_heads(asked, decoder.heads)  # (B, heads, K, H / heads)
        to_sentinel = q * _by_heads(decoder.sentinel_key(sentinel), decoder.heads)
        scores = torch.cat([q @ keys, to_sentinel.sum(dim=3, keepdim=True)], dim=3)
        attention = scores.softmax(dim=3)  # (B, heads, K, R + 1)
        alpha, beta = attention[..., :-1], attention[..., -1:]
        context = alpha @ values + beta * _by_heads(sentinel, decoder.heads)
        context = context.transpose(1, 2).flatten(2)  # (B, K, H)

        mixed = decoder.output(context + output).tanh()
        logits = F.linear(mixed, decoder.embed.weight, decoder.bias)
        log_probs = logits.log_softmax(dim=2)  # (B, K, V)
        index = torch.arange(log_probs.shape[2], device=words.device)
        forbidden = (index <= Vocabulary.unknown) | (index == words.unsqueeze(2))
        candidates = (totals.unsqueeze(2) + log_probs).masked_fill(forbidden, -torch.inf)
        best, place = candidates.flatten(1).topk(beams, dim=1)  # (B, K)
        size = log_probs.shape[2]
        return Written(
            totals=best,
            parents=place.div(size, rounding_mode="trunc"),
            words=place % size,
            log_probs=log_probs.flatten(1).gather(1, place),
            ends=log_probs[..., Vocabulary.end],
            entropies=-(log_probs.exp() * log_probs).sum(dim=2),
            regions=alpha.mean(dim=1),
            sentinel=beta.squeeze(3).mean(dim=1),
            recurrent=recurrent,
            cell=cell,
        )


class Step(nn.Module):
    """A step of the beam search with its bookkeeping.

    Args:
        write: the network's part of it.
    """

    def __init__(self, write: Write) -> None:
        super().__init__()
        self.write = write

    def forward(
        self,
        length: Tensor,
        words: Tensor,
        totals: Tensor,
        best: Tensor,
        recurrent: Tensor,
        cell: Tensor,
        inputs: Tensor,
        keys: Tensor,
        values: Tensor,
        most: Tensor,
        norm: Tensor,
    ) -> tuple[Tensor, ...]:
        """Extend sentences by a word.

        Args:
            length: () int64, words that they have.
            words, totals, best, recurrent, cell: as of `Beams`.
            inputs, keys, values: as of `Seen`.
            most: () int64, words of the longest sentence.
            norm: () float, power of the length that log-probabilities are divided by.

        Returns:
            Whether the search goes on, () bool; then what `Beams` holds; then of this step what
            `Steps` holds.
        """
        written = self.write(words, totals, inputs, keys, values, recurrent, cell)
        # Log-probabilities only fall, and no length divides by more than the longest does.
        longest = (most + 1).float() ** norm
        # A picture's own search is over, however long the others of its batch go on. And a
        # sentence of no words is no caption.
        over = (totals[:, :1] / longest <= best.unsqueeze(1)) | (length == 0)
        scores = (totals + written.ends) / (length + 1).float() ** norm
        scores = scores.masked_fill(over, -torch.inf)
        best = torch.maximum(best, scores.amax(dim=1))
        goes_on = (written.totals[:, 0] / longest > best).any()
        pictures, beams = words.shape
        # Rows of all beams of all pictures, one below the other.
        rows = written.parents + beams * torch.arange(pictures, device=words.device).unsqueeze(1)
        return (
            goes_on,
            written.words,
            written.totals,
            best,
            F.embedding(rows, written.recurrent.flatten(0, 1)),
            F.embedding(rows, written.cell.flatten(0, 1)),
            written.parents,
            written.words,
            written.log_probs,
            scores,
            written.ends,
            written.entropies,
            written.regions,
            written.sentinel,
        )


class Search(nn.Module):
    """The beam search, step by step; ``training/export.py`` makes a loop of `Step` of it.

    Args:
        decoder: that writes; its weights do not change any more.
    """

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        with torch.no_grad():
            self.step = Step(Write(decoder, word_gates(decoder)))

    def forward(self, *given: Tensor) -> Steps:
        """Search.

        Args:
            given: what `Step` takes, but for the length: first what `Beams` holds at the start.
        """
        beams, same = Beams(*given[: len(Beams._fields)]), given[len(Beams._fields) :]
        most = int(same[-2])
        steps = []
        for length in range(most + 1):
            number = torch.tensor(length, device=beams.words.device)
            goes_on, *made = self.step(number, *beams, *same)
            beams = Beams(*made[: len(beams)])
            steps.append(made[len(beams) :])
            if not goes_on:
                break
        return Steps(*map(torch.stack, zip(*steps, strict=True)))


class Reread(nn.Module):
    """How probable given sentences are before scenes, by teacher forcing."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, words: Tensor, targets: Tensor, summary: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        """Log-probabilities of the words that follow, (S, T).

        Args:
            words: (S, T) indices that start with ``<start>``.
            targets: (S, T) the words that follow.
            summary: (S, H) of each sentence's scene.
            keys, values: as of `Seen`.
        """
        scene = Scene(summary, _together(values), _together(keys.transpose(2, 3)))
        logits, _, _ = self.decoder(scene, words)
        return logits.log_softmax(dim=2).gather(2, targets.unsqueeze(2)).squeeze(2)


def _by_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, H) -> (B, heads, T, H / heads)."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def _together(x: Tensor) -> Tensor:
    """(B, heads, T, H / heads) -> (B, T, H)."""
    return x.transpose(1, 2).flatten(2)
