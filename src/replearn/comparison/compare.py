"""Methods side by side on equal terms: the same samples, the same split, the same probes, and the honest rows."""

import logging
import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from replearn.comparison.checks import check_methods
from replearn.comparison.copies import copies_across, together_in_training
from replearn.comparison.rows import (
    Representation,
    fit_and_represent,
    hand_made,
    is_baseline,
    of_two_views,
    raw_input,
    untrained_encoders,
    with_seed,
)
from replearn.data import Samples, alike
from replearn.data.kinds import KINDS
from replearn.evaluate import scorecard
from replearn.methods.columns import IN_WORDS, Columns, learn_columns, scaling_for, scaling_of
from replearn.methods.store import versions

EXTENDED = "extended"  # the fact that says which trainings went on after they had ended, with a new schedule
PREPROCESSING = "preprocessing"  # the fact that says what was done to the columns of a table

log = logging.getLogger("replearn")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Representations of the same samples, and how good each one is.

    Attributes:
        train, test: the samples.
        rows: a representation per row of the table, of the first seed.
        scores: `representation, seed, measure, labels, mean, low, high, draws`; see `replearn.evaluate.scorecard`.
            Where the minutes of a training ended it, `cut` says after how many steps of how many; where samples are of
            groups, `test_groups` how many of them the test part has.
        facts: what was run, for the reader: preprocessing, seeds, versions, machine.
        columns: what brought the columns of a table into one unit for every row; None where nothing did.
    """

    train: Samples
    test: Samples
    rows: list[Representation]
    scores: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)
    columns: Columns | None = None


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
    scaling: str = "auto",
) -> Comparison:
    """Fit every method on `train` and judge all representations alike; only methods that need labels look at them.

    The rows *raw input*, *untrained encoder* (one for each network that is unlike the others) and, of images of at
    least 16 pixels a side, *bag of visual words* come first. All methods are checked before any is fitted. The test
    part is looked at once, after the last step of training: no epoch and no probe is chosen by it.

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
        scaling: what is done to the columns of a table, the same for every row: `standard`, `range` (into [0, 1]) or
            `none`; `auto` is `standard`, or `range` where a method learns from no numbers below 0.

    Returns:
        The representations of the first seed, and the scores of all.

    Raises:
        ValueError: a method can't learn from these samples; none was fitted.
    """
    test = alike(test, train, convert=False)
    named = dict(methods) if isinstance(methods, Mapping) else {type(m).__name__: m for m in methods}
    folder = None if runs is None else Path(runs)
    columns = learn_columns(scaling_for(scaling, train, named.values()), train)
    check_methods(named, train, columns)
    rows = (
        (seed, row)
        for seed in seeds
        for row in _representations(named, train, test, seed, folder, columns, resume=resume)
    )
    return judge(
        rows,
        train,
        test,
        fractions=fractions,
        per_class=per_class,
        draws=draws,
        choose=choose,
        columns=columns,
    )


def judge(
    rows: Iterable[tuple[int, Representation]],
    train: Samples,
    test: Samples,
    *,
    fractions: Sequence[float] = (0.01, 0.1, 1.0),
    per_class: Sequence[int] = (),
    draws: int = 5,
    choose: bool = False,
    columns: Columns | None = None,
) -> Comparison:
    """Score representations of the same samples, given with the seed that each was made with.

    Args:
        rows: seed and representation; made one after the other, so only the first seed's stay in memory.
        train, test, fractions, per_class, draws, choose: as for `compare`.
        columns: what the columns of a table were scaled by, for every row.
    """
    shown: list[Representation] = []
    scores = []
    seeds: list[int] = []
    near, groups = copies_across(train, test), together_in_training(train)
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
            groups=groups,
            random_state=seed,
            views=of_two_views(row.method, train, seed) if choose and not is_baseline(row.name) else None,
        )
        scores.append(score.assign(representation=row.name, seed=seed, cut=row.cut))
        seeds += [] if seed in seeds else [seed]
        if seed == seeds[0]:
            shown.append(row)
    table = pd.concat(scores, ignore_index=True)
    if not (table["cut"] != "").any():
        table = table.drop(columns="cut")
    if test.groups is not None:
        table["test_groups"] = len({*test.groups.tolist()} - {""})
    first = ["representation", "seed"]
    told = {PREPROCESSING: IN_WORDS[scaling_of(columns)]} if KINDS[train.kind].scaled else {}
    if longer := "; ".join(f"{row.name}: {row.extended}" for row in shown if row.extended):
        told[EXTENDED] = f"{longer}, each with a schedule of its own"
    facts = {
        "seeds": seeds,
        "draws": draws,
        **told,
        **near,
        "versions": versions(),
        "machine": machine_in_words(),
    }
    ordered = table[first + [c for c in table.columns if c not in first]]
    return Comparison(train, test, shown, ordered, facts, columns)


def _representations(
    named: Mapping[str, Any],
    train: Samples,
    test: Samples,
    seed: int,
    runs: Path | None,
    columns: Columns | None,
    *,
    resume: bool,
) -> Iterator[Representation]:
    yield raw_input(train, test, columns)
    seeded = {name: with_seed(method, seed) for name, method in named.items()}
    yield from untrained_encoders(seeded, train, test)
    words = hand_made(train, test, random_state=seed, beside=seeded.values())
    if words is not None:
        yield words
    for name, method in seeded.items():
        log.info("fitting %s, seed %d", name, seed)
        run = None if runs is None else runs / run_name(name, seed)
        yield fit_and_represent(name, method, train, test, columns=columns, run=run, resume=resume)


def run_name(name: str, seed: int) -> str:
    """The name of a row's run folder within the comparison's.

    >>> run_name("SimCLR temperature=0.1", 2)
    'SimCLR-temperature=0.1-2'
    """
    plain = re.sub(r"[^\w.=-]+", "-", name)
    return plain if seed == 0 else f"{plain}-{seed}"


def machine_in_words() -> str:
    """What computed: processor, cores, memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = platform.processor() or platform.machine()
    graphics = ", GPU" if torch.cuda.is_available() else ""
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB{graphics}"
