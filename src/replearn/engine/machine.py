"""What the machine has, and what training makes of it: device, precision, processes."""

import atexit
import inspect
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.strategies.model_parallel import ModelParallelStrategy
from lightning_fabric.strategies.single_device import SingleDeviceStrategy
from lightning_fabric.strategies.strategy import Strategy
from torch.distributed.device_mesh import DeviceMesh
from torch.nn.parallel import DistributedDataParallel

log = logging.getLogger("replearn")

PRECISIONS = ("auto", "32-true", "bf16-mixed", "16-mixed")
FORMER = ("bf16-true", "16-true", "64-true")  # of saved runs: they are read in 32 bits


@dataclass(frozen=True)
class Machine:
    """A choice of device and precision, and the sentence that tells it."""

    device: str
    precision: str
    why: str

    def __str__(self) -> str:
        return f"{self.device}, {self.precision} ({self.why})"


def choose(device: str = "auto", precision: str = "auto") -> Machine:
    """The device and precision to train with.

    Args:
        device: `auto` (a GPU if there is one), `cpu`, `cuda`, `mps`.
        precision: of training; `auto` (bfloat16 where the processor computes in it, else 32 bits), `32-true`,
            `bf16-mixed`, or another of `PRECISIONS`, which are Fabric's names.

    Raises:
        ValueError: there is no such device or precision.
    """
    if device.partition(":")[0] not in ("auto", "cpu", "cuda", "mps"):
        raise ValueError(
            f"device must be auto, cpu, cuda or mps; got {device!r}. Leave it out for the best there is."
        )
    if precision not in PRECISIONS:
        names = ", ".join(PRECISIONS)
        raise ValueError(f"precision must be one of {names}; got {precision!r}. Leave it out to let it fit.")
    _check_there(device)
    if device == "auto":
        device = (
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    if precision == "16-mixed" and device == "cpu":
        raise ValueError("precision 16-mixed needs a GPU; got cpu. Use bf16-mixed, or 32-true.")
    if precision != "auto":
        return Machine(device, precision, "as asked")
    if device.startswith("cuda"):
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return Machine(
            device, "bf16-mixed" if fast else "32-true", "the GPU has bfloat16" if fast else "no bfloat16"
        )
    if device == "cpu" and _cpu_has_bf16():
        return Machine(device, "bf16-mixed", "the processor has bfloat16 arithmetic")
    return Machine(device, "32-true", "no bfloat16 arithmetic")


def choose_for_inference(device: str = "auto", precision: str = "auto") -> Machine:
    """The device and precision by which fitted networks are read: 32 bits, unless another precision is asked for.

    In training, bfloat16 is noise that averages out. In a representation it stays: 8 bits of a number are left, and
    near neighbours change places.

    Args:
        device, precision: as in `choose`; `auto` is `32-true`.

    Raises:
        ValueError: there is no such device or precision.
    """
    if precision not in ("auto", *FORMER):
        return choose(device, precision)
    return replace(choose(device, "32-true"), why="representations are computed in 32 bits")


def is_there(device: str) -> bool:
    """Whether this machine has such a device."""
    _, colon, number = device.partition(":")
    return bool(_count(device)) and (not colon or (number.isdecimal() and int(number) < _count(device)))


def here(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a saved run, `device` and `precision` among them, with those that this machine can do, and a
    warning where these are others.
    """
    device, precision = str(fields.get("device", "auto")), str(fields.get("precision", "auto"))
    other: dict[str, str] = {}
    if device.partition(":")[0] in ("cuda", "mps") and not is_there(device):
        other["device"] = "auto"
    if precision == "16-mixed" and choose(other.get("device", device)).device == "cpu":
        other["precision"] = "auto"
    if other:
        asked = ", ".join(f"{name}={fields[name]!r}" for name in other)
        log.warning(
            "the run has %s, which this machine does not have: it is read on %s, in 32 bits",
            *(asked, choose_for_inference(other.get("device", device)).device),
        )
    return {**fields, **other}


def _count(device: str) -> int:
    """How many devices of a kind there are."""
    kind = device.partition(":")[0]
    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    return int(torch.backends.mps.is_available()) if kind == "mps" else 1


def _check_there(device: str) -> None:
    """Raises ValueError where this machine has no such device."""
    kind, count = device.partition(":")[0], _count(device)
    if not is_there(device):
        found = f"{count} of {kind}" if count else f"no {kind}"
        raise ValueError(
            f"device must be one that is there; got {device!r}, and this machine has {found}. Leave it out for the "
            "best there is."
        )


def make_fabric(
    machine: Machine, loggers: Sequence[Any] = (), *, shard: Callable[[Any, DeviceMesh], Any] | None = None
) -> Fabric:
    """Fabric on this machine, its processes joined when torchrun or SLURM has started several.

    Args:
        machine: device and precision.
        loggers: get recorded numbers.
        shard: shards the parameters of a module over processes; None: each process holds all.
    """
    local, nodes = crew()
    with _quiet():
        fabric = Fabric(
            accelerator=machine.device.partition(":")[0],
            devices=local,
            num_nodes=nodes,
            strategy=_strategy(machine, local * nodes, shard),
            precision=machine.precision,  # type: ignore[arg-type]
            loggers=list(loggers),
        )
        fabric.launch()
    if not torch.cuda.is_available():
        # Fabric has GPUs looked for by NVML, and each step of torch's optimizers looks: in vain, but not for free.
        os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    if local * nodes > 1:
        atexit.register(leave)
    return fabric


def join_processes(device: str = "auto") -> None:
    """Join the processes that torchrun or SLURM has started: from now on `process()` tells them apart."""
    if crew() != (1, 1) and not dist.is_initialized():
        make_fabric(choose(device, "32-true"))


def crew() -> tuple[int, int]:
    """Processes per node and number of nodes, as torchrun or SLURM says; (1, 1) when started by neither."""
    environment = os.environ
    if "WORLD_SIZE" in environment:  # torchrun
        world, local = int(environment["WORLD_SIZE"]), int(environment.get("LOCAL_WORLD_SIZE", "1"))
        return local, max(1, world // local)
    # In a shell on a SLURM node, outside of srun, a process is alone.
    if "SLURM_PROCID" in environment and SLURMEnvironment.detect():
        nodes = int(environment.get("SLURM_NNODES", "1"))
        return max(1, int(environment["SLURM_NTASKS"]) // nodes), nodes
    return 1, 1


def leave() -> None:
    """Leave the other processes; torch warns at exit where this is forgotten."""
    if dist.is_initialized():
        dist.destroy_process_group()


def _strategy(
    machine: Machine, world: int, shard: Callable[[Any, DeviceMesh], Any] | None = None
) -> Strategy | str:
    kind, _, index = machine.device.partition(":")
    # Scalars that steer the loop are told over the CPU, so that no GPU waits for them.
    backend = "cpu:gloo,cuda:nccl" if kind == "cuda" else "gloo"
    if shard is not None:
        return ModelParallelStrategy(
            lambda module, mesh: shard(module, mesh["data_parallel"]),
            data_parallel_size=world,
            tensor_parallel_size=1,
            process_group_backend=backend,
        )
    if world > 1:
        # Buffers are alike on all processes already, since batch statistics are joined.
        known = inspect.signature(DistributedDataParallel).parameters
        unsynced = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
        options: dict[str, Any] = {unsynced: False}
        return DDPStrategy(process_group_backend=backend, **options)
    return SingleDeviceStrategy(device=torch.device(kind if kind == "cpu" else f"{kind}:{index or 0}"))


@contextmanager
def _quiet() -> Iterator[None]:
    """Fabric tells precision and processes on the terminal; our own log does."""
    logger = logging.getLogger("lightning_fabric")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Leave torch's random state as it was found."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        yield


def seed_draws(seed: int, device: torch.device) -> None:
    """Seed the draws of the processor and of `device`, as `torch.manual_seed` does.

    That seeds all other kinds of devices, too: of each that is not there it takes down where it was called, which
    takes some milliseconds, at every step.
    """
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


def _cpu_has_bf16() -> bool:
    has = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    return any(check() for check in has if check is not None)
