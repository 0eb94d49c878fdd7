"""Methods side by side on equal terms: the same samples, the same split, the same probes, and the two honest rows
*raw input* and *untrained encoder*.
"""

import logging
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone

from replearn.data import Samples
from replearn.evaluate import scorecard
from replearn.methods.arrays import save_arrays
from replearn.methods.base import Method
from replearn.methods.store import versions

log = logging.getLogger("replearn")

RAW, UNTRAINED = "raw input", "untrained encoder"


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
        scores: `representation, seed, measure, labels, mean, low, high, draws`; see `replearn.evaluate.scorecard`.
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
    runs: str | Path | None = None,
) -> Comparison:
    """Fit every method on `train` without its labels, and judge all representations alike.

    The rows *raw input* and *untrained encoder* (of the first method that has one) come first. The test part is
    looked at once, after the last step of training: no epoch and no probe is chosen by it.

    Args:
        methods: methods of ours or of scikit-learn, by the name that tables show, or a list (named by class).
        train, test: the samples; their labels only judge.
        fractions: shares of the training labels that probes are given.
        draws: how often each share is drawn.
        seeds: each method is fitted once per seed (as its `random_state`); scores are of all seeds.
        runs: a folder that gets a run folder per method and seed, or None.

    Returns:
        The representations of the first seed, and the scores of all.

    Raises:
        ValueError: a method can't learn from these samples.
    """
    named = dict(methods) if isinstance(methods, Mapping) else {type(m).__name__: m for m in methods}
    shown: list[Representation] = []
    scores = []
    for seed in seeds:
        for row in _representations(named, train, test, seed, None if runs is None else Path(runs)):
            log.info("judging %s", row.name)
            score = scorecard(
                row.train, train.labels, row.test, test.labels, fractions=fractions, draws=draws, random_state=seed
            )
            scores.append(score.assign(representation=row.name, seed=seed))
            if seed == seeds[0]:
                shown.append(row)
    table = pd.concat(scores, ignore_index=True)
    first = ["representation", "seed"]
    facts = {"seeds": list(seeds), "draws": draws, "versions": versions(), "machine": machine_in_words()}
    return Comparison(train, test, shown, table[first + [c for c in table.columns if c not in first]], facts)


def _representations(
    named: Mapping[str, Any], train: Samples, test: Samples, seed: int, runs: Path | None
) -> Iterator[Representation]:
    yield raw_input(train, test)
    seeded = {name: with_seed(method, seed) for name, method in named.items()}
    ours = [method for method in seeded.values() if isinstance(method, Method)]
    if ours:
        yield untrained_encoder(ours[0], train, test)
    for name, method in seeded.items():
        log.info("fitting %s, seed %d", name, seed)
        run = None if runs is None else runs / (name if seed == 0 else f"{name}-{seed}")
        yield fit_and_represent(name, method, train, test, run=run)


def raw_input(train: Samples, test: Samples) -> Representation:
    """The samples as they come, as numbers: the row that every method must beat."""
    return Representation(RAW, train.flat(), test.flat())


def untrained_encoder(method: Method, train: Samples, test: Samples) -> Representation:
    """The representation by a method's networks as they are before training."""
    blank = clone(method).prepare(train)
    return Representation(UNTRAINED, blank.transform(train), blank.transform(test), blank)


def fit_and_represent(
    name: str, method: Any, train: Samples, test: Samples, *, run: Path | None = None
) -> Representation:
    """Fit a clone of `method` on `train` and represent both parts."""
    method = clone(method)
    began = time.monotonic()
    if isinstance(method, Method):
        method.fit(train, run=run)
        seconds = time.monotonic() - began
        history, alarms = method.history_.rows, [str(alarm) for alarm in method.history_.alarms]
        return Representation(
            name, method.transform(train), method.transform(test), method, seconds, history, alarms
        )
    if not hasattr(method, "transform"):
        both = method.fit_transform(np.concatenate([train.flat(), test.flat()]))
        return Representation(name, both[: len(train)], both[len(train) :], method, time.monotonic() - began)
    method.fit(train.flat())
    seconds = time.monotonic() - began
    if run is not None:
        save_arrays(method, train, run)
    return Representation(name, method.transform(train.flat()), method.transform(test.flat()), method, seconds)


def with_seed(method: Any, seed: int) -> Any:
    """A clone of `method` whose `random_state`, if it has one, is `seed`."""
    method = clone(method)
    return method.set_params(random_state=seed) if "random_state" in method.get_params() else method


def machine_in_words() -> str:
    """What computed: processor, cores, memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB" + (", GPU" if torch.cuda.is_available() else "")
