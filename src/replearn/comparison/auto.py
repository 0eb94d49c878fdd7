"""Which representation to take? Features made by hand, encoders that are given and methods, judged within some minutes.

    round 1: each method learns for its share of the minutes --judge--> the better half
    round 2: these go on ------------------------------------judge--> the better half
    last:    the best goes on with what is left -------------judge--> beside what needs no training, the choice

For images two rows are added: visual words, Fisher vectors and patch codes side by side, and these beside the method
that went on.

*Successive halving* (Jamieson & Talwalkar, AISTATS 2016): time goes to what looks good. Where there are labels, methods
are judged by how often a linear probe tells labelled training samples that it has not seen; where there are none, by
measures that need none, which say little. Nothing is chosen by the test part.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA

from replearn.comparison.compare import run_name
from replearn.comparison.judges import Judge
from replearn.comparison.rows import (
    Representation,
    fit_and_represent,
    hand_made,
    raw_input,
    represent,
    training_of,
    unheard,
    untrained_encoders,
)
from replearn.comparison.trials import PROBE, Trial, Trials
from replearn.data import Samples
from replearn.data.kinds import KINDS, ROWS
from replearn.engine.run import METHOD
from replearn.methods.columns import Columns
from replearn.methods.given import Concatenation
from replearn.methods.load import load
from replearn.methods.model import Model
from replearn.methods.trained import Trained

log = logging.getLogger("replearn")

FAILURES = (
    ValueError,
    RuntimeError,
)  # of a training: numbers that are not finite or too many for the memory, say
MANY = 100_000  # epochs: minutes end a training
COMPONENTS = 64
CODES = "codes side by side"  # of images: visual words, Fisher vectors, patch codes; no training
WITH_CODES = f" + {CODES}"  # ends the name of the row of a method that has learned beside them
FILE = "auto.json"
# Of RankMe, and of alignment + uniformity: `benchmarks/results/quality.md`, 18 methods.
TRUST = "which agreed with kNN by Kendall's tau of 0.16 and 0.18 on digits, of 0.49 and -0.12 on CIFAR-10 (1: the same)"


@dataclass(frozen=True, eq=False)
class Choice:
    """What `auto` found.

    Attributes:
        best: the name of the representation to take.
        rows: the raw input, an untrained encoder, what needs no training, and the method that learned to the end.
        trials: all that was judged, in order.
        judged: labelled training samples that were judged by; 0: none.
        leads: by how much of them `best` is ahead of each other row that might be taken, and half of the 95 % interval
            of that; empty without labels.
    """

    best: str
    rows: list[Representation]
    trials: list[Trial]
    judged: int
    leads: dict[str, tuple[float, float]]

    @property
    def row(self) -> Representation:
        """The representation to take."""
        return next(row for row in self.rows if row.name == self.best)

    def advice(self) -> str:
        """The choice in words, and how sure it is."""
        if not self.judged:
            return (
                f"Take {self.best}. It was chosen without labels, by RankMe and alignment + uniformity, {TRUST}: "
                "hardly better than chance. Labels of fifty samples choose far better."
            )
        score = {trial.name: trial.measures[PROBE] for trial in self.trials}[self.best]
        told = (
            f"Take {self.best}: a linear probe tells {100 * score:.1f} % of {self.judged:,} labelled training samples "
            "right, each by labels of others."
        )
        if self.leads:
            second = min(self.leads, key=lambda name: self.leads[name][0])
            ahead, half = self.leads[second]
            sure = "no accident" if ahead > half else "maybe by chance: more labels would tell"
            told += f" It is ahead of {second} by {100 * ahead:.1f} points (± {100 * half:.1f}), {sure}."
            if ahead <= half and second in (trial.name for trial in self.trials if not trial.round):
                told += f" {second} needs no training."
        if not isinstance(self.row.method, Trained) and not self.best.endswith(WITH_CODES):
            told += " No network did better in these minutes: give more (--minutes), or a trained encoder (--given)."
        return told


def auto(
    train: Samples,
    test: Samples,
    *,
    minutes: float,
    folder: Path,
    methods: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
    columns: Columns | None = None,
    seed: int = 0,
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> Choice:
    """Choose a representation of `train` within some minutes, and represent both parts by it.

    Killed, the same call goes on: what was judged lies in `folder/auto.json`, trainings in folders beside it.

    A method whose training fails before the last round is left out, and told.

    Raises:
        ValueError: another call began in this folder, or its file is damaged.

    Args:
        train: the samples; where some have labels, they judge.
        test: represented, and looked at by nothing else.
        minutes: of the whole; judging counts, and the last training has what is left.
        folder: where runs go, a folder each.
        methods: that learn in steps, by name; `shortlist` gives some.
        given: methods that need no training, such as `Frozen` with weights of a file, by name.
        columns: what brings the columns of a table into one unit for what takes rows.
        seed: of folds and of what needs no training.
        on_trial: is told each trial as soon as it is known, those of an earlier call, too.
    """
    began = time.monotonic()
    asked = {"samples": train.fingerprint(), "minutes": minutes, "seed": seed}
    asked |= {"methods": {name: repr(method) for name, method in methods.items()}, "given": list(given or {})}
    judge, trials = Judge(train, seed), Trials(folder / FILE, asked, on_trial)
    rows = list(_without_training(train, test, folder, given or {}, columns, seed))
    for row in rows if judge.labelled else []:
        started = time.monotonic()
        trials.add(Trial(row.name, 0, 0.0, judge.rows(row), time.monotonic() - started))
    counts, alive = halves(len(methods)), list(methods)
    for number, count in enumerate(counts[:-1], 1):
        for name in list(alive):
            trial = trials.find(name, number)
            if trial is None:
                started = time.monotonic()
                given_now = trials.minutes(name) + minutes / len(counts) / count
                try:
                    learned = _learned(methods[name], given_now, folder / run_name(name, 0), train)
                except FAILURES as error:
                    if len(alive) == 1:
                        raise
                    alive.remove(name)
                    log.warning("%s failed in round %d and is left out: %s", name, number, error)
                    continue
                trial = Trial(
                    name, number, _minutes(learned), judge.method(name, learned), time.monotonic() - started
                )
            trials.add(trial)
        alive = trials.best(alive, number)[: counts[number]]
    (name,), number, place = alive, len(counts), folder / run_name(alive[0], 0)
    ended, started = trials.find(name, number), time.monotonic()
    if ended is None:
        left = (
            minutes
            - (trials.took_before + started - began) / 60
            - trials.judging(name)
            - trials.judging(CODES)
        )
        _learned(
            methods[name], trials.minutes(name) + _at_least(left, minutes / len(counts) / 2), place, train
        )
    learned = load(place)
    history, alarms = training_of(learned)
    row = Representation(
        name, *represent(learned, train, test), learned, history[-1]["seconds"], history, alarms
    )
    measures = judge.rows(row)
    trials.add(ended or Trial(name, number, _minutes(learned), measures, time.monotonic() - started))
    rows.append(row)
    if judge.labelled and CODES in (one.name for one in rows):
        rows.append(_with_codes(row, place, number, train, test, judge, trials))
    best = trials.best([one.name for one in rows])[0] if judge.labelled else name
    leads = {one.name: judge.lead(best, one.name) for one in rows if judge.labelled and one.name != best}
    chosen = next(one for one in rows if one.name == best)
    place = folder / run_name(best, 0)
    if isinstance(chosen.method, Model) and not (place / METHOD).exists():  # it was made by hand
        clone(chosen.method).fit(train, run=place)
    before = untrained_encoders({name: methods[name]}, train, test)
    return Choice(best, [*rows, *before], trials.all, len(judge.index) if judge.labelled else 0, leads)


def _learned(method: Any, minutes: float, run: Path, train: Samples) -> Any:
    """A clone of a method that has learned for so many minutes, some of them before, in its folder."""
    learning = clone(method).set_params(max_minutes=minutes, epochs=MANY)
    with unheard():
        return learning.fit(train, run=run, resume=True)


def _at_least(left: float, least: float) -> float:
    """The minutes of the last training; a line says so where they are more than what is left."""
    if left < least:
        log.warning(
            "the last training takes %.1f minutes, %.1f more than are left: judging and what needs no training took "
            "the rest; give more (--minutes)",
            *(least, least - left),
        )
    return max(left, least)


def _minutes(method: Any) -> float:
    """How long a method has learned: a step that began within its minutes ends after them."""
    history, _ = training_of(method)
    return float(history[-1]["seconds"] / 60)


def _with_codes(
    row: Representation, place: Path, number: int, train: Samples, test: Samples, judge: Judge, trials: Trials
) -> Representation:
    """What was learned into a folder, beside codes without a network; judged."""
    title, started = row.name + WITH_CODES, time.monotonic()
    both = Concatenation(methods=(*Concatenation.methods, str(place)), random_state=judge.seed)
    found = fit_and_represent(title, both, train, test, run=place.parent / run_name(title, 0), resume=True)
    measures = judge.rows(found)
    known = trials.find(title, number)
    trials.add(known or Trial(title, number, 0.0, measures, time.monotonic() - started))
    return found


def halves(n: int) -> list[int]:
    """How many methods are left in each round.

    >>> halves(4), halves(3), halves(1)
    ([4, 2, 1], [3, 2, 1], [1])
    """
    return [n] if n <= 1 else [n, *halves((n + 1) // 2)]


def _without_training(
    train: Samples,
    test: Samples,
    folder: Path,
    given: Mapping[str, Any],
    columns: Columns | None,
    seed: int,
) -> Iterator[Representation]:
    """The raw input, features made by hand, and, each with a folder of its own, what is given and components."""
    yield raw_input(train, test, columns)
    words = hand_made(train, test, random_state=seed)
    if words is not None:
        yield words
    named = dict(given)
    if ROWS in KINDS[train.kind].offers and np.prod(train.shape) > COMPONENTS:
        named["PCA"] = PCA(min(COMPONENTS, len(train) - 1), random_state=seed)
    if words is not None and isinstance(words.method, Model):
        named[CODES] = Concatenation(random_state=seed)
    for name, method in named.items():
        run = folder / run_name(name, 0)
        try:
            yield fit_and_represent(name, method, train, test, columns=columns, run=run, resume=True)
        except ValueError as error:  # of codes, which nobody asked for: no reason to choose nothing
            if name != CODES:
                raise
            log.info("no row %s: %s", name, error)
