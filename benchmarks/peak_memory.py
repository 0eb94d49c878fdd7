"""Does memory stay flat however many images lie in the file?

Each training runs in a process of its own: `python peak_memory.py FILE STEPS` trains on the memory-mapped
images and prints the most memory that it ever held.
"""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
from record import Part, Setting

GOAL = 0.10
SIDE = 28
CHUNK = 50_000  # images written at once


def measure(setting: Setting) -> Part:
    """Peak memory by number of images."""
    sizes, steps = ((1_000, 4_000), 3) if setting.quick else ((10_000, 100_000, 1_000_000), 200)
    part = Part(
        title="Memory while training on memory-mapped images",
        goal=f"the largest peak at most {GOAL:.0%} above the smallest",
        notes=[
            f"Images of {SIDE} x {SIDE} bytes in one `.npy` file, opened with `mmap_mode='r'`; "
            f"`SimCLR(encoder='cnn')`, {steps} steps of 256, in a process of its own. Peak: the most "
            "resident memory that the process had.",
        ],
    )
    for number in sizes:
        file = setting.scratch / f"{number}.npy"
        write_images(file, number)
        done = subprocess.run(
            [sys.executable, __file__, str(file), str(steps)], check=True, stdout=subprocess.PIPE, text=True
        )
        size = file.stat().st_size / 2**20
        part.rows.append({"images": number, "file, MB": size, "peak memory, MB": float(done.stdout)})
        file.unlink()
    peaks = [row["peak memory, MB"] for row in part.rows]
    for row in part.rows:
        row["over the smallest"] = round(row["peak memory, MB"] / min(peaks), 3)
    part.met = max(peaks) <= (1 + GOAL) * min(peaks)
    return part


def write_images(file: Path, number: int) -> None:
    """Random images, a part at a time."""
    images = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=(number, SIDE, SIDE))
    rng = np.random.default_rng(0)
    for start in range(0, number, CHUNK):
        stop = min(start + CHUNK, number)
        images[start:stop] = rng.integers(0, 256, (stop - start, SIDE, SIDE), dtype=np.uint8)
    images.flush()


def train(file: Path, steps: int) -> None:
    """Train on a file's images for some steps."""
    from watched import Enough, WatchedSimCLR, fit_watched

    done = 0

    def on_step() -> None:
        nonlocal done
        done += 1
        if done == steps:
            raise Enough

    images = np.load(file, mmap_mode="r")
    fit_watched(WatchedSimCLR(encoder="cnn", epochs=100), images, on_step)


def peak() -> float:
    """The most memory this process held, in MB.

    Linux's own count: `ru_maxrss` of a started process may begin with what its parent held.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 1024


if __name__ == "__main__":
    train(Path(sys.argv[1]), int(sys.argv[2]))
    print(peak())
