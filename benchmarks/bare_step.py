"""How much of our training step is the networks' own work?

Every step of a real training (`SimCLR.fit`: fetch, views, forward, backward, update, log, health) is followed
by a bare one: forward, backward and update of copies of the same networks, in the same precision, order of
memory and loss, on tensors that lie ready. So the two share whatever else the machine does at that moment.
"""

import sys
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import cycle
from statistics import median
from typing import Any

import numpy as np
import torch
from pictures import folder_of_jpegs, small_photos
from record import Part, Setting, span
from torch import Tensor
from watched import Enough, WatchedSimCLR, fit_watched

from replearn import as_samples, load_data
from replearn.data import Samples
from replearn.engine.embed import autocast
from replearn.engine.machine import choose
from replearn.engine.optimizers import make_optimizer
from replearn.engine.train import HEALTH_CHECKS
from replearn.objectives import nt_xent

Times = tuple[float, float]  # by the clock on the wall, and of the processor (all threads), in seconds

GOAL = 0.95
WARMUP = 3  # steps that are not counted
SECONDS, FEWEST = 75.0, 6  # on a slow machine a case ends after so long, but not before so many pairs


@dataclass(frozen=True)
class Case:
    """One training.

    Attributes:
        name: what is trained on, in words.
        encoder: by name.
        make: gives the samples and their origin.
        epochs: of the training whose steps are measured; they say how often health is checked.
        pairs: steps to measure.
    """

    name: str
    encoder: str
    make: Callable[[Setting], tuple[Samples, str]]
    epochs: int
    pairs: int
    batch_size: int = 256


def cases(setting: Setting) -> list[Case]:
    if setting.quick:
        return [Case("28 px grey", "resnet_small", _digits, epochs=1, pairs=4, batch_size=16)]
    return [
        Case("28 px grey", "resnet_small", _digits, epochs=25, pairs=120),
        Case("32 px colour", "resnet18", _photos, epochs=100, pairs=15),
        Case("96 px colour, folder", "resnet18", _folder, epochs=100, pairs=15),
    ]


def measure(setting: Setting) -> Part:
    """Bare over step for every case."""
    part = Part(
        title="How much of a training step is the networks' own work?",
        goal=f"bare step / our step at least {GOAL}",
        notes=[
            "Step: one pass of the loop of `SimCLR.fit`, with fetching, views, logging to a run folder "
            "and health checks. Bare: forward, backward and update of copies of the same networks on "
            "ready tensors, in the same precision. Each step of the training is followed by a bare one; "
            "medians, and the middle half of the pairs' ratios.",
            "By processor time: the same ratio of the seconds that all threads were busy, which other "
            "programs on the machine disturb less.",
            "The time of a health check is spread over the steps between two checks of the training named.",
        ],
    )
    for case in cases(setting):
        part.rows.append(_row(case, setting))
        print(part.rows[-1], file=sys.stderr, flush=True)
    part.met = all(row["bare / step"] >= GOAL for row in part.rows)
    return part


