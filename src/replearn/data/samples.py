"""What a method learns from: samples, fetched a batch at a time.

    samples[index array] -> Batch(x, labels, index)

Nothing here is random and nothing is learned. Only `data`, `views` and `encoders` look at `Batch.x`;
everything to their right passes a batch on whole.
"""

import copy
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data.chosen import Chosen
from replearn.data.content import channels_of, each_as_bytes, floats_of, ids_of, rows_of_numbers
from replearn.data.labels import UNLABELLED
from replearn.data.levels import Levels, scaled
from replearn.data.stored import StoredRows
from replearn.data.table_reading import TableReading
from replearn.data.targets import Targets
from replearn.data.tokenizer import Tokenizer

SHOWN = 3  # names of classes that are shown of samples


@dataclass(frozen=True, eq=False)
class Batch:
    """Some samples, as tensors on one device.

    Attributes:
        x: the content (see `replearn.data.content`), one row per sample: uint8 or float `(n, c, h, w)` images in
            [0, 255] or [0, 1], float `(n, d)` tables, `Texts`, int64 `(n, t)` tokens, or that of another kind. Only
            data, views and encoders look at it.
        labels: class of each row, -1 where unknown.
        index: position of each row in the samples that `fit` was given (memory banks are kept by it).
        start, total: this batch is rows `start : start + len(batch)` of a joined batch of `total` rows,
            spread over processes or slices. Views draw their randomness for all `total` rows and keep their
            own, so a run on many processes sees the views that one process would see. `total` None: this is
            the whole.
    """

    x: Any
    labels: Int[Tensor, " n"]
    index: Int[Tensor, " n"]
    start: int = 0
    total: int | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on `device`."""
        return replace(self, x=self.x.to(device), labels=self.labels.to(device), index=self.index.to(device))

    def part_of(self, total: int, *, start: int) -> "Batch":
        """The same rows, marked as those from `start` on of a joined batch of `total` rows."""
        return replace(self, start=start, total=total)

    def rows(self, start: int, stop: int) -> "Batch":
        """The rows from `start` up to `stop`, as a part of this batch."""
        return replace(
            self,
            x=self.x[start:stop],
            labels=self.labels[start:stop],
            index=self.index[start:stop],
            start=self.start + start,
            total=self.total or len(self),
        )

    def floats(self) -> "Batch":
        """The same samples, bytes as floats in [0, 1]; what has no floats stays as it is."""
        return self.with_x(floats_of(self.x))

    def ids(self) -> Int[Tensor, " n"]:
        """A number per sample that equal samples share (see `replearn.data.content.ids_of`)."""
        return ids_of(self.x).to(self.labels.device)

    def with_x(self, x: Any) -> "Batch":
        """The same samples seen as `x`."""
        return replace(self, x=x)


class Samples(ABC):
    """A sequence of samples of one kind.

    Attributes:
        kind: `image`, `table`, `text`, ...; views and encoders are chosen by it.
        shape: shape of one sample, `(c, h, w)` or `(d,)`; `()` of texts.
        labels: int64 `(n,)`, -1 where unknown; None if there are none at all.
        classes: name of each label, `classes[label]`.
        names: a name per sample (its file, say), or None. As found: they may hold anything, markup too.
        skipped: name and reason of each sample that could not be read and was left out.
        factors: int64 `(n, f)`, what each sample was made from, by which representations can be judged; or None.
        factor_names: a name per column of `factors`.
        amounts: columns of `factors` whose numbers are amounts in equal steps, not names or angles.
        levels: of images deeper than bytes, which level became 0 and which 1 (see `replearn.data.levels`); None of
            bytes and of floats that were given in [0, 1].
        targets: several things to predict of each sample (see `replearn.data.targets`); or None.
        groups: name of the group of each sample (a patient, a speaker), `""` where it is of none; or None. A split
            keeps a group on one side.
        reading: how the columns of a table became numbers; None of other samples.
        details: what their kind says of them besides (a rate, a spacing), as JSON can hold it; a run keeps it.
        elements: how many elements (nodes, points) each sample has, `(n,)`, where they have unlike many; else None.
        members: of samples that are made of samples of several kinds, those of each, by name; else none.
    """

    kind: str
    shape: tuple[int, ...]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    names: Sequence[str] | None = None
    skipped: Sequence[tuple[str, str]] = ()
    factors: np.ndarray | None = None
    factor_names: tuple[str, ...] = ()
    amounts: tuple[int, ...] = ()
    targets: Targets | None = None
    groups: np.ndarray | None = None
    levels: Levels | None = None
    reading: TableReading | None = None
    details: Mapping[str, Any] = MappingProxyType({})
    elements: np.ndarray | None = None
    members: "Mapping[str, Samples]" = MappingProxyType({})

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: np.ndarray) -> Batch:
        """The samples at the positions `index`, an integer array, as one batch on the CPU."""

    @property
    def tokenizer(self) -> Tokenizer | None:
        """What makes tokens of texts; None of other samples."""
        return None

    def subset(self, index: np.ndarray | Sequence[int]) -> "Samples":
        """The samples at `index` (integers or a boolean mask), as a view: nothing is copied."""
        return Subset(self, positions(index))

    def with_targets(self, targets: Targets | None) -> "Samples":
        """The same samples with other targets."""
        changed = copy.copy(self)
        changed.targets = targets
        return changed

    def learned_on(self, index: np.ndarray) -> "Samples":
        """The same samples, read by what can be known of those at `index` alone; most samples are read without."""
        return self

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.shape))
        told = [f"{len(self):,} samples of kind {self.kind}" + (f", {size} each" if size else "")]
        if self.labels is not None:
            names = ", ".join(map(repr, self.classes[:SHOWN]))
            more = ", ..." if len(self.classes) > SHOWN else ""
            told.append(f"{len(self.classes):,} classes ({names}{more})")
        unknown = len(self) if self.labels is None else int((self.labels == UNLABELLED).sum())
        groups = 0 if self.groups is None else len(np.unique(self.groups))
        counts = (unknown, "unlabelled"), (groups, "groups"), (len(self.skipped), "left out")
        told += [f"{count:,} {what}" for count, what in counts if count]
        return f"<{type(self).__name__}: {'; '.join(told)}>"

    def numbers(self, index: np.ndarray) -> Float[np.ndarray, "n d"]:
        """The samples at `index` as rows of numbers, images scaled to [0, 1].

        Raises:
            ValueError: they have not all the same numbers.
        """
        found = rows_of_numbers(self[index].x)
        if found is None:
            raise ValueError(
                f"samples must be rows of the same numbers; those of kind {self.kind} are not. Use an encoder for them."
            )
        return found.numpy()  # type: ignore[no-any-return]

    def flat(self) -> Float[np.ndarray, "n d"]:
        """All samples as rows of numbers, images scaled to [0, 1]: what classical methods learn from."""
        first = self.numbers(np.arange(min(1, len(self))))
        rows = np.empty((len(self), first.shape[1]), dtype=np.float32)  # (n, d)
        for part in self.parts():
            rows[part[0] : part[-1] + 1] = self.numbers(part)
        return rows

    def channels(self, index: np.ndarray) -> Float[Tensor, "m c"] | None:
        """All numbers of the samples at `index`, by channel or column; None where they have no channels."""
        return channels_of(self[index].x)

    def fingerprint(self) -> str:
        """A short hash of shape, labels and at most 4,096 samples; a resumed run checks it."""
        digest = hashlib.blake2b(repr((self.kind, self.shape, len(self))).encode(), digest_size=8)
        if self.labels is not None:
            digest.update(self.labels.tobytes())
        for part in self.parts(self.spread()):
            x = self[part].x
            digest.update(x.numpy().tobytes() if isinstance(x, Tensor) else b"\0".join(each_as_bytes(x)))
        return digest.hexdigest()

    def spread(self) -> np.ndarray:
        """At most 4,096 positions, evenly spread."""
        return np.unique(np.linspace(0, len(self) - 1, num=min(len(self), 4096)).astype(np.int64))

    def parts(self, index: np.ndarray | None = None) -> list[np.ndarray]:
        """Positions (all, if none are given) in consecutive parts: about 16 MB of floats, or 4,096 texts."""
        index = np.arange(len(self)) if index is None else index
        size = max(1, 2**22 // max(1, prod(self.shape) if self.shape else 2**10))
        return [index[start : start + size] for start in range(0, len(index), size)]

    @cached_property
    def statistics(self) -> tuple[Float[Tensor, " c"], Float[Tensor, " c"]]:
        """Mean and deviation of each channel (in [0, 1]) or column, from at most 4,096 samples."""
        count, first, total, squares = 0, torch.zeros(()), torch.zeros(()), torch.zeros(())
        for part in self.parts(self.spread()):
            found = self.channels(part)
            if found is None:
                return torch.zeros(1), torch.ones(1)
            columns = found.double()  # (m, c)
            if count == 0:
                first = columns.mean(0)  # sums around a value near the mean, so the squares do not cancel
            count += len(columns)
            total = total + (columns - first).sum(0)
            squares = squares + (columns - first).square().sum(0)
        offset = total / count
        std = (squares / count - offset.square()).clamp(min=0).sqrt().float()
        # A constant channel says nothing: dividing by 1 keeps it at zero.
        # What is small beside the mean is rounding, however small the unit is.
        least = ((first + offset).abs() * 1e-6).clamp(min=1e-18).float()
        return (first + offset).float(), torch.where(std > least, std, torch.ones_like(std))


def positions(index: np.ndarray | Sequence[int]) -> np.ndarray:
    """Integers, of integers or of a boolean mask."""
    chosen = np.asarray(index)
    return np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)


class ArraySamples(Samples):
    """Samples in one array, in memory or on disk: `(n, c, h, w)` images or `(n, d)` tables.

    Args:
        x: uint8 `(n, c, h, w)`, float32 `(n, c, h, w)` in [0, 1] or of levels, uint16 `(n, c, h, w)` of levels, or
            float32 `(n, d)`.
        labels, classes, names, skipped, levels: as in `Samples`; of uint16 the levels are the range of its depth.
    """

    def __init__(
        self,
        x: np.ndarray | StoredRows,
        labels: np.ndarray | None = None,
        *,
        classes: Sequence[str] = (),
        names: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
        levels: Levels | None = None,
    ) -> None:
        self.x = x
        self.levels = levels
        self.kind = "image" if x.ndim == 4 else "table"
        self.shape = tuple(x.shape[1:])
        self.labels = labels
        self.classes = tuple(classes)
        self.names = names
        self.skipped = skipped

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: np.ndarray) -> Batch:
        labels = np.full(len(index), UNLABELLED) if self.labels is None else self.labels[index]
        rows = np.asarray(self.x[index])
        return Batch(
            # Indexing copies, so the tensor owns its memory.
            x=torch.from_numpy(rows if self.levels is None else scaled(rows, self.levels)),
            labels=torch.from_numpy(labels.astype(np.int64)),
            index=torch.from_numpy(np.asarray(index, dtype=np.int64)),
        )


class Subset(Samples):
    """Some positions of other samples. `Batch.index` counts within the subset."""

    def __init__(self, samples: Samples, index: np.ndarray) -> None:
        self.samples = samples
        self.index = index
        self.kind = samples.kind
        self.shape = samples.shape
        self.labels = None if samples.labels is None else samples.labels[index]
        self.classes = samples.classes
        self.names = None if samples.names is None else Chosen(samples.names, index)
        self.factors = None if samples.factors is None else samples.factors[index]
        self.factor_names = samples.factor_names
        self.amounts = samples.amounts
        self.targets = None if samples.targets is None else samples.targets[index]
        self.groups = None if samples.groups is None else samples.groups[index]
        self.levels = samples.levels
        self.reading = samples.reading
        self.details = samples.details
        self.elements = None if samples.elements is None else samples.elements[index]

    def __len__(self) -> int:
        return len(self.index)

    def numbers(self, index: np.ndarray) -> Float[np.ndarray, "n d"]:
        return self.samples.numbers(self.index[index])

    def channels(self, index: np.ndarray) -> Float[Tensor, "m c"] | None:
        return self.samples.channels(self.index[index])

    def __getitem__(self, index: np.ndarray) -> Batch:
        batch = self.samples[self.index[index]]
        return replace(batch, index=torch.from_numpy(np.asarray(index, dtype=np.int64)))
