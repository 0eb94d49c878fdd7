"""Views of tables, `(n, d)`: jitter, dropped features, features swapped between rows."""

from dataclasses import dataclass

import torch

from replearn.data.content import as_float
from replearn.data.processes import collect, processes
from replearn.data.samples import Batch
from replearn.views.base import View, check_at_least, check_probability, normal, uniform


@dataclass(frozen=True)
class Jitter(View):
    """Normal noise added to every feature, of standard deviation `std` in the table's own units."""

    std: float = 0.1

    def __post_init__(self) -> None:
        check_at_least(self, "std", 0.0)

    def __call__(self, batch: Batch) -> Batch:
        x = as_float(batch.x)
        return batch.with_x(torch.add(x, normal(batch, *x.shape[1:]), alpha=self.std))


@dataclass(frozen=True)
class FeatureDrop(View):
    """Each feature of each row set to zero with some probability."""

    probability: float = 0.2

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        x = as_float(batch.x)
        return batch.with_x(x.masked_fill(uniform(batch, *x.shape[1:]) < self.probability, 0.0))


@dataclass(frozen=True)
class Swap(View):
    """Each feature of each row replaced, with some probability, by the same feature of a random row of the
    batch.

    The batch is the joined one of all processes that train together, so that they see what one would see.

    References: Bahri et al. (SCARF), ICLR 2022, Algorithm 1. https://arxiv.org/abs/2106.15147
    """

    probability: float = 0.3

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        x = as_float(batch.x)
        swapped = uniform(batch, *x.shape[1:]) < self.probability
        rows = collect(x) if batch.total == len(x) * processes() else x  # (m, d), values come from them
        donor = (uniform(batch, *x.shape[1:]) * len(rows)).long().clamp_(max=len(rows) - 1)
        return batch.with_x(torch.where(swapped, rows.gather(0, donor), x))
