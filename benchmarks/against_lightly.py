"""SimCLR in samples per second, against lightly's documented recipe.

The recipe is lightly's own example (examples/pytorch/simclr.py, and the page on SimCLR of its documentation):
PIL images through `SimCLRTransform(input_size=..., gaussian_blur=0.0)` in a `DataLoader` of batch 256,
`SimCLRProjectionHead`, `NTXentLoss`, a plain loop with SGD. Both sides train the same encoder with a head
of the same widths on the same images in one run, by turns. lightly gets its better number of loader
workers of 0 and 2 (meant for two cores), and a second chance as a careful user would tune it: channels-last
memory and bfloat16.
"""

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np
import torch
from pictures import small_photos
from record import Part, Setting, Skipped, span
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from watched import Enough, WatchedSimCLR, fit_watched

from replearn import as_samples, load_data, make_encoder
from replearn.data import Samples

GOAL = 5.0
WORKERS = (0, 2)
SECONDS = 15.0  # a turn ends after so long on a slow machine
HIDDEN, DIM, RATE = 512, 128, 0.06  # of lightly's example


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


def measure(setting: Setting) -> Part:
    """Samples per second of both, and their ratio."""
    if find_spec("lightly") is None:
        raise Skipped("lightly is not installed. Install it with: pip install -e '.[bench]'")
    part = Part(
        title="SimCLR against lightly's documented recipe",
        goal=f"our samples/s at least {GOAL:g} times those of the documented recipe, on the built-in digits",
        notes=[
            "Documented recipe: lightly's examples/pytorch/simclr.py with this encoder and image size, "
            "the better of 0 and 2 loader workers. Tuned: the same with channels-last memory and "
            "bfloat16. Both sides have all cores, the same encoder, batch, head widths and optimiser, "
            "and take turns.",
            "Of one channel, lightly's colour jitter and grey change brightness and contrast only, as "
            "our preset `grey` does; the row `own views` has replearn's default for drawings (rotation, "
            "shear, warp and stroke width in place of flips and jitter).",
        ],
    )
    for case in cases(setting):
        part.rows += _rows(case)
    first = [row["over documented"] for row in part.rows if row["side"].startswith("replearn")]
    part.met = first[0] >= GOAL
    return part


def cases(setting: Setting) -> Iterator[Case]:
    digits = load_data("digits", split="train")
    small = make_encoder("resnet_small", digits).body
    if setting.quick:
        yield Case("digits, 28 px", digits, small, "grey", steps=2, warmup=1, rounds=1, batch_size=16)
        return
    yield Case("built-in digits, 28 px; resnet_small", digits, small, "grey")
    images, what = small_photos(setting.cifar10, number=10_000)
    photos = as_samples(images)
    yield Case(f"{what}, 32 px; torchvision's resnet18, as in the example", photos, _resnet18(), "photo")
    stem = make_encoder("resnet18", photos).body
    name = f"{what}, 32 px; resnet18 with a stem for small images"
    yield Case(name, photos, stem, "photo", steps=2, warmup=1, rounds=1)


def _resnet18() -> nn.Module:
    """The backbone of lightly's example."""
    from torchvision.models import resnet18

    return nn.Sequential(*list(resnet18().children())[:-1])


def _rows(case: Case) -> list[dict[str, Any]]:
    sides: dict[str, Callable[[], float]] = {
        f"lightly {how}, {workers} workers": partial(_lightly, case, workers, tuned=how == "tuned")
        for how in ("documented", "tuned")
        for workers in WORKERS
    }
    sides["replearn, same views"] = partial(_ours, case, case.views)
    if case.samples.shape[0] == 1:
        sides["replearn, own views"] = partial(_ours, case, None)
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(case.rounds):
        for name, turn in sides.items():
            found[name].append(turn())
            print(f"{case.name}; {name}: {found[name][-1]:.0f} samples/s", file=sys.stderr, flush=True)
    speeds = {name: median(values) for name, values in found.items()}
    best = {
        how: max(v for n, v in speeds.items() if n.startswith(f"lightly {how}"))
        for how in ("documented", "tuned")
    }
    return [
        {
            "images; encoder": case.name,
            "side": name,
            "samples/s": speed,
            "middle half": span(found[name], digits=0),
            "over documented": round(speed / best["documented"], 2),
            "over tuned": round(speed / best["tuned"], 2),
        }
        for name, speed in speeds.items()
    ]


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


def _lightly(case: Case, workers: int, *, tuned: bool) -> float:
    """Samples per second of lightly's recipe."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lightly.loss import NTXentLoss
        from lightly.models.modules import SimCLRProjectionHead
        from lightly.transforms.simclr_transform import SimCLRTransform

    shape = case.samples.shape
    known = (
        {"normalize": {"mean": [0.13], "std": [0.31]}} if shape[0] == 1 else {}
    )  # its default has three channels
    transform = SimCLRTransform(input_size=shape[1], gaussian_blur=0.0, **known)
    loader = DataLoader(
        Pictures(case.images, transform),
        batch_size=case.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
    )
    backbone = deepcopy(case.encoder).to(
        memory_format=torch.channels_last if tuned else torch.contiguous_format
    )
    model = nn.Sequential(
        backbone, nn.Flatten(), SimCLRProjectionHead(_width(backbone, shape), HIDDEN, DIM)
    ).train()
    criterion = NTXentLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)

    def step(views: list[Tensor]) -> Tensor:
        a, b = (view.to(memory_format=torch.channels_last) if tuned else view for view in views)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=tuned):
            loss: Tensor = criterion(model(a), model(b))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    clock = Clock(case)
    total = torch.zeros(())
    try:
        while True:
            for batch in loader:
                total += step(batch[0])
                clock.tick()
    except Enough:
        return clock.samples_per_second


def _ours(case: Case, views: str | None) -> float:
    """Samples per second of `SimCLR.fit`."""
    clock = Clock(case)
    method = WatchedSimCLR(
        encoder=case.encoder,
        views=views,
        hidden=HIDDEN,
        dim=DIM,
        batch_size=case.batch_size,
        optimizer="sgd",
        learning_rate=RATE,
        epochs=100,
    )
    fit_watched(method, case.samples, clock.tick)
    return clock.samples_per_second


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


def _width(backbone: nn.Module, shape: tuple[int, ...]) -> int:
    with torch.no_grad():
        return int(deepcopy(backbone).eval()(torch.zeros(2, *shape)).flatten(1).shape[1])
