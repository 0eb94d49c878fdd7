"""Boxes and masks on generated scenes, by encoders that were trained without labels and by others.

    python benchmarks/surgery.py                              every row, seeds 0, 1 and 2
    python benchmarks/surgery.py detect --seeds 0             one task
    python benchmarks/surgery.py --scenes 50 --minutes 2      50 labelled scenes, two CPU minutes each

A row is a task, an encoder and what learns of it. `random`: weights as they are drawn; `simclr`: SimCLR on crops of
unlabelled scenes; `supervised`: a classifier of labelled crops. An encoder is trained once for a seed, for `--pretrain`
CPU minutes, which are not counted among the row's `--minutes`. Epochs are whole ones, as many as take about so long by
the pace of the first steps. Emoji of the test scenes were never seen. Each row is a process of its own, on one thread.
Results: `benchmarks/results/surgery.json` and `surgery.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
from record import machine
from watched import Enough, fit_watched

TASKS = ("detect", "segment")
ENCODERS = ("random", "simclr", "supervised")
TRAINED = ("full", "frozen")
KEY = ("task", "encoder", "trained", "scenes", "minutes", "pretrain", "seed")
FIRST, MANY = 20, 1000  # steps by which the pace is measured, of a training of many epochs
UNLABELLED, TEST, SIDE = 2000, 300, 32  # scenes, and the side of a crop
OF = {"unlabelled": 1_000, "test": 2_000}  # added to the seed of scenes
HEAD, USED = ("encoder", "learns", "seeds"), ("epochs", "CPU s")


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"task": task, "encoder": encoder, "trained": trained, "scenes": asked.scenes}
        | {"minutes": asked.minutes, "pretrain": asked.pretrain, "seed": seed}
        for seed in asked.seeds
        for task in asked.tasks or TASKS
        for encoder in asked.encoders
        for trained in asked.trained
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("tasks", nargs="*", help="detect or segment; none: both")
    parser.add_argument("--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS))
    parser.add_argument("--trained", nargs="+", choices=TRAINED, default=list(TRAINED))
    parser.add_argument("--scenes", type=int, default=200, help="with labels")
    parser.add_argument("--minutes", type=float, default=5.0, help="of CPU time for each row")
    parser.add_argument("--pretrain", type=float, default=5.0, help="of CPU time for each encoder")
    parser.add_argument(
        "--keep", type=Path, default=Path("runs/surgery"), help="folder of the runs, of encoders and rows"
    )
    asked = parser.parse_args()
    if not set(asked.tasks) <= set(TASKS):
        parser.error(f"tasks must be {' or '.join(TASKS)}; got {' '.join(asked.tasks)}")
    return asked


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"encoders": wanted["encoder"], "trained": wanted["trained"], "seeds": wanted["seed"]}
    given |= {"scenes": asked.scenes, "minutes": asked.minutes, "pretrain": asked.pretrain}
    return rows.command_line(__file__, wanted["task"], **given, keep=asked.keep)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: learn from labelled scenes, score on others."""
    import torch

    from replearn import Detector, Segmenter, make_scenes

    torch.set_num_threads(1)
    (task,), (encoder,), (trained,), (seed,) = asked.tasks, asked.encoders, asked.trained, asked.seeds
    learned = make_scenes(asked.scenes, random_state=seed, split="train")
    cls = {"detect": Detector, "segment": Segmenter}[task]
    fields = {
        "encoder": start(asked, encoder, seed),
        "trained": trained,
        "random_state": seed,
        "device": "cpu",
    }
    epochs = paced(cls, fields, learned, asked.minutes)
    began = time.process_time()
    run = asked.keep / f"{task}-{encoder}-{trained}-{asked.scenes}-{asked.minutes:g}-{seed}"
    model = cls(**fields, epochs=epochs).fit(learned, run=run)
    used = time.process_time() - began
    scores = model.scores(make_scenes(TEST, random_state=OF["test"] + seed, split="test"))
    return scores | {"epochs": epochs, "CPU s": used, "machine": machine()}


