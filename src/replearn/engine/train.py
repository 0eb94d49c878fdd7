"""The one training loop.

    for each step:  batch -> method.terms -> backward of each -> optimiser -> method.after_step

It knows no method by name: what a method needs beyond `loss` it does in `after_step`. The terms of a loss are
mostly one, the loss itself; the gradients of several are taken one after another. A step's random numbers
are a function of (random_state, step), and the order of samples one of (random_state, epoch): so a resumed
run, or one on more processes, draws what an unbroken run on one process draws.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from replearn.data.processes import process, processes
from replearn.data.samples import Samples
from replearn.encoders.base import Encoder
from replearn.engine.batches import batches, lone_rows_told, steps_of
from replearn.engine.checkpoint import Checkpoints, Holder
from replearn.engine.distributed import join_batch_norms, wait_for_all
from replearn.engine.extension import begin, last_extension
from replearn.engine.health import Watch
from replearn.engine.history import History, Past
from replearn.engine.learner import Learner
from replearn.engine.look import health_check, weights_size
from replearn.engine.machine import choose, make_fabric, random_state_kept, seed_draws
from replearn.engine.memory import freed_memory_kept, freed_memory_returned
from replearn.engine.optimizers import make_optimizer, schedule
from replearn.engine.pace import Pace
from replearn.engine.run import STATE
from replearn.engine.sharded import Sharded, Whole
from replearn.engine.signals import Stopped, StopSignal
from replearn.engine.slices import MOST, in_slices, too_many, views_in_slices
from replearn.engine.step import Step, one_step

log = logging.getLogger("replearn")

HEALTH_CHECKS = 40  # about so many over a training

SEEN = ("states", "map", "maps")  # what methods ask networks for in place of what they return


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
    placed = place(learner, list(loggers))
    fabric, step, module, optimizer = placed.fabric, placed.step, placed.module, placed.optimizer
    checkpoints = Checkpoints(run / STATE if run else None, placed.held, placed.remembered)
    if not resume:
        checkpoints.clear()
    extension = last_extension(run) if resume else None
    size = weights_size(step)
    state = checkpoints.load() or (begin(extension, run, placed.learned) if extension and run else {})
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
                state = {"pace": pace.state(), "history": history.state(), "weights": size}
                with placed.gathered():
                    saved = checkpoints.save(pace.step, state)
            if stopping:
                placed.end()
                wait_for_all()  # a launcher ends the other processes when the first one goes
                raise stopped(pace, run, stopping, saved=saved)
        history.flush()
    placed.end()
    return history.past


@dataclass
class Placed:
    """What learns, as processes hold it.

    Attributes:
        fabric: of the processes.
        step: all modules as one.
        module, optimizer: as Fabric wraps the step and what moves it.
        held, remembered: the state of the modules and of the optimizer, whole.
        learned: the state of the modules by their names alone, whole.
    """

    fabric: Fabric
    step: Step
    module: Any
    optimizer: Any
    held: Holder
    remembered: Holder
    learned: Holder

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """While entered, the first process has the whole state of what is sharded."""
        with ExitStack() as stack:
            for one in (self.held, self.remembered):
                if isinstance(one, Whole):
                    stack.enter_context(one.gathered())
            yield

    def end(self) -> None:
        """Leave the modules whole on each process, in evaluation mode."""
        if self.step.sharded is not None:
            self.step.sharded.end()
            self.step.sharded = None
        self.step.eval()


def place(learner: Learner, loggers: list[Any]) -> Placed:
    """Put the modules of `learner` on the device, sharded over processes if it asks for that."""
    step = Step(learner)

    def shard(module: Step, mesh: Any) -> Step:
        module.sharded = Sharded(module, mesh)
        return module

    machine = choose(learner.device, learner.precision)
    fabric = make_fabric(machine, loggers, shard=shard if learner.fsdp else None)
    if processes() > 1:
        join_batch_norms(step)
    module: Any = fabric.setup_module(step) if learner.fsdp else None  # its optimizer moves what is sharded
    raw = make_optimizer(
        learner.optimizer,
        learner.modules(),
        learning_rate=learner.learning_rate,
        weight_decay=learner.weight_decay,
        rates=learner.rates(),
        beta1=learner.beta1,
    )
    if learner.fsdp:
        optimizer = fabric.setup_optimizers(raw)
        return Placed(fabric, step, module, optimizer, Whole(step), Whole(raw), Whole(step.learned))
    module, optimizer = fabric.setup(step, raw)
    return Placed(fabric, step, module, optimizer, step, raw, step.learned)


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
        keeps = size is None and step.sharded is None
        memory = freed_memory_kept() if keeps else freed_memory_returned()
        strict = step.sharded.strict() if step.sharded is not None else nullcontext()
        with in_slices(step, size, capped=capped), views_in_slices(learner, size), memory, strict:
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


def seed_of(random_state: int, step: int) -> int:
    """The seed of a step's random numbers, counted from 1; 0 stands for the weights before the first."""
    return int(np.random.SeedSequence([random_state, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def stopped(pace: Pace, run: Path | None, number: int, *, saved: bool) -> Stopped:
    """What to raise when a signal has stopped a run at a step; it says how to go on."""
    kept = "all is saved" if saved else "its state could not be saved: an earlier one is kept"
    return Stopped(
        f"stopped at step {pace.step} of {pace.steps}; {kept}",
        number,
        f"Go on by the same command with --resume (in Python: fit(..., run={str(run)!r}, resume=True)).",
    )
