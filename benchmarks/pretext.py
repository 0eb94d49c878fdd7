"""Compare pretext tasks and masked prediction with contrast, layer by layer, at equal CPU time.

    python benchmarks/pretext.py                                 digits, every method, seeds 0, 1 and 2
    python benchmarks/pretext.py rotation --data cifar10         10,000 of CIFAR-10's training images; cifar10-all:
                                                                 all 50,000
    python benchmarks/pretext.py --family pretext --minutes 2    one family, for two CPU minutes each

Each training is a process of its own, on one thread, with the method's defaults (--encoder: with that network, where a
method takes it); its epochs are whole ones, as many as take about `--minutes` of CPU time by the pace of its first
steps, one at least: read what was used (`CPU s`). Every method stands beside its own network untrained, pooled alike,
since layers and patches laid side by side flatter any network. Results: `benchmarks/results/pretext.json` and
`pretext.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pictures
import rows
from record import machine
from watched import Enough, fit_watched

DATA = ("digits", "cifar10", "cifar10-all")
BASELINES = ("raw", "pca")
BESIDE = ("simclr", "vicreg", "supervised")
FAMILIES = ("pretext", "masked")
FIRST, MANY = 30, 1000  # steps by which the pace is measured, of a training of many epochs
COMPONENTS, HELD_OUT = 64, 512
PHOTOS = {"cifar10": 10_000, "cifar10-all": 50_000}  # training images
KEY = ("data", "method", "seed", "minutes", "encoder")
TUNED = 10_000  # samples that fine-tuning sees at least, some of them many times
TUNING = {"trained": "full", "encoder_rate": 0.3, "validation": 0.0, "batch_size": 32}
SCORES = {"1 %": 0.01, "10 %": 0.1, "100 %": 1.0}
FEW = ("1 %", "10 %")  # of the labels, with which networks are tuned; with all of them if asked for
HEAD = (
    "method",
    "seeds",
    *SCORES,
    "kNN",
    *[f"tuned {few}" for few in SCORES],
    "own",
    "epochs",
    "CPU s",
    "alarms",
)


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": asked.data, "method": name, "seed": seed, "minutes": asked.minutes, "draws": asked.draws}
        | {"encoder": asked.encoder}
        for seed in asked.seeds
        for name in asked.methods or everything(asked.family)
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("methods", nargs="*", help="names as in `replearn list`, raw or pca; none: all")
    parser.add_argument("--data", choices=DATA, default="digits")
    parser.add_argument("--family", choices=FAMILIES, help="beside the others; unless given: all")
    parser.add_argument("--minutes", type=float, default=10.0, help="of CPU time for each training")
    parser.add_argument(
        "--encoder", default="", help="of methods that don't ask for patches; none: their own"
    )
    parser.add_argument("--draws", type=int, default=3, help="of labels, for each of their numbers")
    parser.add_argument("--tune-all", action="store_true", help="tune networks on all labels, too")
    parser.add_argument("--keep", type=Path, help="folder for the fitted methods, a run each")
    parser.add_argument("--cifar10", type=Path, default=pictures.CIFAR10, help="zip of CIFAR-10's JPEGs")
    asked = parser.parse_args()
    if asked.data in PHOTOS and not asked.cifar10.is_file():
        parser.error(f"--cifar10 must name a zip of CIFAR-10's JPEGs; {asked.cifar10} is not there.")
    return asked


def everything(family: str | None) -> list[str]:
    """Baselines, what to compare with, and all methods of a family or of all."""
    from replearn.methods import registry

    families = FAMILIES if family is None else (family,)
    return [
        *BASELINES,
        *BESIDE,
        *(name for name, entry in registry().items() if entry.family in families),
    ]


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"seeds": wanted["seed"], "data": asked.data, "cifar10": asked.cifar10}
    given |= {"minutes": asked.minutes, "draws": asked.draws, "encoder": asked.encoder}
    if asked.keep:
        given["keep"] = asked.keep
    return rows.command_line(__file__, wanted["method"], **given) + ["--tune-all"] * asked.tune_all


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train, represent, judge the representation and each layer, trained and untrained."""
    import torch
    from sklearn.decomposition import PCA

    from replearn.comparison import fit_and_represent, raw_input
    from replearn.methods import find_method
    from replearn.methods.inside import layers_of

    torch.set_num_threads(1)
    (name,), (seed,) = asked.methods, asked.seeds
    train, test = samples(asked)
    if name in BASELINES:
        made = (
            raw_input(train, test)
            if name == "raw"
            else fit_and_represent("PCA", PCA(COMPONENTS, random_state=seed), train, test)
        )
        return judged(asked, made.train, train, made.test, test) | {"machine": machine()}
    cls = find_method(name).cls
    fields: dict[str, Any] = {"random_state": seed, "device": "cpu"}
    if asked.encoder and "patches" not in cls.needs and "pixels" not in cls.needs:
        fields["encoder"] = asked.encoder
    blank = cls(**fields).prepare(train)
    before = judged(asked, blank.transform(train), train, blank.transform(test), test)
    layers = {"untrained": by_layer(asked, layers_of(blank, train), train, layers_of(blank, test), test)}
    method = cls(
        **fields, epochs=epochs(cls, fields, len(blank.training_samples(train)), train, asked.minutes)
    )
    began = time.process_time()
    method.fit(train, run=asked.keep and asked.keep / f"{asked.data}-{name}-{seed}-{asked.minutes:g}")
    used = time.process_time() - began
    shares = list(SCORES.values()) if asked.tune_all else [SCORES[few] for few in FEW]
    layers["trained"] = by_layer(asked, layers_of(method, train), train, layers_of(method, test), test)
    return judged(asked, method.transform(train), train, method.transform(test), test) | {
        "untrained": before,
        "layers": layers,
        "tuned": {
            when: [tuned(net, train, test, share=share, seed=seed) for share in shares]
            for when, net in (("untrained", blank.encoder_), ("trained", method.encoder_))
        },
        # Of samples that it may not have seen, unless its questions are which of those it has seen one is.
        "own": own(
            method, test if method.training_samples(train) is train else method.training_samples(train)
        ),
        "epochs": method.epochs,
        "CPU s": used,
        "alarms": [str(alarm) for alarm in getattr(method.history_, "alarms", ())],
        "machine": machine(),
    }


