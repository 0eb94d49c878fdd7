"""Trainings in processes of their own, which tests may kill; forked from one that has imported all."""

import dataclasses
import multiprocessing
import os
import pickle
import signal
import socket
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.distributed.tensor import DTensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # where scripts import this, nobody has said so

from made_clips import made_clips
from made_colours import in_colour, needs_colour
from made_graphs import made_graphs, made_nodes
from replearn.data import Samples, as_samples, load_data
from replearn.data.processes import process, processes
from replearn.engine.batches import batches
from replearn.engine.distributed import join_batch_norms
from replearn.engine.machine import choose, join_processes, make_fabric
from replearn.engine.sharded import local
from replearn.engine.signals import Stopped
from replearn.engine.step import Step, one_step
from replearn.engine.train import place, ready, train
from replearn.methods import Method, find_method
from replearn.methods.needs import kinds_served

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["replearn.methods", "tensorboard"])

QUICK = {
    "encoder": "cnn",
    "epochs": 2,
    "batch_size": 8,
    "hidden": 16,
    "dim": 8,
    "warmup": 0.3,
    "learning_rate": 0.01,
    "precision": "32-true",
    "checkpoint_minutes": 0.0,
}


# Of methods that read nothing but texts.
QUICK_TEXT = QUICK | {"encoder": "bert_tiny", "window": 8, "vocabulary": 300}
# Fields that would do nothing, and so are refused.
IDLE = {"simcse": {"hidden"}, "distill": {"hidden"}}  # their heads are one layer
# Fields that these methods alone have: sizes, and a teacher of random weights.
SMALL: dict[str, dict[str, int | str]] = {"imagegpt": {"dim": 16, "depth": 2}, "distill": {"teacher": "mlp"}}
# Episodes of which two are a batch.
SMALL |= {name: {"way": 2, "shots": 1, "queries": 1} for name in ("protonet", "maml", "anil")}
SMALL["reptile"] = {"way": 2, "shots": 2, "inner_steps": 2}
OWN_ENCODERS = {
    "arrowoftime": "cnn",
    "colourtracking": "cnn",
    "orderverification": "cnn",
    "clip": "image=cnn,text=bert_tiny",
    "gpt": "gpt_tiny",
    "lstmlanguagemodel": "lstm",
    "elmo": "elmo",
    "graphmae": "gin",
    "modernbert": "modernbert_tiny",
}


def start(task: Any, *args: Any, **kwargs: Any) -> BaseProcess:
    """Run `task` in a process of its own, on one thread."""
    child = _context.Process(target=_alone, args=(task, args, kwargs))
    child.start()
    return child


def finish(task: Any, *args: Any, **kwargs: Any) -> int:
    """Run `task` in a process of its own to its end; its exit code."""
    child = start(task, *args, **kwargs)
    child.join(120)
    assert child.exitcode is not None
    return child.exitcode


