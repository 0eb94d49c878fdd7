"""What the machine has, and what training makes of it: device, precision, processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy, SingleDeviceStrategy, Strategy


@dataclass(frozen=True)
class Machine:
    """A choice of device and precision, and the sentence that tells it."""

    device: str
    precision: str
    why: str

    def __str__(self) -> str:
        return f"{self.device}, {self.precision} ({self.why})"


def choose(device: str = "auto", precision: str = "auto") -> Machine:
    """The device and precision to use.

    Args:
        device: `auto` (a GPU if there is one), `cpu`, `cuda`, `mps`.
        precision: `auto` (bfloat16 where the processor computes in it, else 32 bits), `32-true`, `bf16-mixed`,
            or any other of Fabric's names.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if precision != "auto":
        return Machine(device, precision, "as asked")
    if device.startswith("cuda"):
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return Machine(device, "bf16-mixed" if fast else "32-true", "the GPU has bfloat16" if fast else "no bfloat16")
    if device == "cpu" and _cpu_has_bf16():
        return Machine(device, "bf16-mixed", "the processor has bfloat16 arithmetic")
    return Machine(device, "32-true", "no bfloat16 arithmetic")


def make_fabric(machine: Machine, loggers: list[object]) -> Fabric:
    """Fabric on this machine; several processes when started by torchrun or SLURM."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    world = int(os.environ.get("WORLD_SIZE", "1"))
    strategy: Strategy | str = "auto"
    if world > 1:
        # Buffers are alike on all processes already, since batch statistics are joined.
        strategy = DDPStrategy(broadcast_buffers=False, process_group_backend=None)
    elif ":" not in machine.device:
        index = {"cuda": "cuda:0", "mps": "mps:0"}.get(machine.device, machine.device)
        strategy = SingleDeviceStrategy(device=torch.device(index))
    return Fabric(
        accelerator=machine.device.partition(":")[0],
        devices=local,
        num_nodes=max(1, world // local),
        strategy=strategy,
        precision=machine.precision,  # type: ignore[arg-type]
        loggers=loggers,  # type: ignore[arg-type]
    )


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Leave torch's random state as it was found."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        yield


def _cpu_has_bf16() -> bool:
    has = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    return any(check() for check in has if check is not None)
