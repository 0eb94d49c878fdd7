"""Representations of many samples, at speed and in bounded memory."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.samples import Batch, Samples
from replearn.encoders.modes import evaluating
from replearn.engine.machine import Machine
from replearn.engine.slices import parted


def embed_parts(
    represent: Callable[[Batch], Tensor],
    modules: list[nn.Module],
    samples: Samples,
    machine: Machine,
    *,
    rows: int = 512,
    first: int = 0,
) -> Iterator[Float[np.ndarray, "n d"]]:
    """Representations of `samples` in order, `rows` at a time.

    Modules are moved to the machine's device, and work in evaluation mode; their modes are as they were
    whenever a part is handed out. A sample's representation does not depend on which samples lie beside it,
    up to rounding.

    Args:
        represent: batch to representation.
        modules: all that `represent` uses.
        samples: what to embed.
        machine: device and precision.
        rows: samples per batch; of samples that hold much (see `replearn.engine.slices.parted`), fewer.
        first: the number of the first sample, by which messages count.

    Raises:
        ValueError: rows are not finite.
    """
    for module in modules:
        module.to(machine.device)
    for start, stop in _bounds(samples, rows):
        index = np.arange(start, stop)
        # Nothing is handed out within a context: it would hold in the caller's code too.
        with evaluating(modules), torch.inference_mode(), autocast(machine):
            h = represent(samples[index].to(machine.device)).float().cpu().numpy()  # (n, d)
        check_finite(h, modules, first=first + start)
        yield h


def _bounds(samples: Samples, rows: int) -> Iterator[tuple[int, int]]:
    """Where parts begin and end: of so many rows, or where samples hold much, of fewer."""
    for start in range(0, len(samples), rows):
        stop = min(start + rows, len(samples))
        counts = None if samples.elements is None else samples.elements[start:stop]
        for first, last in pairwise(parted(stop - start, rows, counts)):
            yield start + first, start + last


def check_finite(
    rows: Float[np.ndarray, "n ..."], modules: Iterable[nn.Module] = (), *, first: int = 0
) -> None:
    """Raises ValueError where rows of what a method computes hold NaN or infinity.

    Args:
        rows: one for each sample.
        modules: what computed them: their weights are looked at for the cause.
        first: the number of the first row.
    """
    bad = np.flatnonzero(~np.isfinite(rows).reshape(len(rows), -1).all(axis=1))
    if not len(bad):
        return
    broken = _not_finite(modules)
    advice = (
        f"Weights are broken, {broken}: restore the run's files, or fit again."
        if broken
        else "Look at these samples for values far from the others, or compute with precision 32-true."
    )
    raise ValueError(
        f"representations must be finite; {len(bad):,} of rows {first:,} to {first + len(rows) - 1:,} hold NaN or "
        f"infinity, the first is row {first + bad[0]:,}. {advice}"
    )


def _not_finite(modules: Iterable[nn.Module]) -> str | None:
    """The first tensor of modules that holds NaN or infinity."""
    for module in modules:
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
                return f"{type(module).__name__}.{name}"
    return None


def autocast(machine: Machine) -> Any:
    """The context in which networks compute in the machine's precision."""
    dtype = torch.float16 if machine.precision.startswith("16") else torch.bfloat16
    return torch.autocast(machine.device.partition(":")[0], dtype=dtype, enabled="mixed" in machine.precision)
