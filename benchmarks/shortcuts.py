"""What pretext tasks on tiles come to when a guard against shortcuts is taken off, at equal steps.

    python benchmarks/shortcuts.py                    digits: each method with every guard, without each, without all
    python benchmarks/shortcuts.py --data cifar10     the same for 5,000 of CIFAR-10's training images
    python benchmarks/shortcuts.py jigsaw --off gap   some of it

A task that is solved much better without a guard was solved by what the guard hides. What the features are worth is
beside it: kNN by the layer that the method represents by. Accuracies of a task compare
with its own row `nothing`, trained and asked with the same views. Without the gap, tiles of the same size are cut edge
to edge from the middle of the image. Results: `benchmarks/results/shortcuts.json` and `shortcuts.md`.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pictures
import pretext
import rows
from record import machine

METHODS = ("relativepatch", "jigsaw")
GUARDS = ("nothing", "gap", "jitter", "levelling", "colour", "all")  # what is taken off
NOT_OF_GREY = ("colour",)
TRAIN, TEST = 5_000, 1_000


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": asked.data, "method": name, "off": off, "seed": seed} | terms(asked)
        for seed in asked.seeds
        for name in asked.methods or METHODS
        for off in asked.off or GUARDS
        if asked.data != "digits" or off not in NOT_OF_GREY
    )
    return rows.main(
        asked, measure, wanted, command, markdown, key=("data", "method", "off", "seed", "steps")
    )


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__, seeds=(0,))
    parser.add_argument("methods", nargs="*", help=f"some of {', '.join(METHODS)}; none: all")
    parser.add_argument("--data", choices=pretext.DATA, default="digits")
    parser.add_argument(
        "--off", nargs="+", choices=GUARDS, help="guards that are taken off; unless given: each"
    )
    parser.add_argument("--steps", type=int, default=160)
    parser.add_argument("--encoder", default="cnn", help="small, so that a row takes less than a minute")
    parser.add_argument("--cifar10", type=Path, default=pictures.CIFAR10)
    return parser.parse_args()


def terms(asked: argparse.Namespace) -> dict[str, Any]:
    """What must be alike for rows to compare."""
    return {"steps": asked.steps, "encoder": asked.encoder}


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"seeds": wanted["seed"], "data": wanted["data"], "cifar10": asked.cifar10, "off": wanted["off"]}
    given |= {"steps": wanted["steps"], "encoder": wanted["encoder"]}
    return rows.command_line(__file__, wanted["method"], **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train without a guard, ask as it was trained, judge the features."""
    import torch

    from replearn.evaluate import knn_probe
    from replearn.methods import find_method
    from replearn.views import default_views

    torch.set_num_threads(1)
    (name,), (seed,), (off,) = asked.methods, asked.seeds, asked.off
    train, test = (
        few(part, number) for part, number in zip(pretext.samples(asked), (TRAIN, TEST), strict=True)
    )
    cls = find_method(name).cls
    epochs = max(1, round(asked.steps * cls.batch_size / len(train)))
    views = without(default_views(train, "tiles"), off, train.shape[1:])
    method = cls(random_state=seed, device="cpu", encoder=asked.encoder, epochs=epochs, views=views)
    began = time.process_time()
    method.fit(train)
    used = time.process_time() - began
    own = pretext.own(method, test)
    labels = np.asarray(train.labels), np.asarray(test.labels)
    return {
        "kNN": float(knn_probe(method.transform(train), labels[0], method.transform(test), labels[1])),
        "accuracy": own["pretext_accuracy"],
        "chance": own["chance"],
        "CPU s": used,
        "machine": machine(),
    }


def few(samples: Any, number: int) -> Any:
    """So many of the samples, the same at each call."""
    return samples.subset(np.sort(np.random.default_rng(0).permutation(len(samples))[:number]))


def without(views: Any, off: str, size: Sequence[int]) -> Any:
    """Tiles without a guard, `nothing` or `all`."""
    from replearn.views import Chain, ChannelJitter, Same

    if off in ("jitter", "all"):
        views = replace(views, jitter=0.0)
    if off in ("levelling", "all"):
        views = replace(views, levelled=False)
    if off in ("colour", "all"):
        views = replace(
            views, each=Chain(*[view for view in views.each.views if not isinstance(view, ChannelJitter)])
        )
    if off == "all":
        views = replace(views, each=Same())
    if off in ("gap", "all"):
        views = replace(views, share=1.0, jitter=0.0, view=Chain(views.view, middle(views, size)))
    return views


def middle(tiles: Any, size: Sequence[int]) -> Any:
    """A view of as much of the image's middle as such tiles fill that lie edge to edge."""
    from replearn.views import View
    from replearn.views.tiles import tile_side

    whole = [tiles.grid * tile_side(side, tiles.grid, tiles.share) for side in size]
    rows_, columns = (
        slice((side - part) // 2, (side - part) // 2 + part) for side, part in zip(size, whole, strict=True)
    )

    class Middle(View):
        def __call__(self, batch: Any) -> Any:
            return batch.with_x(batch.x[:, :, rows_, columns])

    return Middle()


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per data set and number of steps: a line for what was taken off."""
    told = ["# Shortcuts", ""]
    for (data, steps), part in pd.DataFrame(found).groupby(["data", "steps"], sort=False):
        used = rows.used_by(part["machine"])
        told += [
            f"## {data}, {steps} steps",
            "",
            f"`python benchmarks/shortcuts.py --data {data} --steps {steps}`; {used['processor']}, one thread.",
            f"{TRAIN:,} training images, {part['seed'].nunique()} seed(s), encoder {part['encoder'].iloc[-1]}.",
            "Task: how often it is solved on test images, in percent, guarded as in training. kNN: of labels of whole",
            "images, by the layer that the method represents by.",
            "",
        ]
        head = ["method", "without", "task", "by chance", "kNN", "CPU s"]
        groups = part.groupby(["method", "off"], sort=False)
        told += rows.table(head, [line(str(name), str(off), group) for (name, off), group in groups])
        told += [""]
    return "\n".join(told)


def line(name: str, off: str, group: pd.DataFrame) -> list[str]:
    """A line of the table."""
    shown = (rows.cell(group[key], percent=True, spread=True) for key in ("accuracy", "chance", "kNN"))
    return [name, off, *shown, rows.cell(group["CPU s"])]


if __name__ == "__main__":
    sys.exit(main())
