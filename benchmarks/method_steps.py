"""How much of each method's training step is its networks' own work?

Every step of a real training (`fit`: fetch, views, forward, backward, update, teachers and queues, log, health)
is followed by a bare one: forward, backward and update of a copy of the method on views that lie ready.
"""

import sys
from collections.abc import Callable
from copy import deepcopy
from itertools import cycle
from statistics import median
from typing import Any

import numpy as np
import torch
from bare_step import WARMUP, now, since
from record import Part, Setting, span
from watched import Enough, fit_watched

from replearn import load_data
from replearn.data import Batch, Samples
from replearn.engine.embed import autocast
from replearn.engine.machine import choose
from replearn.engine.optimizers import make_optimizer
from replearn.methods import Method, registry
from replearn.views import Split

GOAL = 0.9
BATCH = 128
EPOCHS = 15  # of the training whose steps are measured: they say how often health is checked
FAMILIES = ("contrastive", "joint_embedding")


class Ready(Split):
    """Views of a split that lie ready, whatever the batch."""

    def __init__(self, split: Split, batch: Batch) -> None:
        self._split = split
        self._views = cycle([split(batch) for _ in range(2)])

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        return next(self._views)

    def wholes(self, views: tuple[Batch, ...]) -> tuple[Batch, ...]:
        return self._split.wholes(views)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._split, name)


def measure(setting: Setting) -> Part:
    """Bare over step for every method that compares views of images."""
    samples = load_data("digits", split="train")
    entries = [
        entry for entry in registry().values() if entry.family in FAMILIES and samples.kind in entry.kinds
    ]
    part = Part(
        title="How much of each method's step is its networks' own work?",
        goal=f"bare step / our step at least {GOAL}",
        notes=[
            f"Built-in digits, resnet_small, batch {BATCH}, the methods' defaults. Step: one pass of the loop of "
            "`fit`, everything in it. Bare: forward, backward and update of a copy of the method on views that "
            "lie ready; without the update of teachers and centres. Each step is followed by a bare one; "
            "medians, and the middle half of the pairs' ratios.",
        ],
    )
    for entry in entries:
        try:
            part.rows.append(_row(entry.cls, samples, wanted=3 if setting.quick else 40))
        except ValueError as error:  # of methods of colours, say
            part.notes.append(f"{entry.cls.__name__} is left out: {error}")
            continue
        print(part.rows[-1], file=sys.stderr, flush=True)
    part.met = all(row["bare / step"] >= GOAL for row in part.rows)
    return part


def _row(cls: type[Method], samples: Samples, *, wanted: int) -> dict[str, Any]:
    method = cls(batch_size=BATCH, epochs=EPOCHS)
    count, bare, step = 0, [], []
    run: Callable[[], None] | None = None
    left = now()

    def on_step() -> None:
        nonlocal count, left, run
        took = since(left)
        run = run or bare_step(method, samples)
        began = now()
        run()
        count += 1
        if count > WARMUP:
            bare.append(since(began))
            step.append(took)
        if len(step) >= wanted:
            raise Enough
        left = now()

    fit_watched(method, samples, on_step)
    ratios = [b[0] / s[0] for b, s in zip(bare, step, strict=True)]
    by_processor = [b[1] / s[1] for b, s in zip(bare, step, strict=True)]
    middle = median(taken[0] for taken in step)
    return {
        "method": cls.__name__,
        "bare, ms": 1000 * median(taken[0] for taken in bare),
        "step, ms": 1000 * middle,
        "samples/s": BATCH / middle,
        "bare / step": round(median(ratios), 3),
        "middle half": span(ratios, digits=3),
        "by processor time": round(median(by_processor), 3),
    }


def bare_step(method: Method, samples: Samples) -> Callable[[], None]:
    """A function that trains a copy of the method for one step, on views that are ready."""
    machine = choose()
    modules = {name: deepcopy(module) for name, module in method.modules().items()}
    twin = deepcopy(
        {name: value for name, value in vars(method).items() if name not in (*modules, "after_step")}
    )
    copy = object.__new__(type(method))
    vars(copy).update(twin | modules)
    batch = samples[np.arange(method.batch_size)].part_of(method.batch_size, start=0).to(machine.device)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        copy.views_ = Ready(method.views_, batch)
    optimizer = make_optimizer(
        method.optimizer,
        modules,
        learning_rate=method.learning_rate,
        weight_decay=method.weight_decay,
    )

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.random.fork_rng(devices=[]):
            with autocast(machine):
                terms = copy.terms(batch)
            for term in terms:
                with autocast(machine):
                    loss = term()
                loss.backward()
        optimizer.step()

    return step
