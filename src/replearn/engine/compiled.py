"""Loops compiled to machine code by numba: for what is neither a matrix product nor fast in Python.

The code is kept in replearn's cache folder, under a hash of all sources that it is made from, so nothing is written
beside the sources and no other version's code is run. It is compiled when first called.
"""

import hashlib
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from replearn.data.cache import cache_folder
from replearn.data.needed import missing

try:
    numba: Any = importlib.import_module("numba")
except ImportError:  # what is compiled then says so when it is called
    numba = None

SOURCES = Path(__file__).parent / "words"


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code, without Python's lock: threads may run it side by side.

    Raises:
        ValueError: when called, where numba is missing.
    """
    if numba is None:
        return _missing
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder() / f"compiled-{_hash_of_sources()}")
    try:
        return _jit(function, cache=True)
    except RuntimeError:  # no folder can be written: compile in every process
        return _jit(function)
    finally:
        numba.config.CACHE_DIR = before


def inlined(function: Callable[..., Any]) -> Any:
    """A part of compiled functions, written into each place that calls it: calls with many arrays take long."""
    return _missing if numba is None else _jit(function, inline="always")


def intrinsic(function: Callable[..., Any]) -> Any:
    """An operation that compiled functions may call, given by its instructions."""
    if numba is None:
        return _missing
    return importlib.import_module("numba.extending").intrinsic(inspect.unwrap(function))


def _jit(function: Callable[..., Any], **options: Any) -> Any:
    bare = inspect.unwrap(function)  # tests wrap functions to check shapes
    return numba.njit(bare, nogil=True, error_model="numpy", **options)


def _missing(*_: Any, **__: Any) -> Any:
    raise missing("numba", "word vectors need")


def _hash_of_sources() -> str:
    """Of everything that may be compiled, and of the compiler's version."""
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=8)
    for path in (Path(__file__), *sorted(SOURCES.glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()
