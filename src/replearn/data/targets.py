"""Targets: several things to predict of each sample, classes and numbers mixed, some of them unknown.

    read_targets({"letter": [...], "weight": [...]}, n) -> Targets     what a user gives, a column each
    samples.targets, targets_of(samples)                               what samples have
    targets.values[batch.index]                                        what a method looks up, batch by batch

A batch carries no targets: its `index` tells where they are, as it tells where a bank's rows are.
"""

import hashlib
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from replearn.data.labels import LARGEST_LABEL, UNLABELLED, WHOLE, encode_labels

log = logging.getLogger("replearn")

LABEL = "label"  # the name of the column that labels are
MANY, FEW_EACH = (
    50,
    5,
)  # classes, and samples of each, from which and below which whole numbers are hardly names


@dataclass(frozen=True)
class Target:
    """A thing to predict, and what was learned of it: all but its values.

    Attributes:
        name: of the column.
        classes: their names in order; None of numbers.
        mean, deviation: of the numbers that are known; 0 and 1 of classes.
        known: how many values there are.
        digest: tells other values apart.
    """

    name: str
    classes: tuple[str, ...] | None
    mean: float = 0.0
    deviation: float = 1.0
    known: int = 0
    digest: str = ""

    @property
    def outputs(self) -> int:
        """Numbers that a head gives of it: a logit for each class, or the number, standardised."""
        return 1 if self.classes is None else len(self.classes)

    @property
    def named(self) -> np.ndarray:
        """The classes: their numbers, or where they have names, these."""
        names = self.classes or ()
        whole = all(map(WHOLE.fullmatch, names))
        return np.array([int(name) for name in names] if whole else names)

    def __str__(self) -> str:
        if self.classes is None:
            return f"{self.name} (numbers, mean {self.mean:.4g}, deviation {self.deviation:.4g})"
        return f"{self.name} ({len(self.classes):,} classes)"

    def to_json(self) -> dict[str, Any]:
        """All of it, with lists for tuples."""
        return asdict(self) | {"classes": None if self.classes is None else list(self.classes)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Target":
        """What `to_json` wrote.

        Raises:
            TypeError: it did not write that.
        """
        names = content["classes"]
        numbers = {name: content[name] for name in ("mean", "deviation", "known")}
        if not all(isinstance(number, int | float) for number in numbers.values()):
            raise TypeError(f"a target with {numbers!r:.80}")
        told = None if names is None else tuple(map(str, names))
        return cls(str(content["name"]), told, **numbers, digest=str(content["digest"]))


@dataclass(frozen=True, eq=False)
class Targets:
    """Columns of things to predict.

    Attributes:
        names: of the columns.
        classes: of each column the names of its classes in order, or None where it holds numbers.
        values: positions among the classes, or numbers as they are. NaN is unknown; of classes, -1 is, too.
    """

    names: tuple[str, ...]
    classes: tuple[tuple[str, ...] | None, ...]
    values: Float[np.ndarray, "n t"]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Int[np.ndarray, " m"]) -> "Targets":
        """Those of the samples at `index`."""
        return Targets(self.names, self.classes, self.values[index])

    def column(self, name: str) -> Float[np.ndarray, " n"]:
        """The values of a column, NaN where unknown.

        Raises:
            ValueError: there is no such column.
        """
        place = self._place(name)
        values = self.values[:, place]
        return values if self.classes[place] is None else np.where(values < 0, np.nan, values)

    def only(self, names: Sequence[str]) -> "Targets":
        """Some of the columns, in this order.

        Raises:
            ValueError: there is no such column, or none is named.
        """
        places = [self._place(name) for name in names]
        if not places or len(set(places)) < len(places):
            raise ValueError(f"columns of targets must be named, each once; got {list(names)!r:.80}.")
        return Targets(tuple(names), tuple(self.classes[i] for i in places), self.values[:, places])

    def as_numbers(self, names: Sequence[str]) -> "Targets":
        """The same with these columns as numbers, where they are whole numbers that were taken for classes.

        Raises:
            ValueError: there is no such column, or its classes have other names than 0, 1, 2, ...
        """
        kinds = list(self.classes)
        for name in names:
            told = kinds[self._place(name)]
            if told is not None and told != tuple(map(str, range(len(told)))):
                raise ValueError(
                    f"a column that is to be predicted as numbers must hold numbers; {name!r} holds {told[0]!r:.40}. "
                    "Leave it out of numbers."
                )
            kinds[self._place(name)] = None
        return Targets(self.names, tuple(kinds), self.values)

    def describe(self) -> tuple[Target, ...]:
        """Each column without its values."""
        return tuple(self._described(name, told) for name, told in zip(self.names, self.classes, strict=True))

    def _described(self, name: str, told: tuple[str, ...] | None) -> Target:
        values = self.column(name)
        there = values[~np.isnan(values)]
        digest = hashlib.blake2b(np.nan_to_num(values, nan=-0.5).tobytes(), digest_size=8).hexdigest()
        if told is not None or not len(there):
            return Target(name, told, known=len(there), digest=digest)
        with np.errstate(over="ignore", invalid="ignore"):  # told where a method asks for them
            mean, deviation = float(there.mean()), float(there.std())
        return Target(name, None, mean, deviation, len(there), digest)

    def _place(self, name: str) -> int:
        if name not in self.names:
            known = ", ".join(map(repr, self.names[:10]))
            raise ValueError(f"a column of targets must be one of {known}; got {name!r:.60}.")
        return self.names.index(name)


