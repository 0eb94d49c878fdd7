"""Compare methods by tasks of a few samples of classes that they have not seen, at equal CPU time.

    python benchmarks/episodes.py                                 glyphs of unseen scripts, every method
    python benchmarks/episodes.py protonet simclr --data omniglot

Each training is a process of its own, on one thread, with the method's defaults (ProtoNet: 30-way; Supervised: with
ProtoNet's views and learning rate); its epochs are whole ones, as many as take about `--minutes` of CPU time by the
pace of its first steps: read what was used (`CPU s`). Then nothing is trained on the new classes: 600 episodes are
drawn from them, the same for all rows, and told by the nearest centroid of representations, by Euclid's distance and by
centred cosine. Methods of an inner loop take five steps of it on each task, too (`own`).

`--data glyphs`: letters of 14 scripts to train, of 3 others to test (3 more, drawn with them, are left to choose by).
`--data omniglot`: characters of the alphabets of small1 to train, of those of small2 that small1 has not to test.
Results: `benchmarks/results/episodes.json` and `episodes.md`; a row that lies there is not measured again (--again
does).
"""

import argparse
import io
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
from pretext import epochs
from record import machine

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
FILES = {"glyphs": SHARED / "ship" / "glyphs.npz", "omniglot": SHARED / "bench" / "omniglot.zip"}
QUERIES = {"glyphs": 7, "omniglot": 15}  # of each class, beside five shots: all that there are
TRAINED = ("protonet", "maml", "anil", "reptile", "simclr", "supervised")
METHODS = ("raw", "untrained", *TRAINED)
SETTINGS = ((5, 1), (5, 5), (20, 1), (20, 5))
METRICS = ("euclidean", "cosine")
KEY = ("data", "method", "seed", "minutes", "encoder")
SIDE = 28
SCRIPTS = np.random.default_rng(0).permutation(20)
TRAIN_SCRIPTS, TEST_SCRIPTS = SCRIPTS[:14], SCRIPTS[17:]  # those between: to choose by
FIELDS: dict[str, dict[str, Any]] = {"protonet": {"way": 30}, "supervised": {"learning_rate": 4e-3}}
HEAD = ("method", "by", *[f"{way}-way {shots}-shot" for way, shots in SETTINGS], "own", "epochs", "CPU s")


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": asked.data, "method": name, "seed": seed, "minutes": asked.minutes, "encoder": asked.encoder}
        for seed in asked.seeds
        for name in asked.methods or METHODS
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__, seeds=(0,))
    parser.add_argument("methods", nargs="*", help=f"of {', '.join(METHODS)}; none: all")
    parser.add_argument("--data", choices=tuple(FILES), default="glyphs")
    parser.add_argument("--file", type=Path, help="where the data lie")
    parser.add_argument("--minutes", type=float, default=0.5, help="of CPU time for each training")
    parser.add_argument("--encoder", default="resnet_tiny")
    parser.add_argument("--episodes", type=int, default=600)
    parser.add_argument("--adapted", type=int, default=100, help="episodes to which weights are adapted")
    asked = parser.parse_args()
    asked.file = asked.file or FILES[asked.data]
    if not asked.file.is_file():
        parser.error(f"--file must name {asked.data}; {asked.file} is not there.")
    return asked


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {
        name: getattr(asked, name) for name in ("data", "file", "minutes", "encoder", "episodes", "adapted")
    }
    return rows.command_line(__file__, wanted["method"], seeds=wanted["seed"], **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train on some classes, represent samples of others, judge by episodes."""
    import torch

    from replearn.methods import find_method
    from replearn.views import default_views

    torch.set_num_threads(1)
    (name,), (seed,) = asked.methods, asked.seeds
    train, test = samples(asked.data, asked.file)
    if name == "raw":
        return scores(asked, test.flat(), test.labels) | {"machine": machine()}
    cls = find_method("protonet" if name == "untrained" else name).cls
    fields = {"random_state": seed, "device": "cpu", "encoder": asked.encoder} | FIELDS.get(name, {})
    if name == "supervised":
        fields["views"] = default_views(train, "weak")
    blank = cls(**fields).prepare(train)
    if name == "untrained":
        return scores(asked, blank.transform(test), test.labels) | {"machine": machine()}
    method = cls(**fields, epochs=epochs(cls, fields, len(train), train, asked.minutes))
    began = time.process_time()
    method.fit(train)
    used = time.process_time() - began
    return scores(asked, method.transform(test), test.labels) | {
        "own": own(asked, method, test),
        "epochs": method.epochs,
        "CPU s": used,
        "alarms": [str(alarm) for alarm in method.history_.alarms],
        "machine": machine(),
    }


def scores(asked: argparse.Namespace, found: Any, labels: Any) -> dict[str, Any]:
    """Mean accuracy and half of its interval, by metric and setting."""
    from replearn.evaluate import episodes

    told: dict[str, Any] = {"queries": QUERIES[asked.data], "episodes": asked.episodes}
    for metric in METRICS:
        for way, shots in SETTINGS:
            score = episodes(
                found,
                labels,
                way=way,
                shots=shots,
                queries=QUERIES[asked.data],
                n=asked.episodes,
                metric=metric,
            )
            told[f"{metric} {way} {shots}"] = [score.accuracy, (score.high - score.low) / 2]
    return told


def samples(data: str, file: Path) -> tuple[Any, Any]:
    """Samples of the classes to train on, and of those to test by."""
    return glyphs(file) if data == "glyphs" else omniglot(file)


def glyphs(file: Path) -> tuple[Any, Any]:
    """Letters of some scripts, and of others."""
    from replearn import as_samples

    with np.load(file, allow_pickle=False) as stored:
        images = np.unpackbits(stored["packed"], axis=1, count=SIDE * SIDE).reshape(
            -1, 1, SIDE, SIDE
        ) * np.uint8(255)
        label, script = stored["label"].astype(np.int64), stored["script"]
    parts = (np.isin(script, scripts) for scripts in (TRAIN_SCRIPTS, TEST_SCRIPTS))
    train, test = (as_samples(images[part], label[part]) for part in parts)
    return train, test


def omniglot(file: Path) -> tuple[Any, Any]:
    """Characters of the alphabets of small1, and of those of small2 that it has not, in white on black."""
    from PIL import Image, ImageOps

    from replearn import as_samples

    found: dict[str, dict[str, list[Any]]] = {}
    with zipfile.ZipFile(file) as archive:
        for name in sorted(archive.namelist()):
            part, *rest = name.split("/")
            if part.startswith("images_background_small") and name.endswith(".png"):
                image = ImageOps.invert(Image.open(io.BytesIO(archive.read(name))).convert("L"))
                pixels = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))
                images, labels = found.setdefault(part[-1], {"images": [], "labels": []}).values()
                images.append(pixels)
                labels.append("/".join(rest[:2]))
    known = {label.partition("/")[0] for label in found["1"]["labels"]}
    new = [label.partition("/")[0] not in known for label in found["2"]["labels"]]
    test = np.stack(found["2"]["images"])[new], np.array(found["2"]["labels"])[new]
    return as_samples(np.stack(found["1"]["images"])[:, None], found["1"]["labels"]), as_samples(
        test[0][:, None], test[1]
    )


def own(asked: argparse.Namespace, method: Any, test: Any) -> dict[str, list[float]]:
    """Accuracy, and half of its interval, where weights are adapted to each task of as many classes as they know."""
    from replearn.engine.episodes import Episodes
    from replearn.evaluate import student_interval

    if not hasattr(method, "adapt"):
        return {}
    told = {}
    for shots in (1, 5):
        order = Episodes(test.labels, method.way, shots + QUERIES[asked.data], asked.adapted)
        found = []
        for episode in order(epoch=0).reshape(asked.adapted, -1):
            cut = shots * method.way
            answers = method.adapt(test.subset(episode[:cut]), test.subset(episode[cut:]), steps=5).argmax(1)
            found.append(float((answers == np.arange(len(answers)) % method.way).mean()))
        low, high = student_interval(found)
        told[f"{method.way}w{shots}s"] = [float(np.mean(found)), (high - low) / 2]
    return told


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per data set and budget."""
    told = ["# Few samples of new classes", ""]
    for (data, minutes, encoder), part in pd.DataFrame(found).groupby(
        ["data", "minutes", "encoder"], sort=False
    ):
        used, n = rows.used_by(part["machine"]), part["episodes"].iloc[-1]
        told += [
            f"## {data}, {minutes:g} CPU minute{'s' * (minutes != 1)}",
            "",
            f"`python benchmarks/episodes.py --data {data} --minutes {minutes:g} --encoder {encoder}`;",
            f"{used['processor']}, one thread. Accuracy in percent by the nearest centroid, over {n} episodes",
            f"of classes that no row was trained on, {part['queries'].iloc[-1]} queries of each; ± half of a 95 %",
            f"interval of the draws of episodes; trainings of each method: {part['seed'].nunique()}. Own: by weights",
            "that were adapted to the shots of each task.",
            "",
        ]
        told += rows.table(
            HEAD, [line for name, group in part.groupby("method", sort=False) for line in lines(name, group)]
        )
    return "\n".join(told)


def lines(name: Any, group: pd.DataFrame) -> list[list[str]]:
    """A method's lines: one for each metric."""
    found = []
    for metric in METRICS:
        cells = [cell(group[f"{metric} {way} {shots}"]) for way, shots in SETTINGS]
        mine = [row for row in group.get("own", []) if isinstance(row, dict) and row]
        told = "; ".join(
            f"{key} {cell(pd.Series([row[key] for row in mine]))}" for key in (mine[0] if mine else {})
        )
        numbers = [rows.cell(group[key]) if key in group else "" for key in ("epochs", "CPU s")]
        first = metric == METRICS[0]
        found.append([str(name), metric, *cells, *((told, *numbers) if first else ("", "", ""))])
    return found


def cell(values: "pd.Series[Any]") -> str:
    """A mean in percent with half of its interval; over several seeds the mean of both."""
    mean, half = np.mean([list(value) for value in values], axis=0)
    return f"{100 * mean:.1f} ± {100 * half:.1f}"


if __name__ == "__main__":
    sys.exit(main())
