"""The one training loop.

    for each step:  batch -> method.terms -> backward of each -> optimiser -> method.after_step

It knows no method by name: what a method needs beyond `loss` it does in `after_step`. The terms of a loss are
mostly one, the loss itself; the gradients of several are taken one after another. A step's random numbers
are a function of (random_state, step), and the order of samples one of (random_state, epoch): so a resumed
run, or one on more processes, draws what an unbroken run on one process draws.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from replearn.data.processes import process, processes
from replearn.data.samples import Batch, Samples
from replearn.encoders.base import Encoder
from replearn.encoders.modes import evaluating
from replearn.engine.batches import batches, divisors, lone_rows_told, steps_of
from replearn.engine.checkpoint import Checkpoints
from replearn.engine.distributed import join_batch_norms, mean_over_processes, wait_for_all
from replearn.engine.embed import autocast
from replearn.engine.extension import begin, last_extension
from replearn.engine.health import Health, Watch, examine
from replearn.engine.history import History, Past
from replearn.engine.machine import Machine, choose, make_fabric, random_state_kept, seed_draws
from replearn.engine.memory import freed_memory_kept, freed_memory_returned
from replearn.engine.optimizers import make_optimizer, schedule
from replearn.engine.orders import Order
from replearn.engine.pace import Pace
from replearn.engine.run import STATE
from replearn.engine.signals import Stopped, StopSignal
from replearn.engine.slices import MOST, in_slices, too_many, views_in_slices

log = logging.getLogger("replearn")

HEALTH_CHECKS = 40  # about so many over a training

SEEN = ("states", "map", "maps")  # what methods ask networks for in place of what they return

Terms = Sequence[Callable[[], Tensor]] | Mapping[str, Callable[[], Tensor]]


@runtime_checkable
class Learner(Protocol):
    """What the loop asks of a method; `replearn.methods.Method` has it all."""

    epochs: int
    batch_size: int
    accumulate: int
    slice_size: int | None
    optimizer: str
    learning_rate: float
    weight_decay: float
    beta1: float
    warmup: float
    max_minutes: float | None
    checkpoint_minutes: float
    random_state: int
    device: str
    precision: str
    compile: bool

    @property
    def why_collapse(self) -> str | None: ...
    @property
    def watched_samples(self) -> int: ...
    def modules(self) -> dict[str, nn.Module]: ...
    def order(self, samples: Samples) -> Order: ...
    def terms(self, batch: Batch) -> Terms: ...
    def loss_count(self, batch: Batch) -> float | Mapping[str, float]: ...
    def after_step(self, progress: float) -> None: ...
    def should_stop(self) -> bool: ...
    def represent(self, batch: Batch) -> Tensor: ...
    def embed(self, h: Tensor) -> Tensor | None: ...
    def assign(self, h: Tensor) -> Tensor | None: ...
    def same_views(self, batch: Batch) -> bool: ...
    def measures(self, batch: Batch) -> dict[str, Tensor]: ...
    def rates(self) -> dict[str, float]: ...
    def loss_at_collapse(self) -> float | None: ...


class Step(nn.Module):
    """All modules of a method as one, a term of its loss as their forward: what Fabric wraps."""

    def __init__(self, learner: Learner) -> None:
        super().__init__()
        self.learned = nn.ModuleDict(learner.modules())
        self.terms = learner.terms
        self.loss_count = learner.loss_count

    def forward(self, term: Callable[[], Tensor]) -> Tensor:
        # Fabric would look into a batch and convert its tensors; a function it passes on as it is.
        return term()


def train(
    learner: Learner,
    samples: Samples,
    *,
    run: Path | None = None,
    resume: bool = False,
    loggers: Iterable[Any] = (),
) -> Past:
    """Train the modules of `learner` on `samples`; they are left on the device, in evaluation mode.

    Args:
        learner: what to train and how.
        samples: what to learn from.
        run: where checkpoints and history are kept; None keeps none.
        resume: go on from the newest checkpoint in `run`, if there is one, or from where an extension begins.
        loggers: Fabric loggers that get every recorded number, beside the history.

    Returns:
        Loss, learning rate, speed and health along the way, and the alarms.

    Raises:
        NotFinite: the loss became NaN or infinite.
        Stopped: a signal asked to stop; the state is saved.
        ValueError: no checkpoint of the run to resume is whole.
    """
    machine = choose(learner.device, learner.precision)
    fabric = make_fabric(machine, list(loggers))
    step = Step(learner)
    if processes() > 1:
        join_batch_norms(step)
    raw = make_optimizer(
        learner.optimizer,
        learner.modules(),
        learning_rate=learner.learning_rate,
        weight_decay=learner.weight_decay,
        rates=learner.rates(),
        beta1=learner.beta1,
    )
    module, optimizer = fabric.setup(step, raw)
    checkpoints = Checkpoints(run / STATE if run else None, step, raw)
    if not resume:
        checkpoints.clear()
    extension = last_extension(run) if resume else None
    size = weights_size(step)
    state = checkpoints.load() or (begin(extension, run, step.learned) if extension and run else {})
    begun = (extension.step, extension.seconds) if extension else (0, 0.0)
    pace = Pace(steps_of(learner, len(samples)), learner.max_minutes, begun=begun, **state.get("pace", {}))
    watch = Watch(learner.loss_at_collapse(), learner.why_collapse, partial(hasattr, learner))
    history = History(watch, pace, run=run, loggers=fabric.loggers, state=state.get("history"))
    size = state.get("weights", size)
    look = health_check(learner, step, samples, machine, fabric.device, size)
    if process() == 0:
        each = learner.batch_size * learner.accumulate
        told = learner.order(samples).told(learner.batch_size)
        rest = f"; {told}" if told else ""
        log.info("training on %s: %d steps of %d samples%s", machine, pace.steps, each, rest)
    held = too_many(samples, learner.batch_size) if processes() == 1 else 0
    if held:
        log.info(
            "batches may hold %s nodes or points: networks work on slices of at most %s, and batch normalisation sees "
            "a slice (with a smaller --batch-size there is none)",
            *(f"{held:,}", f"{MOST:,}"),
        )
    with (
        random_state_kept(),
        history,
        StopSignal(saves=run is not None) as stop,
        ready(learner, step, capped=held > 0),
        lone_rows_told(learner, learner.slice_size),
    ):
        for parts in batches(learner, samples, first=pace.step, steps=pace.steps):
            rate = learner.learning_rate * schedule(pace.progress, warmup=learner.warmup)
            seed_draws(seed_of(learner.random_state, 1 + pace.step), fabric.device)
            loss, named = one_step(fabric, module, optimizer, parts, rate)
            learner.after_step(pace.progress)
            stopping = pace.advance(stop.asked)
            health = look() if pace.due(HEALTH_CHECKS) else None
            history.add(loss, rate, learner.batch_size * len(parts), health, named)
            if pace.progress >= 1.0 or learner.should_stop():
                break
            if stopping or pace.save_due(learner.checkpoint_minutes):
                saved = checkpoints.save(
                    pace.step, {"pace": pace.state(), "history": history.state(), "weights": size}
                )
            if stopping:
                wait_for_all()  # a launcher ends the other processes when the first one goes
                raise stopped(pace, run, stopping, saved=saved)
        history.flush()
    step.eval()
    return history.past


@contextmanager
def ready(learner: Learner, step: Step, *, capped: bool = False) -> Iterator[None]:
    """While entered, the modules are in training mode, compiled and sliced as the learner asks.

    Args:
        learner: which asks.
        step: of its modules.
        capped: whether batches are sliced by what samples hold, too.
    """
    step.train()
    nets: list[Any] = [net for module in step.learned.values() for net in compilable(module)]
    for net in nets if learner.compile else ():
        net.compile()
        for name in {*SEEN} & {*dir(net)}:
            setattr(net, name, torch.compile(getattr(net, name)))
    try:
        size = learner.slice_size
        memory = freed_memory_kept() if size is None else freed_memory_returned()
        with in_slices(step, size, capped=capped), views_in_slices(learner, size), memory:
            yield
    finally:
        for net in nets:
            net._compiled_call_impl = None
            for name in SEEN:
                vars(net).pop(name, None)


def compilable(module: nn.Module) -> list[nn.Module]:
    """The networks in a module; of encoders the body, for what reads the batch is no work for a compiler."""
    encoders = [part for part in module.modules() if isinstance(part, Encoder)]
    return [encoder.body for encoder in encoders] or [module]


def one_step(
    fabric: Fabric, module: Any, optimizer: Any, parts: list[Batch], rate: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Forward, backward and update on a batch, given in parts whose gradients add up.

    Each part has the share of the step that its `loss_count` has: a mean over unequal counts is that of the whole.

    Returns:
        The loss of the whole, and each of its terms that has a name.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("scale", 1.0)  # of another optimiser: all alike
    optimizer.zero_grad(set_to_none=True)
    total: dict[str, Tensor] = {}
    divided = divided_by([module.module.loss_count(batch) for batch in parts])
    for i, (batch, by) in enumerate(zip(parts, divided, strict=True)):
        with fabric.autocast():
            terms = module.module.terms(batch.to(fabric.device))  # of the Step, not of what wraps it
        named: dict[str, Tensor] = {}
        row = terms
        if isinstance(terms, Mapping):
            row = [
                partial(together, terms, named, by if isinstance(by, Mapping) else dict.fromkeys(terms, by))
            ]
        for j, term in enumerate(row):
            last = i + 1 == len(parts) and j + 1 == len(row)
            with fabric.no_backward_sync(module, enabled=not last):
                loss = module(term) if isinstance(terms, Mapping) else module(term) / by
                fabric.backward(loss)
            for name, value in (named or {"": loss}).items():
                total[name] = total.get(name, 0) + value.detach()
    optimizer.step()
    whole = mean_over_processes(torch.stack(list(total.values())))  # one number per name
    return whole.sum(), {name: whole[i] for i, name in enumerate(total) if name}


def divided_by(counts: Sequence[float | Mapping[str, float]]) -> list[float | dict[str, float]]:
    """By what the loss of each of a step's batches is divided, or each of its terms: see `divisors`."""
    names = counts[0].keys() if isinstance(counts[0], Mapping) else ()
    each = {name: divisors([count[name] for count in counts]) for name in names}  # type: ignore[index]
    if not names:
        return [*divisors(counts)]  # type: ignore[arg-type]
    return [{name: each[name][i] for name in names} for i in range(len(counts))]


