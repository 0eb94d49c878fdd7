"""Methods side by side on equal terms: the same samples, the same split, the same probes, and the honest rows
*raw input*, *untrained encoder* and, of images, *bag of visual words*.
"""

import logging
import os
import platform
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone

from replearn.data import ArraySamples, Samples
from replearn.engine.machine import random_state_kept
from replearn.engine.run import METHOD, read_json
from replearn.evaluate import scorecard
from replearn.methods.arrays import save_arrays
from replearn.methods.base import Method
from replearn.methods.classical import BagOfVisualWords
from replearn.methods.load import load
from replearn.methods.model import Model
from replearn.methods.store import versions
from replearn.views import default_views

log = logging.getLogger("replearn")

RAW, UNTRAINED, WORDS = "raw input", "untrained encoder", "bag of visual words"
BASELINES = (RAW, UNTRAINED, WORDS)
LEAST_SIDE = 16  # pixels of images that have visual words
VIEWED = 2048  # training samples whose views are compared


@dataclass(frozen=True, eq=False)
class Representation:
    """One row of a comparison: what a method made of the samples.

    Attributes:
        name: as tables show it.
        train, test: representations `(n, d)` of the two parts.
        method: the fitted method, or None for the raw input.
        seconds: time of fitting.
        history: rows of the training (see `replearn.engine.history`), empty where there was none.
        alarms: troubles noticed in training, as sentences.
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    method: Any = None
    seconds: float = 0.0
    history: Sequence[dict[str, float]] = ()
    alarms: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Comparison:
    """Representations of the same samples, and how good each one is.

    Attributes:
        train, test: the samples.
        rows: a representation per row of the table, of the first seed.
        scores: `representation, seed, measure, labels, mean, low, high, draws`; see
            `replearn.evaluate.scorecard`.
        facts: what was run, for the reader: fields, seeds, versions, machine.
    """

    train: Samples
    test: Samples
    rows: list[Representation]
    scores: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)


def compare(
    methods: Mapping[str, Any] | Sequence[Any],
    train: Samples,
    test: Samples,
    *,
    fractions: Sequence[float] = (0.01, 0.1, 1.0),
    draws: int = 5,
    seeds: Sequence[int] = (0,),
    per_class: Sequence[int] = (),
    runs: str | Path | None = None,
    resume: bool = False,
    choose: bool = False,
) -> Comparison:
    """Fit every method on `train` and judge all representations alike; only methods that need labels look at them.

    The rows *raw input*, *untrained encoder* (of the first method that has one) and, of images of at least 16
    pixels a side, *bag of visual words* come first. The test part is looked at once, after the last step of training:
    no epoch and no probe is chosen by it.

    Args:
        methods: methods of ours or of scikit-learn, by the name that tables show, or a list (named by class).
        train, test: the samples; their labels only judge.
        fractions, per_class: shares, and numbers per class, of the training labels that probes are given.
        draws: how often each is drawn.
        seeds: each method is fitted once per seed (as its `random_state`); scores are of all seeds.
        runs: a folder that gets a run folder per method and seed, or None.
        resume: go on with the runs that lie there.
        choose: also measure the alignment of two views, by which (and the effective rank) methods can be chosen
            without labels: see `replearn.evaluate.choose`.

    Returns:
        The representations of the first seed, and the scores of all.

    Raises:
        ValueError: a method can't learn from these samples.
    """
    named = dict(methods) if isinstance(methods, Mapping) else {type(m).__name__: m for m in methods}
    folder = None if runs is None else Path(runs)
    rows = (
        (seed, row)
        for seed in seeds
        for row in _representations(named, train, test, seed, folder, resume=resume)
    )
    return judge(rows, train, test, fractions=fractions, per_class=per_class, draws=draws, choose=choose)


def judge(
    rows: Iterable[tuple[int, Representation]],
    train: Samples,
    test: Samples,
    *,
    fractions: Sequence[float] = (0.01, 0.1, 1.0),
    per_class: Sequence[int] = (),
    draws: int = 5,
    choose: bool = False,
) -> Comparison:
    """Score representations of the same samples, given with the seed that each was made with.

    Args:
        rows: seed and representation; made one after the other, so only the first seed's stay in memory.
        train, test, fractions, per_class, draws, choose: as for `compare`.
    """
    shown: list[Representation] = []
    scores = []
    seeds: list[int] = []
    for seed, row in rows:
        log.info("judging %s", row.name)
        score = scorecard(
            row.train,
            train.labels,
            row.test,
            test.labels,
            fractions=fractions,
            per_class=per_class,
            draws=draws,
            # Columns of a table have units of their own; those of pixels and of representations compare.
            scaling="columns" if row.name == RAW and train.kind == "table" else "common",
            random_state=seed,
            views=of_two_views(row.method, train, seed) if choose and row.name not in BASELINES else None,
        )
        scores.append(score.assign(representation=row.name, seed=seed))
        seeds += [] if seed in seeds else [seed]
        if seed == seeds[0]:
            shown.append(row)
    table = pd.concat(scores, ignore_index=True)
    first = ["representation", "seed"]
    facts = {"seeds": seeds, "draws": draws, "versions": versions(), "machine": machine_in_words()}
    return Comparison(train, test, shown, table[first + [c for c in table.columns if c not in first]], facts)


def _representations(
    named: Mapping[str, Any], train: Samples, test: Samples, seed: int, runs: Path | None, *, resume: bool
) -> Iterator[Representation]:
    yield raw_input(train, test)
    seeded = {name: with_seed(method, seed) for name, method in named.items()}
    ours = [method for method in seeded.values() if isinstance(method, Method)]
    if ours:
        yield untrained_encoder(ours[0], train, test)
    words = visual_words(train, test, random_state=seed)
    if words is not None:
        yield words
    for name, method in seeded.items():
        log.info("fitting %s, seed %d", name, seed)
        run = None if runs is None else runs / run_name(name, seed)
        yield fit_and_represent(name, method, train, test, run=run, resume=resume)


def run_name(name: str, seed: int) -> str:
    """The name of a row's run folder within the comparison's.

    >>> run_name("SimCLR temperature=0.1", 2)
    'SimCLR-temperature=0.1-2'
    """
    plain = re.sub(r"[^\w.=-]+", "-", name)
    return plain if seed == 0 else f"{plain}-{seed}"


def raw_input(train: Samples, test: Samples) -> Representation:
    """The samples as they come, as numbers: the row that every method must beat."""
    return Representation(RAW, train.flat(), test.flat())


def untrained_encoder(method: Method, train: Samples, test: Samples) -> Representation:
    """The representation by a method's networks as they are before training."""
    blank = clone(method).prepare(train)
    return Representation(UNTRAINED, blank.transform(train), blank.transform(test), blank)


