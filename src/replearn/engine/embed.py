"""Representations of many samples, at speed and in bounded memory."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.samples import Batch, Samples
from replearn.encoders.modes import evaluating
from replearn.engine.machine import Machine


def embed_parts(
    represent: Callable[[Batch], Tensor],
    modules: list[nn.Module],
    samples: Samples,
    machine: Machine,
    *,
    rows: int = 512,
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
        rows: samples per batch.
    """
    for module in modules:
        module.to(machine.device)
    for start in range(0, len(samples), rows):
        index = np.arange(start, min(start + rows, len(samples)))
        # Nothing is handed out within a context: it would hold in the caller's code too.
        with evaluating(modules), torch.inference_mode(), autocast(machine):
            h = represent(samples[index].to(machine.device)).float().cpu().numpy()  # (n, d)
        yield h


def autocast(machine: Machine) -> Any:
    """The context in which networks compute in the machine's precision."""
    dtype = torch.float16 if machine.precision.startswith("16") else torch.bfloat16
    return torch.autocast(machine.device.partition(":")[0], dtype=dtype, enabled="mixed" in machine.precision)
