"""Views only: fused on a batch, against the usual transforms of one PIL image at a time."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch
from pictures import small_photos
from record import Part, Setting, span
from torch.utils.data import DataLoader, Dataset

from replearn import as_samples
from replearn.views import Chain, Colour, Crop, Flip, Grey

BATCH = 256
WORKERS = 2
GOAL = 2.0


def measure(setting: Setting) -> Part:
    """Views per second of crop, flip, colour and grey at 32 pixels."""
    batches, rounds = (6, 1) if setting.quick else (16, 5)
    images, what = small_photos(setting.cifar10, number=BATCH * 25)
    sides: dict[str, Callable[[], float]] = {
        "replearn, fused on the batch": lambda: _ours(images, batches * 3),
        "torchvision on PIL images, one process": lambda: _torchvision(images, batches, workers=0),
        f"torchvision on PIL images, {WORKERS} loader workers": lambda: _torchvision(
            images, batches, workers=WORKERS
        ),
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, turn in sides.items():
            found[name].append(turn())
    speeds = {name: median(values) for name, values in found.items()}
    part = Part(
        title="Views only",
        goal=f"fused views at least {GOAL:g} times torchvision's per-image pipeline on all cores",
        notes=[
            f"Crop (.2 to 1), flip, colour jitter (.5, with probability .8), grey (.2), {what}, 32 px, "
            f"batch {BATCH}; bytes in, batch of floats out. Both sides may use all cores.",
        ],
    )
    best = max(speed for name, speed in speeds.items() if name.startswith("torchvision"))
    part.rows = [
        {
            "side": name,
            "views/s": speed,
            "middle half": span(found[name], digits=0),
            "over the better torchvision": round(speed / best, 2),
        }
        for name, speed in speeds.items()
    ]
    part.met = part.rows[0]["over the better torchvision"] >= GOAL
    return part


def _ours(images: np.ndarray, batches: int) -> float:
    samples = as_samples(images)
    view = Chain(Crop(0.2, 1.0), Flip(), Colour(0.5, 0.8), Grey(0.2))
    order = np.random.default_rng(0).permutation(len(samples))
    parts = [order[start : start + BATCH] for start in range(0, len(order) - BATCH + 1, BATCH)]
    for part in parts[:2]:
        view(samples[part])
    began = time.perf_counter()
    for i in range(batches):
        view(samples[parts[i % len(parts)]])
    return batches * BATCH / (time.perf_counter() - began)


class Pictures(Dataset[torch.Tensor]):
    """Images through torchvision's transforms, one at a time."""

    def __init__(self, images: np.ndarray, transform: Callable[[Any], torch.Tensor]) -> None:
        self.images = images.transpose(0, 2, 3, 1).copy()  # (n, h, w, c)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> torch.Tensor:
        from PIL import Image

        return self.transform(Image.fromarray(self.images[position]))


def _torchvision(images: np.ndarray, batches: int, *, workers: int) -> float:
    from torchvision import transforms as T

    transform = T.Compose(
        [
            T.RandomResizedCrop(images.shape[-1], scale=(0.2, 1.0)),
            T.RandomHorizontalFlip(),
            T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            T.RandomGrayscale(p=0.2),
            T.ToTensor(),
        ]
    )
    loader = DataLoader(Pictures(images, transform), batch_size=BATCH, shuffle=True, num_workers=workers)
    ready = iter(loader)
    # What workers made ahead is taken first, so that the clock sees their steady pace.
    for _ in range(2 * workers + 1):
        next(ready)
    began = time.perf_counter()
    for _ in range(batches):
        next(ready)
    return batches * BATCH / (time.perf_counter() - began)
