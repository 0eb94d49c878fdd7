"""Weights from a local file. Nothing here reads from a network, and nothing unpickles code."""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError
from struct import error as StructError

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

State = dict[str, Tensor]

# A file that is cut short, or that holds code, stops the readers in many ways.
DAMAGE = (
    SafetensorError,
    UnpicklingError,
    StructError,
    OSError,
    RuntimeError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    zipfile.BadZipFile,
)


def read_weights(path: Path) -> State:
    """The tensors of a `.safetensors` file, or of a `.pth` / `.pt` file that holds tensors only.

    Raises:
        ValueError: there is no such file, it is of another kind or damaged, or it holds more than tensors.
    """
    if path.suffix not in (".safetensors", ".pth", ".pt"):
        raise ValueError(f"weights must be a .safetensors, .pth or .pt file; got {path}.")
    if not path.is_file():
        raise ValueError(
            f"weights must be a file on this machine; found none at {path}. Nothing is downloaded."
        )
    try:
        if path.suffix == ".safetensors":
            return of_encoder(_checked(safetensors.torch.load_file(path), path))
        _check_packing(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGE as error:
        raise ValueError(
            f"{path} must hold tensors only, and whole ({(str(error) or repr(error)).splitlines()[0]}). "
            "Save a state_dict() again; a file that holds code is never read."
        ) from error
    for name in ("state_dict", "model"):
        found = found.get(name, found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise ValueError(
            f"{path} must hold a dictionary of tensors; got {type(found).__name__}. Save its state_dict()."
        )
    return _checked(found, path)


def _check_packing(path: Path) -> None:
    """Raises ValueError where a file unpacks to far more than it is: torch writes its zips unpacked."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        whole = sum(member.file_size for member in archive.infolist())
    if whole > 2 * path.stat().st_size + 2**20:
        raise ValueError(f"it unpacks to {whole:,} bytes, from {path.stat().st_size:,}")


def _checked(state: State, path: Path) -> State:
    """The tensors, after a look at each: plain ones, in memory, of finite numbers.

    Raises:
        ValueError: one is not.
    """
    for name, value in state.items():
        plain = value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized
        # Strides may repeat a few numbers any number of times.
        if not plain or value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise ValueError(f"{path} must hold plain tensors; {name} is none. Save its state_dict() again.")
        if value.is_floating_point() and not torch.isfinite(value.float()).all():
            raise ValueError(
                f"{path} must hold finite numbers; {name} has others. The file is damaged: copy it again."
            )
    return state


def of_encoder(state: State) -> State:
    """Of a run's weights those of its encoder's network (of several alike, the first's); other weights as they are.

    >>> of_encoder({"encoder_.mean": torch.zeros(1), "encoder_.body.net.conv1.weight": torch.zeros(1)}).keys()
    dict_keys(['conv1.weight'])
    """
    starts = [
        name.partition("body.")[0] + "body." for name in state if re.match(r"encoder_\.(.*\.)?body\.", name)
    ]
    if not starts:
        return state
    found = {
        name.removeprefix(starts[0]): value for name, value in state.items() if name.startswith(starts[0])
    }
    wrapped = all(name.startswith("net.") for name in found)  # timm's network in `TimmNet`
    return {name.removeprefix("net.") if wrapped else name: value for name, value in found.items()}


def fill(net: nn.Module, state: State, path: Path, *, first: Sequence[str], heads: Sequence[str]) -> None:
    """Put weights into a network, all of them or none.

    A first convolution made for other channels is adapted: to one channel by the sum over channels, to more
    by repeating them, scaled so that grey images give what they gave.

    Args:
        net: to be filled.
        state: the tensors, by name.
        path: where they came from, for errors.
        first: names of the first convolutions.
        heads: names of classifiers, whose tensors are left out.

    Raises:
        ValueError: names or shapes differ.
    """
    wanted = net.state_dict()
    state = {
        name: value
        for name, value in state.items()
        if not name.startswith(tuple(f"{head}." for head in heads))
    }
    for name in (f"{conv}.weight" for conv in first):
        if name in state and name in wanted:
            state[name] = with_channels(state[name], wanted[name].shape[1])
    missing = [name for name in wanted if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in wanted]
    shapes = [
        f"{name} {tuple(state[name].shape)} for {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in state and state[name].shape != value.shape
    ]
    faults = [
        f"{len(names)} {what} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
        if names
    ]
    if faults:
        raise ValueError(
            f"weights must fit {type(net).__name__} name by name; {path} has {'; '.join(faults)}. "
            "Check the model's name, and strip a prefix that all names share."
        )
    net.load_state_dict(state, strict=False)


def with_channels(weight: Tensor, channels: int) -> Tensor:
    """A convolution's weight `(out, in, kh, kw)` for another number of input channels."""
    before = weight.shape[1] if weight.ndim == 4 else channels
    if before == channels:
        return weight
    if channels == 1:
        return weight.sum(1, keepdim=True)  # (out, 1, kh, kw)
    cycle = torch.arange(channels) % before
    return weight[:, cycle] * (before / channels)  # (out, channels, kh, kw)
