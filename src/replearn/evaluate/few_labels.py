"""How far do few labels go? Draws of labels, and the accuracy they allow."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from replearn.evaluate.checks import (
    Array,
    check_classes,
    check_groups,
    check_labels,
    check_split,
    is_labelled,
)
from replearn.evaluate.intervals import accuracy_interval
from replearn.evaluate.linear import fit_probes, score_probe

BATCH = 2**23  # numbers of one batch of draws: 32 MB


def draw_labels(
    labels: Array, *, fraction: float | None = None, per_class: int | None = None, random_state: int = 0
) -> npt.NDArray[np.int64]:
    """Draw the rows whose labels are shown, class by class; return their indices, sorted.

    A fraction gives exactly `round(fraction * labelled rows)` rows, shared out in proportion to the classes
    (by the largest remainder), yet at least one of each class. Rows labelled -1 are never drawn.

    Args:
        labels: classes (n,), -1 for unlabelled.
        fraction: share of the labelled rows, above 0 and up to 1; or else
        per_class: rows of each class (all rows of a class that has fewer).
        random_state: seed; the same seed draws the same rows.

    Raises:
        ValueError: unless exactly one of fraction and per_class is given, in range; or without any label.

    >>> labels = np.array([0, 0, 0, 0, 1, 1, -1])
    >>> labels[draw_labels(labels, fraction=0.5)].tolist()
    [0, 0, 1]
    """
    labels = check_labels(labels, len(labels))
    known = np.flatnonzero(is_labelled(labels))
    if len(known) == 0:
        raise ValueError(f"labels must hold at least one label; all {len(labels)} are -1. Label some rows.")
    if (fraction is None) == (per_class is None):
        raise ValueError(
            f"exactly one of fraction and per_class must be given; got {fraction} and {per_class}. "
            "Leave the other one out."
        )
    _, numbers, counts = np.unique(labels[known], return_inverse=True, return_counts=True)
    if per_class is not None:
        if per_class < 1:
            raise ValueError(f"per_class must be at least 1; got {per_class}. Draw one label of each class.")
        quotas = np.minimum(per_class, counts)
    elif fraction is not None and 0 < fraction <= 1:
        quotas = _quotas(counts, fraction)
    else:
        raise ValueError(
            f"fraction must be above 0 and up to 1; got {fraction}. 0.01 draws 1 % of the labels."
        )
    order = np.random.default_rng(random_state).permutation(len(known))
    order = order[np.argsort(numbers[order], kind="stable")]  # by class, shuffled within
    place = np.arange(len(order)) - np.repeat(counts.cumsum() - counts, counts)  # within the class
    return np.sort(known[order[place < np.repeat(quotas, counts)]])


def group_split(
    groups: Array, *, fraction: float = 0.2, random_state: int = 0
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split rows so that no group (patient, speaker, gene family) stands on both sides.

    Groups are taken in random order into the second part, each if it brings that part nearer to its size.

    Args:
        groups: the group of each row (n,), integers or strings.
        fraction: share of the rows that the second part should hold, between 0 and 1.
        random_state: seed of the order.

    Returns:
        Sorted indices of the rows kept and of the rows held out; each side holds at least one group.

    Raises:
        ValueError: for a fraction out of range, or fewer than two groups.

    >>> kept, held = group_split(np.array(["a", "a", "b", "b", "c", "c"]), fraction=0.3)
    >>> len(kept), len(held)
    (4, 2)
    """
    groups = check_labels(groups, len(groups), "groups")
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1; got {fraction}. 0.2 holds a fifth out.")
    _, numbers, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if len(counts) < 2:
        raise ValueError(
            f"groups must name at least 2 groups, one for each side; got {len(counts)}. Split rows instead."
        )
    wanted, size, taken = fraction * len(groups), 0, []
    for group in np.random.default_rng(random_state).permutation(len(counts)):
        if abs(size + counts[group] - wanted) < abs(size - wanted):
            taken.append(group)
            size += counts[group]
    taken = taken[: len(counts) - 1] or [int(counts.argmin())]
    held = np.isin(numbers, taken)
    return np.flatnonzero(~held), np.flatnonzero(held)


