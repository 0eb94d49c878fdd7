"""Where memory goes that training frees, with the C library that lets one choose."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

STATUS = Path("/proc/self/statm")
CHOOSES = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt") and STATUS.is_file()

# In a process of its own, whose heap has no holes yet.
ALLOCATE = f"""
import os
from pathlib import Path
from replearn.engine.memory import freed_memory_kept, freed_memory_returned

def resident():
    return int(Path("{STATUS}").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

for way in (freed_memory_returned, freed_memory_kept):
    with way():
        before = resident()
        blocks, living = [], []
        for i in range(64):
            blocks.append(b"x" * 2**22)
            living.append(b"x" * 2**12)
        grown = resident() - before
        del blocks
        stays = resident() - before
        del living
    print(grown, stays, resident() - before)
"""


@pytest.mark.skipif(not CHOOSES, reason="the C library offers no choice of where freed memory goes")
def test_freed_memory_is_returned_or_kept_as_asked() -> None:
    done = subprocess.run([sys.executable, "-c", ALLOCATE], capture_output=True, text=True, check=True)
    returned, kept = ([float(word) for word in line.split()] for line in done.stdout.splitlines())
    assert returned[0] > 250
    assert kept[0] > 250
    assert returned[1] < 20
    assert kept[1] > 250
    assert max(returned[2], kept[2]) < 20  # afterwards all goes back