def start(asked: argparse.Namespace, name: str, seed: int) -> str:
    """The encoder to begin with: a name, or a run, which is trained where it is not there."""
    from replearn import SimCLR, Supervised

    if name == "random":
        return "resnet_tiny"
    run = asked.keep / f"{name}-{seed}-{asked.pretrain:g}"
    if not (run / "weights.safetensors").exists():
        cls, samples = {
            "simclr": (SimCLR, unlabelled_crops),
            "supervised": (Supervised, labelled_crops),
        }[name]
        crops = samples(asked, seed)
        fields = {"encoder": "resnet_tiny", "random_state": seed, "device": "cpu"}
        cls(**fields, epochs=paced(cls, fields, crops, asked.pretrain)).fit(crops, run=run)
    return str(run)


def unlabelled_crops(asked: argparse.Namespace, seed: int) -> Any:
    """Crops of scenes that no labels are known of, three of each, wherever they lie."""
    from replearn import make_scenes
    from replearn.data import ArraySamples

    scenes = make_scenes(UNLABELLED, random_state=OF["unlabelled"] + seed, split="train")
    rng = np.random.default_rng(seed)
    places = rng.integers(0, scenes.shape[1] - SIDE + 1, size=(len(scenes), 3, 2))
    crops = [scenes.x[i, :, y : y + SIDE, x : x + SIDE] for i, of in enumerate(places) for y, x in of]
    return ArraySamples(np.stack(crops))


def labelled_crops(asked: argparse.Namespace, seed: int) -> Any:
    """What is in the boxes of the labelled scenes, and its class."""
    from PIL import Image

    from replearn import make_scenes
    from replearn.data import ArraySamples

    scenes = make_scenes(asked.scenes, random_state=seed, split="train")
    crops, labels = [], []
    for image, boxes, of in zip(scenes.x, scenes.boxes, scenes.box_labels, strict=True):
        picture = Image.fromarray(image.transpose(1, 2, 0))
        crops += [
            np.asarray(picture.resize((SIDE, SIDE), box=tuple(box.tolist()))).transpose(2, 0, 1)
            for box in boxes
        ]
        labels += of.tolist()
    return ArraySamples(np.stack(crops), np.array(labels), classes=scenes.classes)


def paced(cls: Any, fields: Mapping[str, Any], samples: Any, minutes: float) -> int:
    """As many epochs as take so many CPU minutes, one at least, by the pace of some steps."""
    times: list[float] = []

    def on_step() -> None:
        times.append(time.process_time())
        if len(times) == FIRST:
            raise Enough

    fit_watched(cls(**fields, epochs=MANY), samples, on_step)
    pace = float(np.median(np.diff(times)[FIRST // 4 :]))
    return max(1, round(60 * minutes / (pace * max(1, len(samples) // min(len(samples), cls.batch_size)))))


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per task, number of scenes and budget."""
    told = ["# Network surgery on generated scenes", ""]
    for (task, scenes, minutes, pretrain), part in pd.DataFrame(found).groupby(
        ["task", "scenes", "minutes", "pretrain"], sort=False
    ):
        used = rows.used_by(part["machine"])
        told += [
            f"## {task}, {scenes} labelled scenes, {minutes:g} CPU minutes",
            "",
            f"`python benchmarks/surgery.py {task} --scenes {scenes} --minutes {minutes:g} --pretrain {pretrain:g}`;",
            f"{used['processor']}, one thread. {TEST} test scenes with unseen emoji. In percent, mean over seeds ±",
            f"their deviation. Encoders were trained for {pretrain:g} CPU minutes before.",
            "",
        ]
        scores = ("ap50", "ap") if task == "detect" else ("miou", "accuracy")
        head = [*HEAD, *(("AP50", "AP") if task == "detect" else ("mIoU", "pixels")), *USED]
        lines = []
        for (encoder, trained), group in part.groupby(["encoder", "trained"], sort=False):
            cells = [rows.cell(group[score], percent=True, spread=True) for score in scores]
            cells += [rows.cell(group[key]) for key in ("epochs", "CPU s")]
            lines.append([str(encoder), str(trained), str(len(group)), *cells])
        told += rows.table(head, lines)
    return "\n".join(told)


if __name__ == "__main__":
    sys.exit(main())
