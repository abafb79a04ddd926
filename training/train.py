"""Training: the decoder on cached features first, then every layer together."""

import math
import os
import time
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import AdamW, Optimizer
from torch.utils.data import Subset
from tqdm import tqdm

from core.errors import SeesayError
from core.model_file import save_model
from core.picture import open_picture
from training.ahead import load_ahead
from training.batches import Batches, Source, plan_epoch
from training.board import Board
from training.checkpoint import (
    Progress,
    Saved,
    load_checkpoint,
    restore_optimizer,
    save_checkpoint,
    seed_step,
)
from training.config import StageConfig, TrainConfig
from training.critic import strip
from training.data import Example, for_training, load_split
from training.distributed import Group, join
from training.features import FeatureCache
from training.keep import Teacher, add_recogniser
from training.learning import Learning
from training.log import write_log
from training.objective import Objective
from training.pictures import Views
from training.pixels import PixelCache
from training.precision import usable_precision
from training.record import write_record
from training.reward import Reward
from training.same_run import lasting
from training.samples import choose, draw_samples
from training.scores import WITHOUT_JAVA, has_java
from training.start import original_cnn, start_model
from training.validate import validate

CHECKPOINT = "last.safetensors"


def train(config: TrainConfig, resume: bool = False, recipe: Path | None = None) -> Path:
    """Run all stages; give the folder of the best model by mean CIDEr on the ``val`` splits.

    A run can be killed at any time: with ``resume`` it goes on from its last checkpoint and ends
    with the same numbers as one that was never interrupted. Under torchrun, this process does its
    share of the run, and the first one writes.

    Args:
        config: of the run.
        resume: go on from ``last.safetensors`` in the run's output folder.
        recipe: the file that `config` was read from, to be copied there.

    Raises:
        SeesayError: if data, weights or checkpoint are missing or do not fit, or if without
            ``resume`` the output folder holds a run already; if a picture cannot be read, the disk
            is full or a folder cannot be written; or if another process has ended.
    """
    try:
        with join() as group:
            return Trainer(config, group).run(resume, recipe)
    except OSError as error:
        begun = os.path.exists(Path(config.output) / CHECKPOINT)
        again = "go on with the run by --resume" if begun else "give the same command again"
        raise SeesayError(
            f"{error.filename or config.output} cannot be used ({error.strerror}): mend that or "
            f"make room, and {again}."
        ) from error


