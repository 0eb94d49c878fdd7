"""Memory that training frees is kept for its next step, instead of going back to the system and coming anew.

Activations of some megabytes are allocated and freed at every step. The C library maps each from the system and
gives it back, and every page of it is then zeroed and mapped again, at every step.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# The parameters of glibc's mallopt, and the values that it starts with.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_KEPT = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 64 * 2**20))
_BEFORE = ((_MMAP_MAX, 65536), (_TRIM_THRESHOLD, 128 * 2**10), (_TOP_PAD, 0))


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """While entered, memory stays with the process; where the C library is not glibc this does nothing."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt"):
        yield
        return
    for parameter, value in _KEPT:
        library.mallopt(parameter, value)
    try:
        yield
    finally:
        for parameter, value in _BEFORE:
            library.mallopt(parameter, value)
        library.malloc_trim(0)