def _row(case: Case, setting: Setting) -> dict[str, Any]:
    samples, origin = case.make(setting)
    machine = choose()
    pairs = Pairs(samples, machine, wanted=case.pairs)
    # Checked often, so that some checks are seen; their time is then spread as in the training named.
    every = max(2, case.pairs // 3)
    per_epoch = len(samples) // case.batch_size
    method = WatchedSimCLR(
        encoder=case.encoder, batch_size=case.batch_size, epochs=-(-every * HEALTH_CHECKS // per_epoch)
    )
    run = setting.scratch / f"run-{case.encoder}-{samples.shape[-1]}"
    fit_watched(method, samples, lambda: pairs.after_step(method), run=run)
    spacing = max(1, case.epochs * per_epoch // HEALTH_CHECKS)
    (bare, step, check, ratios), (*_, by_processor) = (compare(pairs, spacing, clock) for clock in (0, 1))
    return {
        "images": f"{case.name} ({origin})",
        "encoder": case.encoder,
        "batch": case.batch_size,
        "precision": machine.precision,
        "bare, ms": 1000 * bare,
        "step, ms": 1000 * step,
        "samples/s": case.batch_size / step,
        "bare / step": round(median(ratios), 3),
        "middle half": span(ratios, digits=3),
        "by processor time": round(median(by_processor), 3),
        "health check, ms": 1000 * check,
        "pairs": len(ratios),
        "training": f"{case.epochs} epochs of {len(samples):,}",
    }


def compare(pairs: "Pairs", spacing: int, clock: int) -> tuple[float, float, float, list[float]]:
    """Medians of the bare step, of ours with its share of a health check, of the check; each pair's ratio."""
    bare, plain, checked = (
        [times[clock] for times in found] for found in (pairs.bare, pairs.step, pairs.checked)
    )
    check = max(0.0, median(checked) - median(plain)) if checked else 0.0
    ratios = [b / (s + check / spacing) for b, s in zip(bare, plain, strict=True)]
    return median(bare), median(plain) + check / spacing, check, ratios


@dataclass
class Pairs:
    """Times of our steps and of the bare ones between them."""

    samples: Samples
    machine: Any
    wanted: int
    step: list[Times] = field(default_factory=list)
    checked: list[Times] = field(default_factory=list)
    bare: list[Times] = field(default_factory=list)
    _run: Callable[[], None] | None = None
    _count: int = 0
    _checks: int = 0
    _left: Times = (0.0, 0.0)
    _began: float = field(default_factory=time.perf_counter)

    def after_step(self, method: WatchedSimCLR) -> None:
        """Stop the clock of our step, make a bare one, start the clock again."""
        took = since(self._left)
        self._run = self._run or bare_step(method, self.samples, self.machine)
        began = now()
        self._run()
        bare = since(began)
        holds_check, self._checks = method.checks > self._checks, method.checks
        if self._count > WARMUP and holds_check:
            self.checked.append(took)
        elif self._count > WARMUP:
            self.step.append(took)
            self.bare.append(bare)
        self._count += 1
        late = time.perf_counter() - self._began > SECONDS and len(self.step) >= FEWEST
        if len(self.step) >= self.wanted or late:
            raise Enough
        self._left = now()


def now() -> Times:
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # or what a GPU still does would be another step's time
    return time.perf_counter(), time.process_time()


def since(began: Times) -> Times:
    clock, processor = now()
    return clock - began[0], processor - began[1]


def bare_step(method: WatchedSimCLR, samples: Samples, machine: Any) -> Callable[[], None]:
    """A function that trains copies of the method's networks for one step, on tensors that are ready."""
    encoder, head = deepcopy(method.encoder_.body), deepcopy(method.head_)
    optimizer = make_optimizer(
        method.optimizer,
        {"encoder": encoder, "head": head},
        learning_rate=method.learning_rate,
        weight_decay=method.weight_decay,
    )
    ready = cycle([_ready(method, samples, machine, start) for start in (0, method.batch_size)])

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast(machine):
            a, b = (head(encoder(x)) for x in next(ready))
            loss = nt_xent(a, b, temperature=method.temperature)
        loss.backward()
        optimizer.step()

    return step


def _ready(method: WatchedSimCLR, samples: Samples, machine: Any, start: int) -> list[Tensor]:
    """Both views of a batch as the networks read them; the random state is left as it was."""
    index = np.arange(start, start + method.batch_size) % len(samples)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        batch = samples[index].to(machine.device)
        return [method.encoder_.standardise(view) for view in method.views_(batch)]


def _digits(setting: Setting) -> tuple[Samples, str]:
    return load_data("digits", split="train"), "built-in digits"


def _photos(setting: Setting) -> tuple[Samples, str]:
    images, what = small_photos(setting.cifar10, number=10_000)
    return as_samples(images), what


def _folder(setting: Setting) -> tuple[Samples, str]:
    return folder_of_jpegs(setting.cifar10, setting.scratch / "jpegs", number=2_000)
