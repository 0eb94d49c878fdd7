"""What an encoder is worth on another, labelled target: every way to put it there, by number of labels.

    raw input        a linear probe on the samples as they come
    linear probe     ... on the run's representation
    from scratch     FineTune of the same network with random weights
    frozen           ... a head on the encoder, which stays as it is
    top k            ... its last k layers learn, too
    full             ... all layers learn, slower than the head where `encoder_rate` is below 1
    fresh top k      ... the same, the last k layers beginning anew

All see the same draws of labels, and are judged once, on the same held-out part.

References: Yosinski et al., NeurIPS 2014, section 3 (layers frozen, trained, begun anew). https://arxiv.org/abs/1411.1792
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from replearn.data import Samples
from replearn.data.copies import content_fingerprint
from replearn.data.labels import UNLABELLED
from replearn.encoders import Encoder
from replearn.engine.machine import random_state_kept
from replearn.engine.run import WEIGHTS, read_json, stored_checksum, write_json
from replearn.engine.train import seed_of
from replearn.evaluate import draw_labels, linear_probe
from replearn.methods import Method
from replearn.methods.started import encoder_again, recipe_of
from replearn.transfer.finetune import FineTune
from replearn.transfer.layer_groups import levels_of
from replearn.transfer.load import load
from replearn.views.choose import AUTO
from replearn.views.defaults import chosen

log = logging.getLogger("replearn")

TRANSFER = "transfer.json"
RAW, PROBE, SCRATCH, FROZEN, FULL = "raw input", "linear probe", "from scratch", "frozen", "full"
ALL = "all"


@dataclass(frozen=True)
class Cell:
    """A cell of the table.

    Attributes:
        way: how the encoder was put to the target.
        setting: by which labels were drawn, `5 a class` or `all`.
        labels: how many there were.
        seed: of their draw, and of the training.
        accuracy: on the held-out part.
        seconds: that it took.
        steps: of the training; 0 of probes.
    """

    way: str
    setting: str
    labels: int
    seed: int
    accuracy: float
    seconds: float
    steps: int = 0

    @property
    def key(self) -> tuple[str, str, int]:
        """What no other cell has."""
        return self.way, self.setting, self.seed


@dataclass(frozen=True, eq=False)
class Transfer:
    """An encoder, a target, and what is asked of them.

    Args:
        run: folder of a method of networks.
        train, test: the target: samples like those of the run, with labels; the test part judges.
        per_class: numbers of labels per class.
        every: whether all labels are a column, too.
        seeds: of the draws of labels and of the trainings.
        top: how many of the last layers learn in `top k`, and begin anew in `fresh top k`.
        fields: of `FineTune`, for all ways that train.
    """

    run: str
    train: Samples
    test: Samples
    per_class: Sequence[int] = (5, 20, 100)
    every: bool = True
    seeds: Sequence[int] = (0,)
    top: int = 1
    fields: Mapping[str, Any] | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        """The rows of the table."""
        return (RAW, PROBE, SCRATCH, FROZEN, f"top {self.top}", FULL, f"fresh top {self.top}")

    @cached_property
    def settings(self) -> dict[str, int | None]:
        """The columns of the table: labels per class, None for all.

        Numbers that no class exceeds would be all labels again: they are left out, with a line.
        """
        labels = self.train.labels
        assert labels is not None
        counts = np.bincount(labels[labels != UNLABELLED])
        asked = sorted(set(self.per_class))
        for number in (n for n in asked if n >= counts.max()):
            log.info("%d a class are all %d labels: see the column %s", number, counts.sum(), ALL)
        for number in (n for n in asked if n < counts.max()):
            if lacking := int(((counts > 0) & (counts < number)).sum()):
                log.info("%d a class: %d of %d classes have fewer", number, lacking, int((counts > 0).sum()))
        few: dict[str, int | None] = {f"{n} a class": n for n in asked if n < counts.max()}
        return few | ({ALL: None} if self.every or not few else {})

    def check(self) -> None:
        """Raises ValueError where a row could not be made: all is known before anything is trained."""
        labels = [part.labels for part in (self.train, self.test)]
        if any(known is None or len(np.unique(known[known != UNLABELLED])) < 2 for known in labels):
            raise ValueError(
                "the target must have labels of at least two classes in both parts; it has fewer. Name them "
                "(--labels), or take other data."
            )
        if not isinstance(self.method, Method) or not isinstance(
            getattr(self.method, "encoder_", None), Encoder
        ):
            raise ValueError(
                f"{self.run} must be a run of a method with an encoder, such as SimCLR; it is of "
                f"{type(self.method).__name__}. Take another run."
            )
        own = self.method.samples_
        if (own.kind, own.shape) != (self.train.kind, self.train.shape):
            raise ValueError(
                f"the target must be like what the run reads, {own.kind} of shape {own.shape}; got {self.train.kind} "
                f"of shape {self.train.shape}. Resize it, or fit on such samples."
            )
        deep = len(levels_of(self.method.encoder_))
        if not 1 <= self.top <= deep:
            raise ValueError(
                f"--top must lie between 1 and {deep}, the layers of the encoder; got {self.top}. Leave it out for 1."
            )
        for way in self.ways[2:]:
            self._model(way, 0).prepare(self.train)

    def identity(self) -> dict[str, Any]:
        """What all cells of a table have in common."""
        content = {
            "run": stored_checksum(Path(self.run).expanduser() / WEIGHTS),
            "train": content_fingerprint(self.train),
            "test": content_fingerprint(self.test),
            "top": self.top,
            "fields": {name: value for name, value in (self.fields or {}).items() if value is not None},
        }
        return content

    def cells(self, known: Sequence[Cell] = ()) -> Iterator[Cell]:
        """Every cell, those that are known as they are; the others are measured when they are asked for."""
        there = {found.key: found for found in known}
        for seed in self.seeds:
            for setting, number in self.settings.items():
                few = self.train.subset(self._drawn(number, seed))
                for way in self.ways:
                    yield there.get((way, setting, seed)) or self._measure(way, setting, few, seed)

    @cached_property
    def method(self) -> Any:
        """The fitted method in the run."""
        return load(self.run)

    def _drawn(self, per_class: int | None, seed: int) -> np.ndarray:
        assert self.train.labels is not None
        if per_class is None:
            return np.flatnonzero(self.train.labels != UNLABELLED)
        return draw_labels(self.train.labels, per_class=per_class, random_state=seed)

    def _measure(self, way: str, setting: str, few: Samples, seed: int) -> Cell:
        began, steps = time.monotonic(), 0
        if way in (RAW, PROBE):
            features: Callable[[Samples], Any] = _flat if way == RAW else self.method.transform
            known, truth = few.labels, self.test.labels
            assert known is not None
            assert truth is not None
            test = self._of_test[way]
            accuracy = linear_probe(features(few), known, test, truth, random_state=seed).accuracy
        else:
            model = self._model(way, seed).fit(few)
            accuracy, steps = model.score(self.test), model.steps_[0]
        seconds = time.monotonic() - began
        log.info(
            "%s, %s (%d labels), seed %d: accuracy %.3f, %.1f s",
            way,
            setting,
            len(few),
            seed,
            accuracy,
            seconds,
        )
        return Cell(way, setting, len(few), seed, float(accuracy), seconds, steps)

    @cached_property
    def _of_test(self) -> dict[str, Any]:
        """The test part as probes see it."""
        return {RAW: _flat(self.test), PROBE: self.method.transform(self.test)}

    @cached_property
    def _preset(self) -> str:
        """The preset that fits all of the training part: few samples might be taken for others."""
        name, why = chosen(self.train)
        log.info("views: %s, since %s", name, why)
        return name

    def _model(self, way: str, seed: int) -> FineTune:
        given = {name: value for name, value in (self.fields or {}).items() if value is not None}
        given |= {"views": self._preset} if given.get("views") == AUTO else {}
        own: dict[str, Any] = {"encoder": self.method}
        if way == SCRATCH:
            own = {"encoder": random_encoder(self.method.encoder_, seed), "encoder_rate": 1.0}
        elif way == FROZEN:
            own["trained"] = FROZEN
            given = {name: value for name, value in given.items() if name not in IDLE_FROZEN}
        elif way == f"top {self.top}":
            own["trained"] = self.top
        elif way == f"fresh top {self.top}":
            own["fresh_layers"] = self.top
        return FineTune(**given | own, random_state=seed)


IDLE_FROZEN = ("views", "encoder_rate", "layer_decay")  # fields that do nothing where only the head learns


def random_encoder(encoder: Encoder, seed: int) -> Encoder:
    """A network like that of a fitted method, with random weights.

    Raises:
        ValueError: the method was given a module of one's own, which can't be made again.
    """
    recipe = recipe_of(encoder)
    if recipe is None:
        raise ValueError(
            "the run must be of an encoder that can be made again, for the row from scratch; it was given a module. "
            "Fit with the name of an encoder."
        )
    with random_state_kept():
        torch.manual_seed(seed_of(seed, 0))
        return encoder_again(recipe)


def read_cells(folder: Path, identity: Mapping[str, Any]) -> list[Cell]:
    """The cells in a folder, of a table of the same run, target and fields; none where there is no table yet.

    Raises:
        ValueError: they are of another table, or broken.
    """
    path = folder / TRANSFER
    if not path.is_file():
        return []
    content = read_json(path)
    try:
        before, cells = content["identity"], [Cell(**cell) for cell in content["cells"]]
        sound = all(
            0 <= c.accuracy <= 1 and c.seconds >= 0 and c.labels > 0 and isinstance(c.way, str) for c in cells
        )
        if not sound or not isinstance(before, dict):
            raise TypeError("cells are not as they must be")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} must be as `replearn transfer` wrote it; it is not ({error!r}). Choose another --to."
        ) from error
    other = [name for name in identity if before.get(name) != identity[name]]
    if other:
        raise ValueError(
            f"a table is gone on with for the run, data and options it began with; in {folder} these differ: "
            f"{', '.join(other)}. Choose another --to."
        )
    return cells


def write_cells(
    folder: Path, identity: Mapping[str, Any], cells: Sequence[Cell], facts: Mapping[str, Any]
) -> None:
    """Write `transfer.json`, in one instant."""
    content = {"identity": dict(identity), "cells": [asdict(cell) for cell in cells], "facts": dict(facts)}
    write_json(folder / TRANSFER, content)


def _flat(samples: Samples) -> np.ndarray:
    rows = np.asarray(samples.flat(), np.float32)
    return rows.reshape(len(rows), -1)