def visual_words(train: Samples, test: Samples, *, random_state: int = 0) -> Representation | None:
    """What features made by hand are worth: `BagOfVisualWords`; None of samples in which it finds no words."""
    if train.kind != "image" or min(train.shape[1:]) < LEAST_SIDE:
        return None
    try:
        return fit_and_represent(WORDS, BagOfVisualWords(random_state=random_state), train, test)
    except ValueError as error:  # few or flat images: no reason to compare nothing
        log.info("no row %s: %s", WORDS, error)
        return None


def fit_and_represent(
    name: str, method: Any, train: Samples, test: Samples, *, run: Path | None = None, resume: bool = False
) -> Representation:
    """Fit a clone of `method` on `train` and represent both parts.

    Args:
        name: of the row.
        method: of ours or of scikit-learn; one that places only the samples it is fitted on is fitted on both
            parts.
        train, test: the samples.
        run: a folder to keep the fitted method in, or None.
        resume: go on with the run that lies there, or take it as it is if it has ended.
    """
    method = clone(method)
    began = time.monotonic()
    if isinstance(method, Model):
        method.fit(train, run=run, resume=resume)
        history, alarms = training_of(method)
        seconds = history[-1]["seconds"] if history else time.monotonic() - began
        return Representation(name, *represent(method, train, test), method, seconds, history, alarms)
    stored = stored_arrays(method, train, run) if run is not None and resume else None
    if stored is not None:
        return Representation(name, *represent(stored, train, test), stored)
    method.fit(train.flat() if hasattr(method, "transform") else np.concatenate([train.flat(), test.flat()]))
    seconds = time.monotonic() - began
    if run is not None:
        save_arrays(method, train, run)
    return Representation(name, *represent(method, train, test), method, seconds)


def of_two_views(method: Any, samples: Samples, seed: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The representations of two views of some samples, or None of a method that can place no other samples.

    The views are the default ones for such samples, the same for all methods.
    """
    if not hasattr(method, "transform"):
        return None
    rows = np.unique(np.linspace(0, len(samples) - 1, num=min(len(samples), VIEWED)).astype(np.int64))
    with random_state_kept():
        torch.manual_seed(seed)
        seen = [ArraySamples(view.x.numpy()) for view in default_views(samples)(samples[rows])]
    a, b = (method.transform(part if isinstance(method, Model) else part.flat()) for part in seen)
    return a, b


def represent(method: Any, train: Samples, test: Samples) -> tuple[np.ndarray, np.ndarray]:
    """What a fitted method makes of both parts."""
    if isinstance(method, Model):
        return method.transform(train), method.transform(test)
    if hasattr(method, "transform"):
        return method.transform(train.flat()), method.transform(test.flat())
    return method.embedding_[: len(train)], method.embedding_[len(train) :]


def stored_arrays(method: Any, samples: Samples, run: Path) -> Any:
    """scikit-learn's estimator in a run folder, or None where there is none yet.

    Raises:
        ValueError: it is of another class, or has other parameters or samples.
    """
    if not (run / METHOD).exists():
        return None
    stored, content = load(run), read_json(run / METHOD)
    same = type(stored) is type(method) and stored.get_params(deep=False) == method.get_params(deep=False)
    if not same or content["samples"]["fingerprint"] != samples.fingerprint():
        raise ValueError(
            f"a run is resumed with the method, parameters and samples it began with; {run} holds {stored}, "
            f"and this is {method} on {len(samples)} samples. Choose another folder."
        )
    return stored


def training_of(method: Any) -> tuple[Sequence[dict[str, float]], list[str]]:
    """The rows of a method's training and its alarms, where it was trained by the engine (here or before)."""
    history = getattr(method, "history_", None)
    return (history.rows, [str(alarm) for alarm in history.alarms]) if history else ([], [])


def with_seed(method: Any, seed: int) -> Any:
    """A clone of `method` whose `random_state`, if it has one, is `seed`."""
    method = clone(method)
    return method.set_params(random_state=seed) if "random_state" in method.get_params() else method


def machine_in_words() -> str:
    """What computed: processor, cores, memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = platform.processor() or platform.machine()
    graphics = ", GPU" if torch.cuda.is_available() else ""
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB{graphics}"
