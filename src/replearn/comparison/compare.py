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
from replearn.comparison.hidden import told, with_few_labels
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
from replearn.evaluate import scorecard, wilson_interval
from replearn.evaluate.scorecard import Row
from replearn.methods.columns import IN_WORDS, Columns, learn_columns, scaling_for, scaling_of
from replearn.methods.labelled.classifier import Classifier
from replearn.methods.store import versions

EXTENDED = "extended"  # the fact that says which trainings went on after they had ended, with a new schedule
PREPROCESSING = "preprocessing"  # the fact that says what was done to the columns of a table

HIDDEN = "labels"  # the fact that says how many were seen
FRACTIONS = (0.01, 0.1, 1.0)
DIRECT, PROBED = (
    "direct",
    "kNN",
)  # measures: a method's own predictions; that which all labels that are seen go into

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
    fractions: Sequence[float] | None = None,
    draws: int = 5,
    seeds: Sequence[int] = (0,),
    per_class: Sequence[int] = (),
    labelled: float | None = None,
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
        fractions, per_class: shares, and numbers per class, of the training labels that probes are given; of None,
            0.01, 0.1 and 1, or where labels are hidden all that are seen.
        draws: how often each is drawn.
        labelled: how many training labels (below 1: which share of them) methods and probes see, drawn by the seed, of
            each class its share; the others are -1, for `fit` as well. None hides none.
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
    seen = {seed: _seen(train, labelled, seed) for seed in seeds}
    check_methods(named, seen[seeds[0]], columns)
    rows = (
        (seed, row)
        for seed in seeds
        for row in _representations(named, seen[seed], test, seed, folder, columns, resume=resume)
    )
    if labelled is not None:
        log.info("%s", told(seen[seeds[0]], train))
    return judge(
        rows,
        train,
        test,
        seen=None if labelled is None else seen,
        fractions=fractions or (FRACTIONS if labelled is None else (1.0,)),
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
    seen: Mapping[int, Samples] | None = None,
    fractions: Sequence[float] = FRACTIONS,
    per_class: Sequence[int] = (),
    draws: int = 5,
    choose: bool = False,
    columns: Columns | None = None,
) -> Comparison:
    """Score representations of the same samples, given with the seed that each was made with.

    Args:
        rows: seed and representation; made one after the other, so only the first seed's stay in memory.
        train, test, fractions, per_class, draws, choose: as for `compare`.
        seen: the training part with the labels that probes see, by seed; None: all.
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
            (train if seen is None else seen[seed]).labels,
            row.test,
            test.labels,
            fractions=fractions,
            per_class=per_class,
            draws=draws,
            groups=groups,
            random_state=seed,
            views=of_two_views(row.method, train, seed) if choose and not is_baseline(row.name) else None,
        )
        score = with_direct(score, row, test)
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
    conditions = {PREPROCESSING: IN_WORDS[scaling_of(columns)]} if KINDS[train.kind].scaled else {}
    if seen is not None:
        conditions[HIDDEN] = told(seen[seeds[0]], train)
    if longer := "; ".join(f"{row.name}: {row.extended}" for row in shown if row.extended):
        conditions[EXTENDED] = f"{longer}, each with a schedule of its own"
    facts = {
        "seeds": seeds,
        "draws": draws,
        **conditions,
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


def with_direct(score: pd.DataFrame, row: Representation, test: Samples) -> pd.DataFrame:
    """The scores of a representation with those of its method's own predictions, where it learned to answer."""
    if (
        not isinstance(row.method, Classifier)
        or is_baseline(row.name)
        or not (score["measure"] == PROBED).any()
    ):
        return score
    probed = score[score["measure"] == PROBED].iloc[0]
    accuracy, tested = row.method.score(test), int(probed["tested"])
    interval = wilson_interval(accuracy, tested)
    told = Row(DIRECT, int(probed["labels"]), accuracy, *interval, tested=tested)
    return pd.concat([score, pd.DataFrame([told], columns=score.columns)], ignore_index=True)


def _seen(train: Samples, labelled: float | None, seed: int) -> Samples:
    return train if labelled is None else with_few_labels(train, labelled, seed=seed)


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
