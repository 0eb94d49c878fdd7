"""What samples have to predict by themselves: their targets, or what they were made from and their labels."""

import numpy as np

from replearn.data.samples import Samples
from replearn.data.targets import LABEL, Targets


def targets_of(samples: Samples) -> Targets | None:
    """What samples have to predict: their targets; else the factors that they were made from and their labels.

    Factors that are amounts are numbers, others are classes. Labels that are one of the factors name its classes.
    """
    if samples.targets is not None:
        return samples.targets
    names: list[str] = []
    classes: list[tuple[str, ...] | None] = []
    columns: list[np.ndarray] = []
    factors = np.empty((len(samples), 0), np.int64) if samples.factors is None else samples.factors
    unnamed = samples.labels is not None
    for place, name in enumerate(samples.factor_names[: factors.shape[1]]):
        column = factors[:, place]
        amount = place in samples.amounts
        same = samples.labels is not None and not amount and np.array_equal(column, samples.labels)
        plain = tuple(map(str, range(int(column.max(initial=0)) + 1)))
        names.append(name)
        classes.append(None if amount else samples.classes if same else plain)
        columns.append(column)
        unnamed &= not same
    if unnamed and samples.labels is not None:
        names.append(LABEL)
        classes.append(samples.classes)
        columns.append(samples.labels)
    if not columns:
        return None
    return Targets(tuple(names), tuple(classes), np.stack(columns, axis=1).astype(np.float64))