def _alone(task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    torch.set_num_threads(1)
    task(*args, **kwargs)


def little_digits(n: int = 32) -> np.ndarray:
    """Digits of 8 x 8 pixels, uint8 `(n, 1, 8, 8)`."""
    x = load_data("digits", split="train")[np.arange(n)].x.numpy()
    return np.ascontiguousarray(x[:, :, 2:26:3, 2:26:3])


def quick(name: str = "simclr", **fields: Any) -> Method:
    """A method, set so that it trains in a second; of `QUICK` it takes what it has fields for."""
    cls = find_method(name).cls
    known = {field.name for field in dataclasses.fields(cls)} - IDLE.get(name, set())
    said = QUICK if reads_images(cls) else QUICK_TEXT | {"encoder": OWN_ENCODERS.get(name, "bert_tiny")}
    if "patches" in cls.needs:
        said = said | {"encoder": "vit"}
    said = said | SMALL.get(name, {})
    method: Method = cls(**{key: value for key, value in said.items() if key in known} | fields)
    return method


def reads_images(cls: type[Any]) -> bool:
    """Whether a method is tried on images; else on texts."""
    return "image" in kinds_served(cls)


def some_digits(n: int = 32) -> Samples:
    """Little digits with labels, a third of them unknown."""
    labels = np.asarray(load_data("digits", split="train").labels[:n]).copy()
    labels[::3] = -1
    return as_samples(little_digits(n), labels)


def little_table(n: int = 32) -> Samples:
    """Little digits as rows of numbers, with their labels."""
    images = some_digits(n)
    return as_samples(images.flat(), images.labels)


def some_texts(n: int = 32) -> Samples:
    """Texts of a dozen words, of 3 to 19 each."""
    rng = np.random.default_rng(0)
    words = np.array(["the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", "tree", "big", "small"])
    return as_samples([" ".join(rng.choice(words, size=rng.integers(3, 20))) for _ in range(n)])


def some_targets(n: int = 32) -> Samples:
    """Little digits with three targets, of which unlike numbers are known."""
    images = some_digits(n)
    place, ink = np.arange(n), images.flat().sum(1)
    columns = {"digit": images.labels, "dark": np.where(place % 4, ink > np.median(ink), -1)}
    return as_samples(little_digits(n), columns | {"ink": np.where(place % 5, ink, np.nan)})


def samples_for(name: str, n: int) -> Samples:
    """What a method is tried on."""
    if name == "multitask":
        return some_targets(n)
    if needs_colour(find_method(name).cls):
        return as_samples(in_colour(little_digits(n)))
    if kinds_served(find_method(name).cls)[0] == "video":
        return made_clips(n)
    if name == "graphmae":
        return made_graphs(n)
    if name == "clip":
        return as_samples({"image": little_digits(n), "text": some_texts(n)})
    return some_digits(n) if reads_images(find_method(name).cls) else some_texts(n)


def fit(
    run: Path | None, *, name: str = "simclr", resume: bool = False, n: int = 32, **fields: Any
) -> Method:
    """A quick training."""
    return quick(name, **fields).fit(samples_for(name, n), run=run, resume=resume)


def extend(run: Path, *, epochs: int = 4, **fields: Any) -> Method:
    """Ask a run for more epochs than it had."""
    return fit(run, resume=True, epochs=epochs, **fields)


def fit_and_die(run: Path, at: int, **fields: Any) -> None:
    """Like `fit`, but killed as by SIGKILL just before its file operation number `at` in the run folder."""
    done = 0

    def die(event: str, args: tuple[Any, ...]) -> None:
        nonlocal done
        if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir") and str(args[0]).startswith(
            str(run)
        ):
            done += 1
            if done == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(die)
    fit(run, **fields)


def as_one_of(world: int, rank: int, port: int, task: Any, *args: Any, **kwargs: Any) -> None:
    """Run `task` as one of the processes that torchrun would have started."""
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(world),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
    }
    task(*args, **kwargs)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def built(
    n: int = 32, *, name: str = "simclr", table: bool = False, graph: str = "", **fields: Any
) -> tuple[Method, Samples]:
    """A method with fresh modules, and samples for it; `table`: of rows of numbers, `graph`: graphs, or nodes."""
    method = quick(name, **fields | ({"encoder": "mlp"} if table else {"encoder": "auto"} if graph else {}))
    if graph:
        samples = made_nodes(n) if graph == "nodes" else made_graphs(n)
    else:
        samples = method.reading(little_table(n) if table else samples_for(name, n))
    method.prepare(samples)
    return method, method.training_samples(samples)


def save_gradient(folder: Path, *, dtype: torch.dtype = torch.float32, steps: int = 1, **fields: Any) -> None:
    """Write loss, gradients and buffers after some steps into `folder`, by the engine's own parts."""
    method, samples = built(**fields)
    for module in method.modules().values():
        module.to(dtype)
    fabric = make_fabric(choose(method.device, method.precision))
    step = Step(method)
    if processes() > 1:
        join_batch_norms(step)
    module, optimizer = fabric.setup(step, torch.optim.SGD(step.parameters()))
    with ready(method, step):
        for number, parts in enumerate(batches(method, samples, first=0, steps=steps)):
            torch.manual_seed(5 + number)
            loss, _ = one_step(fabric, module, optimizer, parts, 0.01 * (steps > 1))
            method.after_step(number / 10)
    found = {f"grad.{name}": p.grad for name, p in step.named_parameters()} | dict(step.named_buffers())
    torch.save({"loss": loss, **found}, folder / f"{processes()}-{process()}.pt")


