"""Does a large batch in slices train in the memory of a small one?

Each training runs in a process of its own: `python sliced_memory.py BATCH SLICE SIDE` takes one step of SimCLR on
random images, and prints the most memory that it ever held.
"""

import subprocess
import sys

import numpy as np
from peak_memory import peak
from record import Part, Setting

GOAL = 0.10


def measure(setting: Setting) -> Part:
    """Peak memory of one step by size of the batch."""
    side, small, large = (32, 32, 64) if setting.quick else (96, 256, 4096)
    part = Part(
        title="Memory of a large batch in slices",
        goal=f"a batch of {large:,} at most {GOAL:.0%} above a batch of {small}",
        notes=[
            f"`SimCLR(encoder='resnet18', slice_size=...)`, one step on {side}-px colour images in a process of its "
            "own, one batch of images and no more. Peak: the most resident memory that the process had. What must "
            "grow with the batch is the images and their two views, which slices hold in 16 bits where networks "
            "compute in 16.",
        ],
    )
    for batch, size in ((small, None), (small, small), (large, small)):
        told = [sys.executable, __file__, str(batch), str(size or 0), str(side)]
        done = subprocess.run(told, check=True, stdout=subprocess.PIPE, text=True)
        views = 2 * batch * 3 * side**2 * 4 / 2**20
        part.rows.append(
            {
                "batch": batch,
                "slices of": size or "",
                "peak memory, MB": float(done.stdout),
                "views in 32 bits, MB": views,
            }
        )
    peaks = [row["peak memory, MB"] for row in part.rows]
    for row in part.rows:
        row["over the first"] = round(row["peak memory, MB"] / peaks[0], 3)
    part.met = peaks[-1] <= (1 + GOAL) * peaks[0]
    return part


def train(batch: int, size: int | None, side: int) -> None:
    """One step on random images."""
    from replearn import SimCLR

    images = np.random.default_rng(0).integers(0, 256, (batch, 3, side, side), dtype=np.uint8)
    SimCLR(encoder="resnet18", batch_size=batch, slice_size=size, epochs=1).fit(images)


if __name__ == "__main__":
    train(int(sys.argv[1]), int(sys.argv[2]) or None, int(sys.argv[3]))
    print(peak())
