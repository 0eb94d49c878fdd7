"""Fine-tuning with few labels against the linear probe: digits, an encoder that SimCLR trained for half a CPU minute.

    python benchmarks/tuning_few.py --folder FOLDER                   80 labels, two seeds, judged on the test part
    python benchmarks/tuning_few.py --folder FOLDER --labels 800 --part validation

SimCLR (resnet_tiny, two epochs of 5,600 training samples, batches of 128) is kept in FOLDER, a run per seed. Labels are
drawn among those 5,600, of each class as many; the other 2,400 are the validation part, by which defaults were chosen.
Each row prints its accuracy, CPU seconds and steps.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import replearn
from replearn.evaluate import linear_probe
from replearn.transfer import FineTune

POOL = 5600  # training samples to learn from
ROWS: dict[str, dict[str, Any] | None] = {
    "linear probe": None,
    "as before: 10 epochs, encoder_rate 0.05": {"epochs": 10, "encoder_rate": 0.05},
    "FineTune()": {},
    'FineTune(views="auto")': {"views": "auto"},
    'FineTune(views="auto", momentum=0.99)': {"views": "auto", "momentum": 0.99},
    'FineTune(views="auto", least_steps=1000)': {"views": "auto", "least_steps": 1000},
}


def main() -> None:
    """Measure row by row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where SimCLR's runs are kept")
    parser.add_argument("--labels", type=int, default=80)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--part", choices=["test", "validation"], default="test")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    train = replearn.load_data("digits", split="train")
    pool, rest = train.subset(np.arange(POOL)), train.subset(np.arange(POOL, len(train)))
    held = rest if asked.part == "validation" else replearn.load_data("digits", split="test")
    for seed in asked.seeds:
        run = trained(pool, asked.folder / f"simclr-{seed}", seed)
        few = pool.subset(drawn(pool.labels, asked.labels // 10, seed))
        for name, fields in ROWS.items():
            began = time.process_time()
            accuracy, steps = judged(run, few, held, fields, seed)
            took = time.process_time() - began
            print(
                f"{asked.labels} labels, seed {seed}: {name:<42}{accuracy:.3f}  {took:4.0f} s  {steps:,} steps",
                flush=True,
            )


def drawn(labels: np.ndarray, each: int, seed: int) -> np.ndarray:
    """Positions of so many samples of each class."""
    draw = np.random.default_rng(seed)
    return np.sort(np.concatenate([draw.permutation(np.flatnonzero(labels == c))[:each] for c in range(10)]))


def trained(pool: Any, run: Path, seed: int) -> Path:
    """The run of SimCLR, made if it is not there."""
    method = replearn.SimCLR(encoder="resnet_tiny", epochs=2, batch_size=128, device="cpu", random_state=seed)
    method.fit(pool, run=run, resume=True)
    return run


def judged(run: Path, few: Any, held: Any, fields: dict[str, Any] | None, seed: int) -> Sequence[Any]:
    """Accuracy, and steps of a training."""
    if fields is None:
        method = replearn.load(run)
        found = linear_probe(method.transform(few), few.labels, method.transform(held), held.labels)
        return found.accuracy, 0
    model = FineTune(encoder=str(run), device="cpu", random_state=seed, **fields).fit(few, few.labels)
    return model.score(held, held.labels), model.steps_[0]


if __name__ == "__main__":
    main()