def save_placed(folder: Path, *, dtype: torch.dtype = torch.float32, steps: int = 1, **fields: Any) -> None:
    """Write losses, gradients, weights and buffers after some steps into `folder`, whole, as training places them."""
    join_processes("cpu")
    method, samples = built(**{"optimizer": "sgd", **fields})
    for module in method.modules().values():
        module.to(dtype)
    placed = place(method, [])
    losses = []
    with ready(method, placed.step):
        for number, parts in enumerate(batches(method, samples, first=0, steps=steps)):
            torch.manual_seed(5 + number)
            losses.append(one_step(placed.fabric, placed.module, placed.optimizer, parts, 0.01)[0])
            found = {
                f"grad.{name}": whole_of(p.grad) if p.grad is not None else None
                for name, p in placed.step.named_parameters()
            }
            method.after_step(number / 10)
    placed.end()
    found |= {f"weight.{name}": p for name, p in placed.step.named_parameters()}
    found |= dict(placed.step.named_buffers())
    torch.save({"loss": torch.stack(losses), **found}, folder / f"{processes()}-{process()}.pt")


def save_sizes(folder: Path, **fields: Any) -> None:
    """Write how many numbers this process holds after a step: of parameters, gradients, and the optimizer's state."""
    join_processes("cpu")
    method, samples = built(**fields)
    placed = place(method, [])
    with ready(method, placed.step):
        for parts in batches(method, samples, first=0, steps=1):
            one_step(placed.fabric, placed.module, placed.optimizer, parts, 0.01)
    moved = [p for group in placed.optimizer.param_groups for p in group["params"]]
    state = [x for values in placed.optimizer.optimizer.state.values() for x in values.values()]
    held = {"parameters": moved, "gradients": [p.grad for p in moved], "state": state}
    sizes = {name: sum(local(x).numel() for x in tensors) for name, tensors in held.items()}
    torch.save(sizes, folder / f"{processes()}-{process()}.pt")


def save_fitted(run: Path, **fields: Any) -> None:
    """A quick training, and what each process has of it, as pickle keeps it."""
    method = fit(run, **fields)
    (run / f"method-{process()}").write_bytes(pickle.dumps(method))


def fit_until(run: Path, *, at: int, **fields: Any) -> None:
    """Like `fit`, but stopped by a signal after step number `at`."""
    method = quick(fields.pop("name"), **{key: x for key, x in fields.items() if key != "resume"})
    after, done = method.after_step, 0

    def after_step(progress: float) -> None:
        nonlocal done
        after(progress)
        done += 1
        if done == at:
            os.kill(os.getpid(), signal.SIGTERM)

    method.after_step = after_step  # type: ignore[method-assign]
    try:
        method.fit(samples_for("simclr", 32), run=run)
    except Stopped:
        pickle.dumps(method.modules())  # they are whole
        return
    raise AssertionError("a signal must stop it")


def whole_of(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor whose parts lie on several processes."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def save_scene_gradient(folder: Path, *, name: str) -> None:
    """Write loss and gradients of a step of a `Detector` or a `Segmenter` into `folder`."""
    from replearn import Detector, Segmenter, make_scenes

    cls, scenes = {"detect": Detector, "segment": Segmenter}[name], make_scenes(8)
    model = cls(encoder="cnn", width=16, batch_size=8, device="cpu", precision="32-true")
    model.prepare(scenes)
    model._lessons = scenes
    fabric = make_fabric(choose(model.device, model.precision))
    step = Step(model)
    if processes() > 1:
        join_batch_norms(step)
    module, optimizer = fabric.setup(step, torch.optim.SGD(step.parameters()))
    with ready(model, step):
        for parts in batches(model, scenes, first=0, steps=1):
            torch.manual_seed(5)
            loss, named = one_step(fabric, module, optimizer, parts, 0.0)
    found = {f"grad.{name}": p.grad for name, p in step.named_parameters() if p.grad is not None}
    torch.save({"loss": loss, **named, **found}, folder / f"{processes()}-{process()}.pt")


def save_training(run: Path, **fields: Any) -> None:
    """Train, and write each process's weights into `run`."""
    method, samples = built(**fields)
    run.mkdir(exist_ok=True)
    train(method, samples, run=run)
    torch.save(method.encoder_.state_dict(), run / f"weights-{process()}.pt")


def train_until_stopped(run: Path, **fields: Any) -> None:
    """Train for long; write what stopped it into `run`."""
    method, samples = built(**{"epochs": 10_000, **fields})
    run.mkdir(exist_ok=True)
    try:
        train(method, samples, run=run, resume=True)
    except Stopped as error:
        (run / f"stopped-{process()}").write_text(f"{error.signal} {error}")
