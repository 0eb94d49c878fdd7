"""Splits that cut a sample into parts: `Grid` here, `Groups` of channels, the patches of a `Jigsaw`.

    Parts: batch -> (batch, batch, ...), and without chance: parts(batch); what they look like: describe(samples)

Encoders are made for what `describe` says, and a representation is made of what `parts` returns.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data.content import as_float
from replearn.data.description import Description
from replearn.data.labels import UNLABELLED
from replearn.data.samples import Batch, Samples
from replearn.views.base import Split, View, check_interval, check_whole, in_full_precision
from replearn.views.compose import Same, check_view

UNCHANGED = Same()


class Parts(Split):
    """Several parts of every sample of a batch, computed in full precision."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in {"__call__", "parts"} & vars(cls).keys():
            setattr(cls, name, in_full_precision(vars(cls)[name]))

    @abstractmethod
    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        """The parts of the samples as they are, without any chance."""

    @abstractmethod
    def describe(self, samples: Description) -> tuple[Description, ...]:
        """Shape and statistics of each part of such samples."""

    def per_part(self, samples: Description) -> int:
        """Rows of a part for each sample: the columns of a grid, else 1."""
        return 1


@dataclass(frozen=True)
class Grid(Parts):
    """Rows of a grid of patches, from top to bottom; of a table, consecutive segments of its columns.

    A part is one row of the grid: a batch of `n * columns` patches, sample by sample and from left to right.
    A row of a table has one patch, whatever `columns`.

    Args:
        rows, columns: of the grid.
        overlap: share of a patch's side that its neighbour covers too, in [0, 1).
        view: of the sample, before it is cut.
        each: view of each patch, drawn apart.

    References: van den Oord et al., 2018, section 3.2. https://arxiv.org/abs/1807.03748

    >>> batch = Batch(torch.arange(6.0)[None], labels=torch.tensor([0]), index=torch.tensor([0]))
    >>> [part.x.tolist() for part in Grid(2, overlap=0.5).parts(batch)]
    [[[0.0, 1.0, 2.0, 3.0]], [[2.0, 3.0, 4.0, 5.0]]]
    """

    rows: int = 3
    columns: int = 3
    overlap: float = 0.5
    view: View = UNCHANGED
    each: View = UNCHANGED

    def __post_init__(self) -> None:
        check_whole(self, "rows", 1)
        check_whole(self, "columns", 1)
        check_interval(self, "overlap", "overlap", 0.0, 1 - 1e-6)
        check_view(self.view, "Grid")
        check_view(self.each, "Grid")

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        return tuple(self.each(part) for part in self.parts(self.view(batch)))

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        x = as_float(batch.x)
        down = spans(x.shape[-2] if x.ndim == 4 else x.shape[1], self.rows, self.overlap).to(x.device)
        if x.ndim == 2:
            return tuple(batch.with_x(segment) for segment in x[:, down].unbind(1))  # (n, size) each
        across = spans(x.shape[3], self.columns, self.overlap).to(x.device)
        patches = x[:, :, down][..., across]  # (n, c, rows, h, columns, w)
        patches = patches.permute(2, 0, 4, 1, 3, 5).flatten(1, 2)  # (rows, n·columns, c, h, w)
        several = repeated(batch, self.columns)
        return tuple(several.with_x(row.contiguous()) for row in patches)

    def describe(self, samples: Description) -> tuple[Description, ...]:
        if len(samples.shape) == 3:
            sides = zip(samples.shape[1:], (self.rows, self.columns), strict=True)
            size = tuple(spans(side, number, self.overlap).shape[1] for side, number in sides)
            return (replace(samples, shape=(samples.shape[0], *size)),) * self.rows
        at = spans(samples.shape[0], self.rows, self.overlap)  # (rows, size)
        mean, std = (values[at] for values in samples.statistics)
        # Of all segments together: one encoder reads them all.
        joined = mean.mean(0), (std.square().mean(0) + mean.var(0, unbiased=False)).sqrt()
        return (replace(samples, shape=(at.shape[1],), statistics=joined),) * self.rows

    def per_part(self, samples: Description) -> int:
        return self.columns if len(samples.shape) == 3 else 1


@dataclass(frozen=True)
class Windows(Parts):
    """Equal windows of what goes on in time, from the first to the last; a kind says how it is read.

    Args:
        windows: how many.
        overlap: share of a window that its neighbour covers too, in [0, 1).
        view: of the sample, before it is cut.
        each: view of each window, drawn apart.
    """

    windows: int = 8
    overlap: float = 0.5
    view: View = UNCHANGED
    each: View = UNCHANGED

    def __post_init__(self) -> None:
        check_whole(self, "windows", 1)
        check_interval(self, "overlap", "overlap", 0.0, 1 - 1e-6)
        check_view(self.view, type(self).__name__)
        check_view(self.each, type(self).__name__)

    @abstractmethod
    def in_time(self, batch: Batch) -> Float[Tensor, "n c t ..."]:
        """The batch's content, time on its third axis."""

    def fitted(self, samples: Samples) -> "Windows":
        return replace(self, view=self.view.fitted(samples), each=self.each.fitted(samples))

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        return tuple(self.each(part) for part in self.parts(self.view(batch)))

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        x = self.in_time(batch)
        at = spans(x.shape[2], self.windows, self.overlap).to(x.device)  # (windows, size)
        return tuple(repeated(batch, 1).with_x(x[:, :, window]) for window in at)

    def describe(self, samples: Description) -> tuple[Description, ...]:
        channels, length, *rest = samples.shape
        size = spans(length, self.windows, self.overlap).shape[1]
        return (replace(samples, shape=(channels, size, *rest)),) * self.windows


@dataclass(frozen=True)
class Whole(Parts):
    """Any split taken as parts: each view counts as a part, and without chance it is the whole sample."""

    split: Split
    shapes: tuple[tuple[int, ...], ...]

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        return self.split(batch)

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        return (batch,) * len(self.shapes)

    def describe(self, samples: Description) -> tuple[Description, ...]:
        return tuple(replace(samples, shape=shape) for shape in self.shapes)


def as_parts(split: Split, samples: Description) -> Parts:
    """`split` itself where it has parts, else its views as parts (`Whole`), counted on two blank samples."""
    if isinstance(split, Parts):
        return split
    unknown = torch.full((2,), UNLABELLED)
    with torch.random.fork_rng([]):
        views = split(Batch(torch.zeros(2, *samples.shape), labels=unknown, index=unknown))
    return Whole(split, tuple(tuple(view.x.shape[1:]) for view in views))


def spans(length: int, number: int, overlap: float) -> Int[Tensor, "number size"]:
    """Where each of `number` equal windows lies on `length` places, from the first place to the last.

    Neighbours have at least a share `overlap` in common, as far as whole places allow.

    >>> spans(6, 2, 0.5).tolist()
    [[0, 1, 2, 3], [2, 3, 4, 5]]
    """
    size = min(length, math.ceil(length / (1 + (number - 1) * (1 - overlap))))
    first = torch.linspace(0, length - size, number).round().long()  # (number,)
    return first[:, None] + torch.arange(size)


def repeated(batch: Batch, times: int) -> Batch:
    """Each sample `times` in a row, without content; later views draw for all of the joined batch, as they must."""
    return Batch(
        x=None,
        labels=batch.labels.repeat_interleave(times),
        index=batch.index.repeat_interleave(times),
        start=batch.start * times,
        total=None if batch.total is None else batch.total * times,
    )
