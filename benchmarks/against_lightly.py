"""SimCLR in samples per second, against lightly's documented recipe.

The recipe is lightly's own example (examples/pytorch/simclr.py, and the page on SimCLR of its documentation):
PIL images through `SimCLRTransform(input_size=..., gaussian_blur=0.0)` in a `DataLoader` of batch 256,
`SimCLRProjectionHead`, `NTXentLoss`, a plain loop with SGD. Both sides train the same encoder with a head
of the same widths on the same images in one run, by turns. lightly gets its better number of loader
workers of 0 and 2 (meant for two cores), and a second chance as a careful user would tune it: channels-last
memory and bfloat16.
"""

import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from statistics import median
from typing import Any

import torch
from pictures import small_photos
from record import Part, Setting, span
from torch import Tensor, nn
from turns import GOAL, WORKERS, Case, fit_turn, loop_turn, require_lightly, take_turns

from replearn import as_samples, load_data, make_encoder
from replearn.methods import SimCLR

HIDDEN, DIM, RATE = 512, 128, 0.06  # of lightly's example


def measure(setting: Setting) -> Part:
    """Samples per second of both, and their ratio."""
    require_lightly()
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
    found = take_turns(case, sides)
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


def _lightly(case: Case, workers: int, *, tuned: bool) -> float:
    """Samples per second of lightly's recipe."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lightly.loss import NTXentLoss
        from lightly.models.modules import SimCLRProjectionHead
        from lightly.transforms.simclr_transform import SimCLRTransform

    transform = SimCLRTransform(input_size=case.side, gaussian_blur=0.0, **case.normalize)
    backbone = deepcopy(case.encoder).to(
        memory_format=torch.channels_last if tuned else torch.contiguous_format
    )
    model = nn.Sequential(backbone, nn.Flatten(), SimCLRProjectionHead(case.width, HIDDEN, DIM)).train()
    criterion = NTXentLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)

    def step(views: list[Tensor], epoch: int) -> Tensor:
        a, b = (view.to(memory_format=torch.channels_last) if tuned else view for view in views)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=tuned):
            loss: Tensor = criterion(model(a), model(b))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    return loop_turn(case, workers, transform, step)


def _ours(case: Case, views: str | None) -> float:
    """Samples per second of `SimCLR.fit`."""
    method = SimCLR(
        encoder=case.encoder,
        views=views,
        hidden=HIDDEN,
        dim=DIM,
        batch_size=case.batch_size,
        optimizer="sgd",
        learning_rate=RATE,
        epochs=100,
    )
    return fit_turn(case, method)
