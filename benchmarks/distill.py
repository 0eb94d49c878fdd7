"""What a large network says, taught to a small one without labels.

    python benchmarks/distill.py digits --seeds 0
    python benchmarks/distill.py texts --folder FOLDER --seeds 0

`digits`: the teacher is `resnet_tiny`, trained by SimCLR for --pretrain epochs; the student is `cnn`, for --epochs.
`texts`: the teacher is a folder of a sentence encoder as the Hugging Face libraries write it, the student `words`, a
vector per token, whose mean stands for a text; texts are the first 30 words of --texts of python-manual's training
part, and of its test part. A row is a set and a seed: kNN, and linear probes on 10 % of the labels (mean of five draws)
and on all, of the teacher, of the student, of the same network untrained and trained by SimCLR about as long (digits),
and of features made by hand. Results: `benchmarks/results/distill.json` and `distill.md`; a row that lies there is not
measured again (--again does).
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

SETS = {"digits": "digits", "texts": "python-manual"}
WORDS = 30
MADE = {
    "teacher": "teacher",
    "student": "student, `Distill`",
    "alone": "the same network, SimCLR",
    "untrained": "the same network, untrained",
    "by hand": "features made by hand (of texts: a bag of words)",
}


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = ({"data": data, "seed": seed} for data in asked.data or SETS for seed in asked.seeds)
    return rows.main(asked, measure, wanted, command, markdown, key=("data", "seed"))


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("data", nargs="*", choices=[[], *SETS], help="none: both")
    parser.add_argument("--folder", type=Path, help="of a sentence encoder")
    parser.add_argument("--texts", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=0, help="of students; 0: 8 of digits, 30 of texts")
    parser.add_argument("--pretrain", type=int, default=8, help="epochs of the teacher of digits")
    parser.add_argument("--keep", type=Path, default=Path("runs/distill"), help="folder of the runs")
    asked = parser.parse_args()
    if asked.folder is None and "texts" in (asked.data or SETS):
        parser.error("texts need --folder, of a sentence encoder")
    return asked


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {
        "seeds": wanted["seed"],
        "texts": asked.texts,
        "epochs": asked.epochs,
        "pretrain": asked.pretrain,
    }
    folder = {} if asked.folder is None else {"folder": asked.folder}
    return rows.command_line(__file__, wanted["data"], **given, **folder, keep=asked.keep)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: teacher, student, and what they are beside."""
    import torch

    from replearn import Distill, Frozen, SimCLR, load_data
    from replearn.comparison.rows import hand_made, raw_input

    torch.set_num_threads(1)
    (data,), (seed,) = asked.data, asked.seeds
    train, test = (load_data(SETS[data], split=part) for part in ("train", "test"))
    fields: dict[str, Any] = {"random_state": seed, "device": "cpu"}
    if data == "texts":
        train = train.subset(np.random.default_rng(seed).permutation(len(train))[: asked.texts])
        train, test = (shortened(part) for part in (train, test))
        teacher, spec = Frozen(encoder=f"hf:{asked.folder}", device="cpu").fit(train), f"hf:{asked.folder}"
        small = {"encoder": "words", "batch_size": 64}
    else:
        run = asked.keep / f"teacher-{seed}-{asked.pretrain}"
        teacher, spec = SimCLR(encoder="resnet_tiny", epochs=asked.pretrain, **fields), str(run)
        teacher.fit(train, run=run, resume=True)
        small = {"encoder": "cnn"}
    made = {"teacher": judged(teacher, train, test, seed)}
    epochs = asked.epochs or {"texts": 30, "digits": 8}[data]
    student = Distill(teacher=spec, epochs=epochs, **small, **fields)
    made["untrained"] = judged(student.prepare(train), train, test, seed)
    began = time.process_time()
    student.fit(train)
    used = {"student": time.process_time() - began}
    made["student"] = judged(student, train, test, seed)
    if data == "digits":
        began = time.process_time()
        alone = SimCLR(epochs=max(1, epochs // 2), **small, **fields).fit(train)
        used["alone"] = time.process_time() - began
        made["alone"] = judged(alone, train, test, seed)
    hand = hand_made(train, test, random_state=seed) or raw_input(train, test)
    made["by hand"] = scores(hand.train, hand.test, train, test, seed)
    made |= {name: made[name] | {"CPU s": seconds} for name, seconds in used.items()}
    sizes = {name: size_of(method) for name, method in (("teacher", teacher), ("student", student))}
    return {"epochs": epochs, "weights": sizes, "train": len(train), "scores": made, "machine": machine()}


def shortened(samples: Any) -> Any:
    """The first words of texts."""
    from replearn import as_samples

    return as_samples([" ".join(text.split()[:WORDS]) for text in samples.texts], samples.labels)


def judged(method: Any, train: Any, test: Any, seed: int) -> dict[str, float]:
    """Scores of a fitted method, and what a sample takes."""
    began = time.process_time()
    both = method.transform(train), method.transform(test)
    took = 1e3 * (time.process_time() - began) / (len(train) + len(test))
    return scores(*both, train, test, seed) | {"ms": took}


def scores(own: np.ndarray, other: np.ndarray, train: Any, test: Any, seed: int) -> dict[str, float]:
    """kNN, and linear probes on some of the labels."""
    from replearn.evaluate import few_label_curve, knn_probe

    curve = few_label_curve(
        own, train.labels, other, test.labels, fractions=(0.1, 1.0), draws=5, random_state=seed
    )
    found = {str(row.setting): float(row.mean) for row in curve.itertuples()}
    return {"kNN": float(knn_probe(own, train.labels, other, test.labels))} | found


def size_of(method: Any) -> int:
    return sum(weight.numel() for weight in method.encoder_.parameters())


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per set."""
    told = ["# A large network's features, taught to a small one", ""]
    for data, part in pd.DataFrame(found).groupby("data", sort=False):
        sizes = part["weights"].iloc[0]
        told += [
            f"## {SETS[str(data)]}",
            "",
            f"`python benchmarks/distill.py {data}`; {rows.used_by(part['machine'])['processor']}, one thread.",
            f"{part['train'].iloc[0]:,} samples without labels, {part['epochs'].iloc[0]} epochs; teacher of "
            f"{sizes['teacher']:,} weights, student of {sizes['student']:,}.",
            "Test accuracy in percent, mean over seeds; CPU seconds of training, the teacher's answers included;",
            "milliseconds to represent a sample.",
            "",
        ]
        told += rows.table(
            ["", "seeds", "kNN", "10 %", "100 %", "CPU s", "ms a sample"],
            [
                line(MADE[name], [row[name] for row in part["scores"]])
                for name in MADE
                if name in part["scores"].iloc[0]
            ],
        )
        told += [""]
    return "\n".join(told)


def line(name: str, of: list[dict[str, float]]) -> list[str]:
    """A line of a table."""
    frame = pd.DataFrame(of).reindex(columns=["kNN", "10 %", "100 %", "CPU s", "ms"])
    means = frame.mean()
    shares = [f"{100 * means[key]:.1f}" for key in ("kNN", "10 %", "100 %")]
    costs = ["" if np.isnan(means[key]) else f"{means[key]:.3g}" for key in ("CPU s", "ms")]
    return [name, str(len(of)), *shares, *costs]


if __name__ == "__main__":
    sys.exit(main())