def together(
    terms: Mapping[str, Callable[[], Tensor]], named: dict[str, Tensor], by: Mapping[str, float]
) -> Tensor:
    """The sum of terms that have names, each divided by its number; they are left in `named`.

    Their gradients are taken in one pass: each term reaches its own parameters only, and processes wait for all.
    """
    for name, term in terms.items():
        value = term() / by[name]
        named[name] = value.to(torch.promote_types(value.dtype, torch.float32))
    return torch.stack(list(named.values())).sum()


def seed_of(random_state: int, step: int) -> int:
    """The seed of a step's random numbers, counted from 1; 0 stands for the weights before the first."""
    return int(np.random.SeedSequence([random_state, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))


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

    def look() -> Health:
        # Not compiled: other modes and sizes would be compiled anew.
        with (
            evaluating([step]),
            torch.inference_mode(),
            autocast(machine),
            torch.compiler.set_stance("force_eager"),
        ):
            h = learner.represent(batch)
            return examine(
                h,
                z=learner.embed(h),
                temperature=temperature,
                shares=learner.assign(h),
                growth=weights_size(step) / size if size else None,  # of a head that begins at zero
                measures={name: float(value) for name, value in learner.measures(batch).items()},
                same_views=same_views,
            )

    return look


def weights_size(module: nn.Module) -> float:
    """Length of all trained weights but vectors (biases, normalisation)."""
    weights = [p.detach() for p in module.parameters() if p.requires_grad and p.ndim > 1]
    if not weights:
        return 1.0
    return float(torch.stack([norm.double() for norm in torch._foreach_norm(weights)]).norm())


def stopped(pace: Pace, run: Path | None, number: int, *, saved: bool) -> Stopped:
    """What to raise when a signal has stopped a run at a step; it says how to go on."""
    kept = "all is saved" if saved else "its state could not be saved: an earlier one is kept"
    return Stopped(
        f"stopped at step {pace.step} of {pace.steps}; {kept}",
        number,
        f"Go on by the same command with --resume (in Python: fit(..., run={str(run)!r}, resume=True)).",
    )