def epochs(cls: Any, fields: Mapping[str, Any], learned: int, train: Any, minutes: float) -> int:
    """As many as take so many CPU minutes, one at least, by the pace of some steps after those that begin slowly."""
    times: list[float] = []

    def on_step() -> None:
        times.append(time.process_time())
        if len(times) == FIRST:
            raise Enough

    fit_watched(cls(**fields, epochs=MANY), train, on_step)
    pace = float(np.median(np.diff(times)[FIRST // 2 :]))  # of a long training: few steps look at how it goes
    steps = max(1, learned // fields.get("batch_size", cls.batch_size))  # of an epoch
    return max(1, round(60 * minutes / (pace * steps)))


def tuned(encoder: Any, train: Any, test: Any, *, share: float, seed: int) -> float:
    """Test accuracy of the whole network, fine-tuned on a share of the labels, as many of each class.

    Of few labels none are held back: the last epoch is judged.
    """
    from replearn.transfer import FineTune

    labels, rng = np.asarray(train.labels), np.random.default_rng(seed)
    classes = np.unique(labels)
    each = max(1, round(share * len(labels) / len(classes)))
    chosen = np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:each] for c in classes])
    epochs = max(TUNED // len(chosen), 10)
    model = FineTune(encoder=encoder, **TUNING, epochs=epochs, random_state=seed, device="cpu")
    model.fit(train.subset(np.sort(chosen)))
    return float(model.score(test))


def own(method: Any, test: Any) -> dict[str, float]:
    """What the method measures of itself, of some samples."""
    import torch

    from replearn.encoders.modes import evaluating

    batch = test[np.arange(min(HELD_OUT, len(test)))]
    with evaluating(method.modules().values()), torch.no_grad(), torch.random.fork_rng([]):
        torch.manual_seed(0)
        return {name: float(value) for name, value in method.measures(batch).items()}


def judged(asked: argparse.Namespace, own: Any, train: Any, other: Any, test: Any) -> dict[str, float]:
    """Accuracies of a representation with few labels and all, and by kNN."""
    from replearn.evaluate import few_label_curve, knn_probe

    labels = np.asarray(train.labels), np.asarray(test.labels)
    curve = few_label_curve(
        own, labels[0], other, labels[1], fractions=tuple(SCORES.values()), draws=asked.draws
    )
    means = dict(zip(SCORES, curve.sort_values("labels")["mean"], strict=True))
    return {name: float(mean) for name, mean in means.items()} | {
        "kNN": float(knn_probe(own, labels[0], other, labels[1]))
    }


def by_layer(
    asked: argparse.Namespace, own: list[Any], train: Any, other: list[Any], test: Any
) -> list[dict[str, float]]:
    """kNN and a tenth of the labels, of each layer."""
    from replearn.evaluate import few_label_curve, knn_probe

    labels = np.asarray(train.labels), np.asarray(test.labels)
    found = []
    for here, there in zip(own, other, strict=True):
        curve = few_label_curve(here, labels[0], there, labels[1], fractions=(0.1,), draws=asked.draws)
        knn = knn_probe(here, labels[0], there, labels[1])
        found.append({"10 %": float(curve["mean"].iloc[0]), "kNN": float(knn)})
    return found


def samples(asked: argparse.Namespace) -> tuple[Any, Any]:
    """The training and the test part."""
    return pictures.digits_or_photos(asked.data, asked.cifar10, number=PHOTOS.get(asked.data, 0))


def markdown(found: list[dict[str, Any]]) -> str:
    """Two tables per data set and budget: the representations, and the layers of their networks."""
    told = ["# Pretext tasks and masked prediction", ""]
    for (data, minutes, encoder), part in pd.DataFrame(found).groupby(
        ["data", "minutes", "encoder"], sort=False
    ):
        used = rows.used_by(part["machine"])
        with_it = f" --encoder {encoder}" if encoder else ""
        told += [
            f"## {data}, {minutes:g} CPU minutes",
            "",
            f"`python benchmarks/pretext.py --data {data} --minutes {minutes:g}{with_it}`; {used['processor']}, one",
            "thread. Test accuracy in percent, mean over seeds ± their deviation, last step. In brackets: the same",
            "network untrained, pooled alike. Tuned: the whole network, on so many labels; on all of them where",
            "seeds were measured with --tune-all. Own: what a method measures of itself, on test samples",
            "(exemplar: on seeds).",
            "",
        ]
        told += rows.table(
            HEAD,
            [line(str(name), group) for name, group in part.groupby("method", sort=False)],
        )
        learned = part[part["layers"].notna()] if "layers" in part else part.iloc[:0]
        told += ["By layer, from the first: kNN / 10 % of the labels, trained and (untrained).", ""]
        told += rows.table(
            ["method", "layers"],
            [[str(name), layers(group)] for name, group in learned.groupby("method", sort=False)],
        )
    return "\n".join(told)


def line(name: str, group: pd.DataFrame) -> list[str]:
    """A method's line of the first table."""
    cells = []
    for score in (*SCORES, "kNN"):
        shown = rows.cell(group[score], percent=True, spread=True)
        before = [row[score] for row in group.get("untrained", []) if isinstance(row, dict)]
        cells.append(f"{shown} ({100 * np.mean(before):.1f})" if before else shown)
    cells += [tuned_cell(group, place) for place in range(len(SCORES))]
    measured = [row for row in group.get("own", []) if isinstance(row, dict)]
    names = dict.fromkeys(key for row in measured for key in row)
    means = [f"{key} {np.mean([row[key] for row in measured if key in row]):.3g}" for key in names]
    numbers = [rows.cell(group[key]) if key in group else "" for key in ("epochs", "CPU s")]
    alarms = {alarm for found in group.get("alarms", []) if isinstance(found, list) for alarm in found}
    return [name, str(len(group)), *cells, ", ".join(means), *numbers, "; ".join(sorted(alarms)) or "none"]


def tuned_cell(group: pd.DataFrame, place: int) -> str:
    """Accuracy after fine-tuning, and in brackets from random weights."""
    found = [row for row in group.get("tuned", []) if isinstance(row, dict) and place < len(row["trained"])]
    if not found:
        return ""
    after, before = (pd.Series([row[when][place] for row in found]) for when in ("trained", "untrained"))
    return f"{rows.cell(after, percent=True, spread=True)} ({100 * before.mean():.1f})"


def layers(group: pd.DataFrame) -> str:
    """What each layer tells, trained and untrained."""
    after, before = ([row[key] for row in group["layers"]] for key in ("trained", "untrained"))
    told = []
    for i in range(len(after[0])):
        a, b = (
            " / ".join(f"{100 * np.mean([seed[i][score] for seed in part]):.1f}" for score in ("kNN", "10 %"))
            for part in (after, before)
        )
        told.append(f"{a} ({b})")
    return "; ".join(told)


if __name__ == "__main__":
    sys.exit(main())