class Trainer:
    """One run: its data, its model, and how far it is."""

    def __init__(self, config: TrainConfig, group: Group) -> None:
        self.config, self.group = config, group
        self.output = Path(config.output)
        usable = {*group.gather([usable_precision(group.device, config.dtype)])}
        self.dtype = config.dtype if usable == {config.dtype} else torch.float32
        if self.dtype != config.dtype and group.first:
            print(f"This machine cannot train in {config.precision}: float32 is taken.")
        self.examples: list[Example] = []
        self.weights: list[float] = []
        self.val: dict[str, list[Example]] = {}
        for data in config.data:
            folder = Path(data.folder).resolve()
            examples = for_training(load_split(folder, "train"))
            self.examples += examples
            self.weights += [data.weight] * len(examples)
            self.val[data.name] = load_split(folder, "val")
        self._check_weights()
        if any(stage.meteor for stage in config.stages) and not has_java():
            raise SeesayError(WITHOUT_JAVA)  # not after the hours of the stages before
        self.teacher: Teacher | None = None
        self.model, self.vocabulary = start_model(config, self.examples)
        if config.own_layers or any(stage.keep for stage in config.stages):
            self.teacher = Teacher(original_cnn(config, self.model.config.encoder), self.dtype)
            if self.model.recogniser is None or config.own_layers > self.model.config.own_layers:
                seed_step(config.seed, "recogniser")
                try:
                    self.model = add_recogniser(self.model, self.teacher, config.own_layers)
                except ValueError as error:
                    raise SeesayError(f"The second head cannot be set up: {error}.") from error
            self.teacher.to(group.device)
        self.model.to(group.device)
        self.lasting = lasting(config, self.examples, self.model.config)
        self.progress = Progress(lasting=self.lasting)
        self.board: Board | None = None  # of the process that writes

    def _check_weights(self) -> None:
        """See that there is something to learn in every epoch."""
        if max(self.weights) >= 1:
            return
        for number, stage in enumerate(self.config.stages):
            for epoch in range(stage.epochs):
                if not plan_epoch(self.weights, stage.batch, self._place(number, epoch)):
                    raise SeesayError(
                        f"Epoch {epoch + 1} of the stage {stage.name!r} would show no picture: "
                        "give a data set a higher weight, or more pictures."
                    )

    def _place(self, stage: int, epoch: int) -> str:
        """Of an epoch in the run, the seed of what is random in it."""
        return f"{self.config.seed}/{stage}/{epoch}"

    def run(self, resume: bool, recipe: Path | None) -> Path:
        """Train until the last stage is done."""
        checkpoint = self.output / CHECKPOINT
        saved = Saved()
        if resume:
            self.progress, saved = load_checkpoint(checkpoint, self.model, self.lasting)
            self.progress.lasting = self.lasting
        elif checkpoint.exists():
            # Hours of work, and one forgotten word should not overwrite them.
            raise SeesayError(
                f"{self.output} holds a run already; go on with it by --resume, or give another "
                "output folder."
            )
        if not self.progress.rows:
            self._open_val()
        self.output.mkdir(parents=True, exist_ok=True)
        if self.group.first:
            resumed = self.progress if resume else None
            write_record(self.output, self.config, recipe, self.examples, self.group, resumed)
            self.board = Board(self.output, self.progress.place)
        while self.progress.stage < len(self.config.stages):
            self._run_stage(self.config.stages[self.progress.stage], saved)
            saved = Saved()
            self.progress.stage += 1
            self.progress.epoch = self.progress.step = 0
        if self.board is not None:
            self.board.close()
        return self.output / "best"

    def _open_val(self) -> None:
        """See that the pictures of ``val`` can be read, better now than after an epoch."""
        shares = [self.group.share(examples) for examples in self.val.values()]
        paths = [example.path for examples in shares for example in examples]
        for path in tqdm(paths, desc="val", unit="picture", disable=not self.group.first):
            open_picture(path)

    def _run_stage(self, stage: StageConfig, saved: Saved) -> None:
        progress = self.progress
        batch_statistics = stage.encoder_learning_rate > 0 and not stage.keep
        if self.group.size > 1 and batch_statistics and self.group.device.type == "cuda":
            # Of the whole batch; there is no such layer for processors.
            self.model.encoder = nn.SyncBatchNorm.convert_sync_batchnorm(self.model.encoder)
        source = self._source(stage)
        seed_step(self.config.seed, progress.stage, "learning")
        learning = Learning(self.model, stage, self.sentences if stage.concepts else [])
        learning.restore(saved)
        optimizer = AdamW(learning.groups(), lr=0.0, weight_decay=self.config.weight_decay)
        restore_optimizer(optimizer, saved.optimizer)
        objective = self._objective(learning, batch_statistics)
        while progress.epoch < stage.epochs:
            self._run_epoch(learning, source, objective, optimizer)
            self._finish_epoch(learning)
            self._save(learning, optimizer)
        learning.finish()

    def _source(self, stage: StageConfig) -> Source:
        """Where a stage's inputs come from: features of what is frozen, or pictures."""
        model, side, folder = self.model, self.model.config.image_size, self.output.parent
        if not stage.caches(model.config.own_layers):
            if not self.config.cache_pictures:
                return None
            return PixelCache(
                self.examples, side, stage.smallest_crop, folder / "pixels", self.group
            )
        return FeatureCache(
            Views(self.examples, side, stage.views, stage.smallest_crop),
            model.encoder,
            folder / "features",
            self.group,
            shared=stage.encoder_learning_rate > 0,
            precision=self.dtype,
        )

    def _objective(self, learning: Learning, batch_statistics: bool) -> nn.Module:
        """The stage's loss; with several processes, its gradients are their mean."""
        group, stage = self.group, learning.stage
        reward: Reward | None = None
        if stage.samples:
            reward = Reward(self.sentences, self.vocabulary, stage.bleu, stage.meteor)
        objective = Objective(
            learning,
            group,
            self.config.label_smoothing,
            self.dtype,
            self.teacher,
            reward,
        )
        if group.size == 1:
            return objective
        return DistributedDataParallel(objective, broadcast_buffers=batch_statistics)

    def _run_epoch(
        self,
        learning: Learning,
        source: Source,
        objective: nn.Module,
        optimizer: Optimizer,
    ) -> None:
        progress, config, group, stage = self.progress, self.config, self.group, learning.stage
        place = self._place(progress.stage, progress.epoch)
        plan = plan_epoch(self.weights, stage.batch, place)
        batches = Batches(
            self.examples,
            self.vocabulary,
            plan,
            source,
            self.model.config.image_size,
            place,
            stage,
            group,
        )
        rest = Subset(batches, range(progress.step, len(plan)))
        learning.begin()
        title = f"{stage.name} {progress.epoch + 1}/{stage.epochs}"
        began = time.monotonic()
        total = stage.epochs * len(plan)
        with tqdm(
            total=len(plan),
            initial=progress.step,
            desc=title,
            unit="step",
            disable=not group.first,
        ) as bar:
            for batch in load_ahead(rest):
                done = progress.epoch * len(plan) + progress.step
                share = min(1.0, (done + 1) / max(1, stage.warm_up)) * cosine(
                    done / total, stage.final
                )
                for part in optimizer.param_groups:
                    part["lr"] = part["rate"] * share
                seed_step(place, progress.step, group.rank)
                loss = objective(batch, f"{place}/{progress.step}")
                optimizer.zero_grad()
                loss.value.backward()
                norm = nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
                if not norm.isfinite():  # as where the loss is not; before a checkpoint has it
                    raise SeesayError(
                        f"The loss of the stage {stage.name!r} is no longer a finite number: lower "
                        "its learning rates, and give another output folder."
                    )
                optimizer.step()
                learning.step()
                progress.loss_sum += loss.total
                progress.loss_words += loss.count
                if self.board is not None:
                    rates = {part["name"]: part["lr"] for part in optimizer.param_groups}
                    self.board.step(progress.place, loss.total / loss.count, rates)
                progress.step += 1
                progress.steps += 1
                bar.set_postfix(loss=f"{progress.loss_sum / progress.loss_words:.3f}")
                bar.update()
                if progress.step % config.checkpoint_every == 0:
                    now = time.monotonic()
                    progress.seconds, began = progress.seconds + now - began, now
                    self._save(learning, optimizer)
        progress.seconds += time.monotonic() - began

    @cached_property
    def sentences(self) -> list[list[list[int]]]:
        """People's, of each training picture, as indices that end with ``<end>``."""
        return [
            [strip(self.vocabulary.encode(sentence)) for sentence in example.sentences]
            for example in self.examples
        ]

    @cached_property
    def answers(self) -> dict[str, list[int]]:
        """The teacher's answers on this process's share of the ``val`` splits; none without one."""
        if self.teacher is None:
            return {}
        shares = {name: self.group.share(examples) for name, examples in self.val.items()}
        model = self.model
        return self.teacher.top_answers(model.encoder, model.config.image_size, shares)

    def _finish_epoch(self, learning: Learning) -> None:
        """Score ``val``, write the log, and keep the model if it is the best so far."""
        # On processors, batch norms that learn have seen their process's pictures alone.
        for model in (self.model, learning.shown):
            self.group.agree(model.buffers())
        scores = validate(
            learning.shown,
            self.vocabulary,
            self.val,
            self.config.beam,
            self.answers,
            self.group,
        )
        if self.board is not None:
            self._report(learning, *scores, self.board)
        progress = self.progress
        progress.epoch += 1
        progress.step, progress.loss_sum, progress.loss_words = 0, 0.0, 0

    def _report(
        self,
        learning: Learning,
        ciders: dict[str, float],
        same: dict[str, float],
        board: Board,
    ) -> None:
        progress = self.progress
        mean = sum(ciders.values()) / len(ciders)
        row = {
            "stage": learning.stage.name,
            "epoch": progress.epoch + 1,
            "loss": round(progress.loss_sum / progress.loss_words, 4),
            **{f"cider_{name}": round(value, 2) for name, value in ciders.items()},
            "cider_mean": round(mean, 2),
            **{f"same_{name}": round(value, 2) for name, value in same.items()},
            "seconds": round(progress.seconds),
        }
        tqdm.write("  ".join(f"{key} {value}" for key, value in row.items()))
        model = learning.shown
        sheet = draw_samples(model, self.vocabulary, choose(self.val), self.config.beam)
        board.epoch(progress.place, len(progress.rows) + 1, row, sheet)
        progress.rows.append(row)
        write_log(self.output, progress.rows)
        if mean > progress.best:
            progress.best = mean
            save_model(model, self.vocabulary, self.output / "best", self._facts())

    def _save(self, learning: Learning, optimizer: Optimizer) -> None:
        if self.board is not None:
            # First, lest what was before the checkpoint is lost with a kill.
            self.board.flush()
            checkpoint = self.output / CHECKPOINT
            save_checkpoint(checkpoint, learning.parts, optimizer, self.progress)

    def _facts(self) -> dict[str, Any]:
        return {
            "name": self.config.name,
            "licence": self.config.licence,
            "training": {
                "data": [asdict(data) for data in self.config.data],
                "pictures": len(self.examples),
                "sentences": sum(len(example.sentences) for example in self.examples),
                "epochs": self.progress.rows,
            },
        }


def cosine(done: float, final: float) -> float:
    """Share of the learning rate after a part of the training (Loshchilov and Hutter, 2017)."""
    return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2
