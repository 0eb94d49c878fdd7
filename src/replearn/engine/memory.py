"""Memory that training frees is kept for its next step, instead of going back to the system and coming anew.

Activations of some megabytes are allocated and freed at every step. The C library maps each from the system and
gives it back, and every page of it is then zeroed and mapped again, at every step.
"""

import ctypes
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

# The parameters of glibc's mallopt, and the values that it starts with.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
_BEFORE = {_MMAP_MAX: 65536, _MMAP_THRESHOLD: 128 * 2**10, _TRIM_THRESHOLD: 128 * 2**10, _TOP_PAD: 0}
_KEPT = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 * 2**20}
_RETURNED = {_MMAP_THRESHOLD: 2**20, _TRIM_THRESHOLD: 2**20}  # what is set moves no more by itself


def freed_memory_kept() -> AbstractContextManager[None]:
    """While entered, memory stays with the process; where the C library is not glibc this does nothing."""
    return _allocating(_KEPT)


def freed_memory_returned() -> AbstractContextManager[None]:
    """While entered, large blocks go back to the system at once: little memory counts for more than speed.

    Kept, they would lie in pieces between small ones that live on, and of slices much more memory would be held
    than is ever in use. Where the C library is not glibc this does nothing.
    """
    return _allocating(_RETURNED)


@contextmanager
def _allocating(parameters: Mapping[int, int]) -> Iterator[None]:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt"):
        yield
        return
    for parameter, value in parameters.items():
        library.mallopt(parameter, value)
    try:
        yield
    finally:
        for parameter, value in _BEFORE.items():
            library.mallopt(parameter, value)
        library.malloc_trim(0)
