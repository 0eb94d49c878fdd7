"""Turns of lightly and replearn at one training, in samples per second: what the parts beside lightly share."""

import sys
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from typing import Any

import numpy as np
import torch
from record import Skipped
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from watched import Enough, fit_watched

from replearn.data import Samples
from replearn.methods import Method

GOAL = 5.0
WORKERS = (0, 2)
SECONDS = 15.0  # a turn ends after so long on a slow machine


@dataclass(frozen=True)
class Case:
    """One data set and encoder.

    Attributes:
        name: in words.
        samples: what to train on.
        encoder: a network that reads `(n, c, h, w)`.
        views: our views that do what lightly's transform does, by name.
        steps, warmup: steps to time in each turn, and before.
        rounds: turns of each side.
    """

    name: str
    samples: Samples
    encoder: nn.Module
    views: str
    steps: int = 6
    warmup: int = 3
    rounds: int = 3
    batch_size: int = 256

    @property
    def images(self) -> np.ndarray:
        """All images, `(n, c, h, w)` bytes."""
        found: np.ndarray = self.samples[np.arange(len(self.samples))].x.numpy()
        return found

    @property
    def side(self) -> int:
        """Pixels of an image's side."""
        return self.samples.shape[1]

    @property
    def width(self) -> int:
        """Numbers per image that the encoder returns."""
        with torch.no_grad():
            h = deepcopy(self.encoder).eval()(torch.zeros(2, *self.samples.shape))
        return int(h.flatten(1).shape[1])

    @property
    def normalize(self) -> dict[str, Any]:
        """What lightly's transforms must be told of images of one channel; their default has three."""
        return {"normalize": {"mean": [0.13], "std": [0.31]}} if self.samples.shape[0] == 1 else {}


class Pictures(Dataset[tuple[Any, int]]):
    """Images in memory, handed out as PIL images through a transform, as torchvision's data sets do."""

    def __init__(self, images: np.ndarray, transform: Callable[[Any], Any]) -> None:
        self.images = images.transpose(0, 2, 3, 1).copy()  # (n, h, w, c)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> tuple[Any, int]:
        from PIL import Image

        image = self.images[position]
        return self.transform(Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)), 0


class Clock:
    """Times the steps of one turn, after its warm-up."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.count = 0
        self.began = self.samples_per_second = 0.0

    def tick(self) -> None:
        """A step was made."""
        self.count += 1
        if self.count == self.case.warmup:
            self.began = time.perf_counter()
        took = time.perf_counter() - self.began
        steps = self.count - self.case.warmup
        if steps == self.case.steps or (steps > 0 and took > SECONDS):
            self.samples_per_second = steps * self.case.batch_size / took
            raise Enough


def require_lightly() -> None:
    """Raises Skipped where lightly is not installed."""
    if find_spec("lightly") is None:
        raise Skipped("lightly is not installed. Install it with: pip install -e '.[bench]'")


def take_turns(case: Case, sides: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Samples per second of each side in each round."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(case.rounds):
        for name, turn in sides.items():
            found[name].append(turn())
            print(f"{case.name}; {name}: {found[name][-1]:.0f} samples/s", file=sys.stderr, flush=True)
    return found


def loop_turn(
    case: Case, workers: int, transform: Callable[[Any], Any], step: Callable[[list[Tensor], int], Tensor]
) -> float:
    """Samples per second of a plain loop over a loader of PIL images, as lightly's examples have it.

    Args:
        case: what to train on.
        workers: processes of the loader.
        transform: of an image to views.
        step: trains on a batch of views in an epoch, and returns the loss.
    """
    loader = DataLoader(
        Pictures(case.images, transform),
        batch_size=case.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
    )
    clock = Clock(case)
    total = torch.zeros(())
    try:
        for epoch in count():
            for views, _ in loader:
                total = total + step(views, epoch)  # SwaVLoss is of shape (1,)
                clock.tick()
    except Enough:
        if not total.isfinite():
            raise RuntimeError(f"the loss must stay finite; {case.name} came to {total}.") from None
    return clock.samples_per_second


def fit_turn(case: Case, method: Method) -> float:
    """Samples per second of the method's `fit`."""
    clock = Clock(case)
    fit_watched(method, case.samples, clock.tick)
    return clock.samples_per_second
