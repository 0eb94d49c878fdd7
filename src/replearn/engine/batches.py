"""Which samples make which batch: a function of the order of an epoch, on any number of processes."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from replearn.data.processes import process, processes
from replearn.data.samples import Batch, Samples
from replearn.engine.distributed import mean_over_processes
from replearn.engine.orders import Order

LONE_ROW = "Expected more than 1 value per channel when training"  # as torch says it


@runtime_checkable
class Plan(Protocol):
    """What a method says of how samples are cut into steps."""

    epochs: int
    batch_size: int
    accumulate: int

    def order(self, samples: Samples) -> Order: ...


def steps_of(plan: Plan, n: int) -> int:
    """Optimiser steps of a whole training on n samples; a last incomplete batch of an epoch is left out."""
    return max(1, plan.epochs * (n // plan.batch_size) // plan.accumulate)


def batches(plan: Plan, samples: Samples, *, first: int, steps: int) -> Iterator[list[Batch]]:
    """For each step from `first` up to `steps`, this process's rows of its `plan.accumulate` batches."""
    per_epoch = len(samples) // plan.batch_size
    rows = plan.batch_size // processes()
    offset = process() * rows
    order_of = plan.order(samples)
    epoch, order = -1, np.empty(0, dtype=np.int64)
    for step in range(first, steps):
        parts = []
        for number in range(step * plan.accumulate, (step + 1) * plan.accumulate):
            if number // per_epoch != epoch:
                epoch = number // per_epoch
                order = order_of(epoch)
            start = number % per_epoch * plan.batch_size + offset
            parts.append(samples[order[start : start + rows]].part_of(plan.batch_size, start=offset))
        yield parts


@contextmanager
def lone_rows_told(plan: Plan, slice_size: int | None) -> Iterator[None]:
    """While entered, torch's words for batch statistics of a single row become one line on what to do.

    All batches of a training are of one size, and slices are even, so it comes before the first update or never.

    Raises:
        ValueError: batch normalisation got one row.
    """
    try:
        yield
    except ValueError as error:
        if LONE_ROW not in str(error):
            raise
        sliced = slice_size is not None and plan.batch_size > slice_size
        name, value = ("slice_size", slice_size) if sliced else ("batch_size", plan.batch_size)
        raise ValueError(
            f"{name} must be at least 2 for networks with batch normalisation, which takes mean and variance over the "
            f"rows of a batch; got {value}. Raise it."
        ) from error


def divisors(counts: Sequence[float]) -> list[float]:
    """By what the loss of each of a step's batches is divided, so that their sum is the loss of the joined batch.

    A batch whose loss is a mean over `counts[i]` things has its share of them, `counts[i] / sum(counts)`; one with none
    has no share.

    Args:
        counts: of the batches, this process's rows of them.

    >>> divisors([4, 4]), divisors([3, 1, 0])
    ([2.0, 2.0], [1.3333333333333333, 4.0, inf])
    """
    if len(counts) == 1:
        return [1.0]
    whole = mean_over_processes(torch.tensor(counts, dtype=torch.float64)).tolist()
    return [sum(whole) / count if count else math.inf for count in whole]