def few_label_curve(
    train: Array,
    train_labels: Array,
    test: Array,
    test_labels: Array,
    *,
    fractions: Sequence[float] = (0.01, 0.1, 1.0),
    per_class: Sequence[int] = (),
    draws: int = 5,
    scaling: str = "common",
    groups: Array | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Test accuracy of a linear probe by number of training labels.

    Every draw of labels is scored by its own `LinearProbe`, which sees the features of its labelled rows only
    and chooses its regularisation among them. All draws of one size are solved at once.

    Args:
        train, test: features (n, d) and (m, d).
        train_labels, test_labels: classes (n,) and (m,). Rows labelled -1 are dropped; a test label that
            training does not hold counts as an error.
        fractions: shares of the training labels; 1.0 is fitted once, as there is one draw of all labels.
        per_class: numbers of labels of each class.
        draws: how many draws of each size.
        scaling, groups: as in `linear_probe`.
        random_state: seed of the draws and of the probes' splits.

    Returns:
        One row for each size: `setting` ("1 %", "5 per class"), `labels` (how many), `mean` accuracy, `low`
        and `high` of its 95 % interval, `draws`. The interval is of the test samples and of the draws, where there
        are several: see `accuracy_interval`.

    Raises:
        ValueError: as `linear_probe` and `draw_labels` do, or for draws below 1.

    >>> rows = np.random.default_rng(0).normal(size=(300, 2))
    >>> labels = rows[:, 0] > 0
    >>> curve = few_label_curve(rows[:200], labels[:200], rows[200:], labels[200:], fractions=(0.1, 1.0))
    >>> curve[["setting", "labels", "draws"]].values.tolist()
    [['10 %', 20, 5], ['100 %', 200, 1]]
    """
    if draws < 1:
        raise ValueError(f"draws must be at least 1; got {draws}. Five give a usable interval.")
    groups = check_groups(groups, np.asarray(train_labels))
    train, train_labels, test, test_labels = check_split(train, train_labels, test, test_labels)
    check_classes(train_labels)
    seeds = [int(seed) for seed in np.random.SeedSequence(random_state).generate_state(draws)]
    rows = []
    for share in fractions:
        drawn = [draw_labels(train_labels, fraction=share, random_state=seed) for seed in seeds]
        rows.append((f"{100 * share:g} %", drawn))
    for count in per_class:
        drawn = [draw_labels(train_labels, per_class=count, random_state=seed) for seed in seeds]
        rows.append((f"{count} per class", drawn))
    table = []
    for setting, drawn in rows:
        once = drawn[:1] if len(drawn[0]) == len(train) else drawn
        scores = score_draws(
            train,
            train_labels,
            test,
            test_labels,
            once,
            scaling=scaling,
            groups=groups,
            random_state=random_state,
        )
        interval = accuracy_interval(scores, len(test))
        table.append((setting, len(drawn[0]), float(np.mean(scores)), *interval, len(scores)))
    return pd.DataFrame(table, columns=["setting", "labels", "mean", "low", "high", "draws"])


def score_draws(
    train: Array,
    train_labels: Array,
    test: Array,
    test_labels: Array,
    drawn: Sequence[npt.NDArray[np.int64]],
    *,
    scaling: str = "common",
    groups: Array | None = None,
    random_state: int = 0,
) -> list[float]:
    """Test accuracy of the probe fitted to each draw; the draws are of one size and hold every class."""
    step = max(1, BATCH // (len(drawn[0]) * train.shape[1]))
    scores = []
    for start in range(0, len(drawn), step):
        part = drawn[start : start + step]
        probes = fit_probes(
            [train[i] for i in part],
            [train_labels[i] for i in part],
            groups=None if groups is None else [groups[i] for i in part],
            scaling=scaling,
            random_state=random_state,
        )
        scores += [score_probe(probe, test, test_labels, labels=len(part[0])).accuracy for probe in probes]
    return scores


def _quotas(counts: npt.NDArray[np.int64], fraction: float) -> npt.NDArray[np.int64]:
    """Rows to draw of each class: in proportion, at least one each, round(fraction * all) together."""
    total = max(len(counts), round(fraction * int(counts.sum())))
    exact = total * counts / counts.sum()
    quotas = np.maximum(1, np.floor(exact)).astype(np.int64)
    while quotas.sum() > total:  # classes of less than one row took a whole one: the most favoured others pay
        quotas[np.where(quotas > 1, quotas - exact, -np.inf).argmax()] -= 1
    while quotas.sum() < total:
        quotas[np.where(quotas < counts, exact - quotas, -np.inf).argmax()] += 1
    return np.asarray(quotas)
