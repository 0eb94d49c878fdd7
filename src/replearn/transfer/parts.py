"""A test part: which samples it takes, and its faults, told with their numbers before anything is trained."""

from collections import Counter
from typing import Any

import numpy as np
from jaxtyping import Int

from replearn.data.splits import stratified_test
from replearn.transfer.reading import units_of
from replearn.transfer.task_data import KINDS, read_answers, read_samples
from replearn.transfer.tasks import Task

SHOWN = 5  # labels


def split_at(task: str, X: Any, *, test: float) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " m"]]:
    """Positions of a training and of a test part, drawn without regard to answers; copies and groups stay together.

    Args:
        task: of `TASKS`.
        X: samples as `FineTune.fit` takes them.
        test: share of the test part.

    Raises:
        ValueError: a part is empty.
    """
    units = units_of(read_samples(task, X))
    held = stratified_test(np.zeros_like(units), test=test, random_state=0, units=units)
    if not 0 < len(held) < len(units):
        apart = len(np.unique(units))
        raise ValueError(
            f"DATA must have samples enough for a test part; got {len(units)}, {apart} without copies and groups. Name "
            "one with --test."
        )
    return np.delete(np.arange(len(units)), held), held


def check_parts(task: str, train: tuple[Any, Any], test: tuple[Any, Any]) -> list[str]:
    """Lines that count what is left out of a training and a test part, or counts as wrong.

    Args:
        task: of `TASKS`.
        train, test: samples and answers each, as `FineTune.fit` and `scores` take them.

    Raises:
        ValueError: there is nothing to learn from, or nothing to judge by.
    """
    samples = read_samples(task, train[0])
    kind, answers = read_answers(task, train[1], samples)
    known = KINDS[kind].learned(answers)
    try:
        _, truth = read_answers(task, test[1], read_samples(task, test[0]), known=known)
    except ValueError as error:
        raise ValueError(f"the test part must have answers as the training part has: {error}") from error
    if all(answer is None for answer in truth):
        raise ValueError(
            f"the test part must have answers to judge by; none of its {len(truth):,} samples has one. Name a part "
            "that has, with --test."
        )
    counts = [
        (f"{what} part", sum(answer is None for answer in rows), len(rows))
        for what, rows in (("training", answers), ("test", truth))
    ]
    lines = [
        f"the {what} has no answer for {gaps:,} of {n:,} samples: they are left out"
        for what, gaps, n in counts
        if gaps
    ]
    return [*lines, *_unseen(known, truth)]


def _unseen(task: Task, truth: list[Any]) -> list[str]:
    """A line on labels that training never saw.

    Raises:
        ValueError: it saw none of them.
    """
    counts = Counter(label for answer in truth if answer is not None for label in task.labels_in(answer))
    known = set(getattr(task, "values", ()))
    new = Counter({label: count for label, count in counts.items() if label not in known})
    if not new:
        return []
    named = ", ".join(f"{label} ({count:,})" for label, count in new.most_common(SHOWN))
    more = f" and {len(new) - SHOWN} more" if len(new) > SHOWN else ""
    if new.total() == counts.total():
        raise ValueError(
            f"the test part must have labels that the training part has; it has only others, {named}{more}. Name parts "
            "that are labelled alike."
        )
    return [
        f"{new.total():,} of {counts.total():,} labels of the test part were never seen in training, {named}{more}: "
        "they count as wrong"
    ]