def holds_columns(y: Any) -> bool:
    """Whether these are targets with names: a mapping, a pandas frame, or targets that were read."""
    return isinstance(y, Mapping | Targets) or (hasattr(y, "columns") and hasattr(y, "to_numpy"))


def read_targets(y: Any, n: int) -> Targets:
    """Targets as given become columns of numbers.

    Names, truth values and whole numbers are classes, as labels are elsewhere; numbers of which some have a fraction,
    lie below -1 or are too large for classes are numbers. `Targets.as_numbers` says otherwise. None and NaN are
    unknown, and of classes -1 and an empty name.

    Args:
        y: a mapping of names to columns, a pandas frame, or targets.
        n: number of samples.

    Raises:
        ValueError: no column, two of one name, one of another length, with what is neither class nor finite number,
            or with nothing known.

    >>> targets = read_targets({"letter": ["b", None, "a"], "weight": [0.5, None, 2.0]}, 3)
    >>> targets.classes, targets.values.tolist()
    ((('a', 'b'), None), [[1.0, 0.5], [-1.0, nan], [0.0, 2.0]])
    """
    if isinstance(y, Targets):
        if len(y) != n:
            raise ValueError(f"targets must be one row per sample; got {len(y):,} for {n:,} samples.")
        return y
    names = [str(name) for name in y]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"targets must be columns, each with a name of its own; got {names!r:.80}.")
    found = [
        _read(name, y[key], n) for name, key in zip(names, y.keys() if hasattr(y, "keys") else y, strict=True)
    ]
    return Targets(
        tuple(names), tuple(told for told, _ in found), np.stack([row for _, row in found], axis=1)
    )


def _read(name: str, column: Any, n: int) -> tuple[tuple[str, ...] | None, Float[np.ndarray, " n"]]:
    """Classes, or None, and values of a column."""
    given = _listed(column)
    if len(given) != n:
        raise ValueError(f"targets must be one per sample; {name!r} holds {len(given):,} for {n:,} samples.")
    numbers = _as_numbers(given)
    if numbers is not None:
        there = numbers[~np.isnan(numbers)]
        if np.isinf(there).any():
            raise ValueError(f"targets must be finite; {name!r} holds infinity. Leave such samples out.")
        if (there % 1).any() or (there < UNLABELLED).any() or (there > LARGEST_LABEL).any():
            return None, numbers
    try:
        labels, told = encode_labels(given, n)
    except ValueError as error:
        raise ValueError(f"targets {name!r}: {error}") from error
    if labels is None:
        raise ValueError(f"targets must be known of some samples; of {name!r} none is. Leave it out.")
    counts = np.unique(labels[labels != UNLABELLED], return_counts=True)[1]
    if numbers is not None and len(counts) > MANY and counts.sum() < FEW_EACH * len(counts):
        log.warning(
            "targets %r: %d classes among %d samples; if they are numbers to predict, name it among numbers",
            *(name, len(counts), counts.sum()),
        )
    return told, labels.astype(np.float64) if numbers is None else numbers


def _listed(column: Any) -> list[Any]:
    """A column as a list; None and NaN where unknown."""
    if hasattr(column, "isna") and hasattr(column, "astype"):  # of pandas: its NA is no ordinary value
        column = column.astype(object).where(column.notna(), None)
    if hasattr(column, "detach"):
        column = column.detach().cpu().numpy()
    if np.ndim(column) != 1:
        raise ValueError(f"a column of targets must have one axis; got shape {np.shape(column)}.")
    return list(column.tolist() if hasattr(column, "tolist") else column)


def _as_numbers(given: Sequence[Any]) -> Float[np.ndarray, " n"] | None:
    """Numbers, NaN where unknown; None where some are names or truth values."""
    if any(isinstance(value, str | bytes | bool | np.bool_) for value in given):
        return None
    try:
        return np.array([math.nan if value is None else float(value) for value in given], dtype=np.float64)
    except (TypeError, ValueError):
        return None
