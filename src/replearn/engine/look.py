"""How a training goes, seen in always the same few samples."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from replearn.data.processes import processes
from replearn.data.samples import Samples
from replearn.encoders.modes import evaluating
from replearn.engine.distributed import mean_over_processes
from replearn.engine.embed import autocast
from replearn.engine.health import Health, examine
from replearn.engine.learner import Learner
from replearn.engine.machine import Machine, random_state_kept
from replearn.engine.sharded import local
from replearn.engine.step import Step


def health_check(
    learner: Learner, step: Step, samples: Samples, machine: Machine, device: torch.device, size: float
) -> Callable[[], Health]:
    """A function that looks at always the same few samples; `size` is that of the weights at the beginning."""
    rows = np.unique(
        np.linspace(0, len(samples) - 1, num=min(len(samples), learner.watched_samples)).astype(np.int64)
    )
    batch = samples[rows].to(device)
    temperature: float | None = getattr(learner, "temperature", None)
    with random_state_kept():
        same_views = learner.same_views(batch)

    def found(growth: float | None) -> Health:
        h = learner.represent(batch)
        return examine(
            h,
            z=learner.embed(h),
            temperature=temperature,
            shares=learner.assign(h),
            growth=growth,
            measures={name: float(value) for name, value in learner.measures(batch).items()},
            same_views=same_views,
        )

    def look() -> Health:
        # What is gathered for a look is looked at again by training.
        quiet = torch.inference_mode() if step.sharded is None else torch.no_grad()
        # Not compiled: other modes and sizes would be compiled anew.
        with evaluating([step]), quiet, autocast(machine), torch.compiler.set_stance("force_eager"):
            growth = weights_size(step) / size if size else None  # of a head that begins at zero
            health: Health = step.whole(partial(found, growth))
        if step.sharded is not None:
            step.sharded.close()
        return health

    return look


def weights_size(module: nn.Module) -> float:
    """Length of all trained weights but vectors (biases, normalisation)."""
    weights = [p.detach() for p in module.parameters() if p.requires_grad and p.ndim > 1]
    if not weights:
        return 1.0
    parts = [local(weight) for weight in weights]
    size = torch.stack([norm.double() for norm in torch._foreach_norm(parts)]).norm()
    if all(part is weight for part, weight in zip(parts, weights, strict=True)):
        return float(size)
    return float((mean_over_processes(size.square()) * processes()).sqrt())  # each has some rows of each
