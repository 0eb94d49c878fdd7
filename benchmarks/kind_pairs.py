"""Do pictures and texts find each other? CLIP beside untrained networks and what is computed by hand.

    python benchmarks/kind_pairs.py                                    emoji and names, seeds 0, 1 and 2, 5 CPU minutes
    python benchmarks/kind_pairs.py --data captions clip --minutes 1   drawn shapes, combinations that were never shown

    hand-made   principal components of pixels, and counts of words, both brought together by ridge regression
    untrained   the networks of CLIP before training
    clip        as given; clip-sigmoid: with SigLIP's loss

Found: how often a test sample's partner is first, or among ten, both ways; equal captions count as one. Zero-shot: of
captions, which of all 324 combinations a test picture shows; of emoji, which category, by the names of its training
samples. Results: `benchmarks/results/kind_pairs.json` and `kind_pairs.md`; a row that lies there is not measured again
(--again does).
"""

import argparse
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import rows
from pretext import epochs
from record import machine

DATA = ("emoji-names", "captions")
ROWS = ("hand-made", "untrained", "clip", "clip-sigmoid")
COMPONENTS, ALPHA = 128, 1.0
KEY = ("data", "method", "seed", "minutes")
SCORES = ("found", "found in 10", "backward", "backward in 10", "zero-shot")


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": asked.data, "method": name, "seed": seed, "minutes": asked.minutes}
        for seed in asked.seeds
        for name in asked.methods or ROWS
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("methods", nargs="*", help=f"none: {', '.join(ROWS)}")
    parser.add_argument("--data", choices=DATA, default="emoji-names")
    parser.add_argument("--minutes", type=float, default=5.0, help="of CPU time for each training")
    return parser.parse_args()


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"seeds": wanted["seed"], "data": wanted["data"], "minutes": wanted["minutes"]}
    return rows.command_line(__file__, wanted["method"], **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train, bring both members of all test samples into one space, judge."""
    import torch

    import replearn

    torch.set_num_threads(1)
    (name,), (seed,) = asked.methods, asked.seeds
    train, test = (replearn.load_data(asked.data, split=part) for part in ("train", "test"))
    told: dict[str, Any] = {}
    if name == "hand-made":
        image, text = by_hand(train, seed)
    else:
        method = made(name, seed, train, asked.minutes)
        image, text = (lambda part, of=of: method.project(part, of=of) for of in ("image", "text"))
        told = {"CPU s": method.used, "epochs": method.epochs} if hasattr(method, "used") else {}
        told |= {"alarms": [str(alarm) for alarm in getattr(getattr(method, "history_", None), "alarms", ())]}
    return {"scores": judged(asked.data, image, text, train, test), "machine": machine()} | told


def made(name: str, seed: int, train: Any, minutes: float) -> Any:
    """CLIP, trained for about so long, or not at all."""
    from replearn import CLIP

    fields: dict[str, Any] = {"random_state": seed, "device": "cpu"}
    if name == "untrained":
        return CLIP(**fields).prepare(train)
    fields |= {"pairing": "sigmoid"} if name == "clip-sigmoid" else {}
    method = CLIP(**fields, epochs=epochs(CLIP, fields, len(train), train, minutes))
    began = time.process_time()
    method.fit(train)
    method.used = time.process_time() - began  # type: ignore[attr-defined]
    return method


def by_hand(train: Any, seed: int) -> tuple[Any, Any]:
    """From pictures, and from texts, to where texts lie: ridge regression from pixels to counts of words."""
    from sklearn.decomposition import PCA
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge

    pixels = PCA(COMPONENTS, whiten=True, random_state=seed)
    x = pixels.fit_transform(train.members["image"].flat())
    words = TfidfVectorizer()
    y = words.fit_transform(train.members["text"].texts).toarray()
    bridge = Ridge(ALPHA * len(x)).fit(x, y)
    texts_of = lambda part: list(part.texts) if hasattr(part, "texts") else list(part)  # noqa: E731
    return (
        lambda part: bridge.predict(pixels.transform(part.flat())),
        lambda part: words.transform(texts_of(part)).toarray() + 1e-9,
    )


def judged(data: str, image: Any, text: Any, train: Any, test: Any) -> dict[str, float]:
    """Recall of partners, and classes by what they are called."""
    from replearn.evaluate import retrieval

    texts = list(test.members["text"].texts)
    same = np.unique(texts, return_inverse=True)[1]
    a, b = image(test.members["image"]), text(test.members["text"])
    first = np.unique(same, return_index=True)[1]
    there, back = retrieval(a, b[first], wanted=same), retrieval(b, a, same=same)
    if data == "captions":
        names = sorted({*train.members["text"].texts, *texts})
        found = (unit(a) @ unit(text(names)).T).argmax(1)
        right = np.mean([names[place] == told for place, told in zip(found, texts, strict=True)])
    else:
        z, labels = unit(text(train.members["text"])), train.labels
        means = np.stack([z[labels == label].mean(0) for label in range(len(train.classes))])
        right = np.mean((unit(a) @ unit(means).T).argmax(1) == test.labels)
    recalls = (there["recall@1"], there["recall@10"], back["recall@1"], back["recall@10"])
    return dict(zip(SCORES, map(float, (*recalls, right)), strict=True))


def unit(x: np.ndarray) -> np.ndarray:
    """Rows of length 1."""
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12))


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per data set and budget."""
    told = ["# Pairs", ""]
    for (data, minutes), part in pd.DataFrame(found).groupby(["data", "minutes"], sort=False):
        told += [
            f"## {data}, {minutes:g} CPU minutes",
            "",
            f"`python benchmarks/kind_pairs.py --data {data} --minutes {minutes:g}`; "
            f"{rows.used_by(part['machine'])['processor']}, one thread.",
            "Percent of test samples, mean over seeds ± their deviation, last step. Found: the text of a picture is",
            "first, or among ten; backward: the picture of a text.",
            "",
        ]
        told += rows.table(
            ["row", "seeds", *SCORES, "CPU s"],
            [
                [str(name), str(len(group)), *cells(group)]
                for name, group in part.groupby("method", sort=False)
            ],
        )
    return "\n".join(told)


def cells(group: pd.DataFrame) -> list[str]:
    """Scores of a row, and its time."""
    scores = [
        rows.cell(pd.Series([row[name] for row in group["scores"]]), percent=True, spread=True)
        for name in SCORES
    ]
    used = rows.cell(group["CPU s"]) if "CPU s" in group and group["CPU s"].notna().any() else ""
    return [*scores, used]


if __name__ == "__main__":
    sys.exit(main())
