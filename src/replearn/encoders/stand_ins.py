"""What stands in for files and folders that an encoder's name leads to, which may be gone when a run is loaded.

A run folder as `encoder`, or as that of a member, is read by `replearn.methods.started`, right of here: `standing_in`
lends what it found there to `make_encoder`, `text_encoder` and `tokenizer_of`. A run that is loaded has all weights by
itself: `weights_from` says where, so that `NAME@FILE` needs no FILE.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import nn

_found: ContextVar[Sequence[tuple[Any, nn.Module]]] = ContextVar("found", default=())
_weights: ContextVar[Path | None] = ContextVar("weights", default=None)


@contextmanager
def standing_in(*found: tuple[Any, nn.Module]) -> Iterator[None]:
    """While entered, each of these names means the module beside it; others mean themselves."""
    token = _found.set(found)
    try:
        yield
    finally:
        _found.reset(token)


def meant_by(spec: Any) -> Any:
    """The module that stands in for a name, or the name."""
    if isinstance(spec, nn.Module):
        return spec
    return next((module for name, module in _found.get() if spec == name), spec)


@contextmanager
def weights_from(path: Path | None) -> Iterator[None]:
    """While entered, `NAME@FILE` takes its weights from this file; None: from its own."""
    token = _weights.set(path)
    try:
        yield
    finally:
        _weights.reset(token)


def names_told() -> list[str]:
    """The names of the weights in that file; none where no other place is told."""
    path = _weights.get()
    if path is None or not path.is_file():
        return []
    with safe_open(path, framework="pt") as file:
        return list(file.keys())


def weights_at(file: str) -> Path:
    """Where the weights of `NAME@FILE` lie: in another place, if one is told; of a run, in its file of weights."""
    path = _weights.get() or Path(file).expanduser()
    return path / "weights.safetensors" if path.is_dir() else path
