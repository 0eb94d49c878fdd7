"""Compare what learns from few labels and many samples without, at equal CPU time.

    python benchmarks/few_labels.py                                   digits, 80 and 800 labels, seeds 0, 1 and 2
    python benchmarks/few_labels.py fixmatch uda --data cifar10 --labels 250 --minutes 20
    python benchmarks/few_labels.py --data banking77 --encoder words  intents, 5 and 10 labels a class
    python benchmarks/few_labels.py vat fixmatch --data digits8x8 --alike --minutes 0.1   rows of numbers, in seconds

Rows: every method of the family `labelled`; `supervised-weak` and `supervised-strong`, which have the labels alone and
see them by the weak or by the strong view of the others; `simclr-probe` and `simclr-finetune`, which learn from all
samples without a label first, the latter for two thirds of the time; `raw` and `untrained`, a probe on the input and on
a network of random weights.

With --alike all see a sample by one strong view (a fifth of a row's numbers are another row's; images as they are
distorted by default), and some by a weak one, too; S4L has its own. What differs then is how they learn.

Each is a process of its own, on one thread, with the method's defaults (--encoder: with that network). Labels are as
many of each class, drawn by the seed. Its epochs are whole ones, as many as take about `--minutes` of CPU time by the
pace of its first steps, one at least: read what was used (`CPU s`). The last step is judged, on the test part, whose
labels choose nothing. Results: `benchmarks/results/few_labels.json` and `.md`; a row that lies there is not measured
again (--again does).
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
from pretext import epochs
from record import machine

LABELS = {"digits": (80, 800), "cifar10": (40, 250, 4000), "banking77": (385, 770), "digits8x8": (40,)}
BASELINES = ("raw", "untrained")
SUPERVISED = {"supervised-weak": 0, "supervised-strong": 1}  # which of a weak and a strong view
FIRST = {"simclr-probe": 1.0, "simclr-finetune": 2 / 3}  # share of the time that is without labels
TUNING = {"trained": "full", "encoder_rate": 1.0}
ALIKE = {"supervised": {"batch_size": 64, "learning_rate": 3e-3}, "s4l": {"batch_size": 32, "turned": False}}
ALIKE_OF = {("digits", "fixmatch"): {"mu": 3}}  # fields beside the view, by data and method
KEY = ("data", "labels", "method", "seed", "minutes", "encoder", "alike")
HEAD = ("method", "seeds", "accuracy", "epochs", "CPU s", "alarms")
BENCH = pictures.CIFAR10.parent


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": asked.data, "labels": labels, "method": name, "seed": seed}
        | {"minutes": asked.minutes, "encoder": asked.encoder, "alike": asked.alike}
        for seed in asked.seeds
        for labels in asked.labels or LABELS[asked.data]
        for name in asked.methods or everything()
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("methods", nargs="*", help="names of rows; none: all")
    parser.add_argument("--data", choices=LABELS, default="digits")
    parser.add_argument("--labels", type=int, nargs="+", help="in all, of all classes alike")
    parser.add_argument("--minutes", type=float, default=2.0, help="of CPU time for each row")
    parser.add_argument("--encoder", default="", help="none: the methods' own")
    parser.add_argument("--alike", action="store_true", help="one strong view for all")
    parser.add_argument("--cifar10", type=Path, default=pictures.CIFAR10, help="zip of CIFAR-10's JPEGs")
    parser.add_argument("--texts", type=Path, default=BENCH, help="folder of banking77_{train,test}.csv")
    asked = parser.parse_args()
    if asked.data == "cifar10" and not asked.cifar10.is_file():
        parser.error(f"--cifar10 must name a zip of CIFAR-10's JPEGs; {asked.cifar10} is not there.")
    if asked.data == "banking77" and not (asked.texts / "banking77_train.csv").is_file():
        parser.error(f"--texts must name a folder of banking77_train.csv; got {asked.texts}.")
    return asked


def everything() -> list[str]:
    """All rows that there are."""
    from replearn.methods import registry

    labelled = [name for name, entry in registry().items() if entry.family == "labelled"]
    return [*BASELINES, *SUPERVISED, *labelled, *FIRST]


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    told = {"seeds": wanted["seed"], "labels": wanted["labels"], "data": asked.data}
    told |= {"minutes": asked.minutes, "encoder": asked.encoder}
    given = rows.command_line(__file__, wanted["method"], **told, cifar10=asked.cifar10, texts=asked.texts)
    return given + ["--alike"] * asked.alike


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: learn, answer."""
    import torch

    torch.set_num_threads(1)
    (name,), (labels,), (seed,) = asked.methods, asked.labels, asked.seeds
    whole, test = samples(asked)
    train = with_few_labels(whole, labels, seed)
    fields: dict[str, Any] = {"random_state": seed, "device": "cpu"}
    if asked.encoder:
        fields["encoder"] = asked.encoder
    if name in BASELINES:
        return probed(name, fields, train, test) | {"machine": machine()}
    if asked.alike and name not in (*SUPERVISED, *FIRST):
        fields |= alike(asked.data, name, train)
    learn = in_two_parts if name in FIRST else by_labels
    return learn(name, fields, train, test, asked.minutes) | {"machine": machine()}


def samples(asked: argparse.Namespace) -> tuple[Any, Any]:
    """The training and the test part, all with labels."""
    from replearn import as_samples, load_data

    if asked.data == "digits8x8":
        parts = (load_data(asked.data, split=part) for part in ("train", "test"))
        train, test = (as_samples(part.flat(), part.labels) for part in parts)
        return train, test
    if asked.data != "banking77":
        return pictures.digits_or_photos(asked.data, asked.cifar10, number=50_000)
    tables = [pd.read_csv(asked.texts / f"banking77_{part}.csv") for part in ("train", "test")]
    train, test = (as_samples(list(table["text"]), list(table["label"])) for table in tables)
    return train, test


def with_few_labels(whole: Any, number: int, seed: int) -> Any:
    """All samples, of which so many have a label, as many of each class."""
    from replearn import as_samples

    chosen = of_each_class(np.asarray(whole.labels), number, seed)
    names = np.full(len(whole), None, dtype=object)
    names[chosen] = np.array(whole.classes, dtype=object)[np.asarray(whole.labels)[chosen]]
    return as_samples(whole, list(names), classes=whole.classes)


def of_each_class(labels: np.ndarray, number: int, seed: int) -> np.ndarray:
    """Positions of so many samples, as many of each class."""
    classes = np.unique(labels)
    each, rest = divmod(number, len(classes))
    if rest or not each:
        raise ValueError(
            f"labels must be as many of each class, a multiple of {len(classes)}; got {number}. "
            f"Ask for {max(each, 1) * len(classes)}."
        )
    rng = np.random.default_rng(seed)
    return np.sort(np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:each] for c in classes]))


def alike(data: str, name: str, train: Any) -> dict[str, Any]:
    """The fields by which a method sees what the others see: a weak and a strong view, or the second alone."""
    from replearn.methods import find_method
    from replearn.views import MultiCrop, Pair, Same, Swap
    from replearn.views.defaults import default_views

    views = Pair(Same(), Swap(0.2)) if data == "digits8x8" else default_views(train, "weak_strong")
    assert isinstance(views, Pair)
    strong = views.other or views.view
    once = MultiCrop(strong, strong, 0, 1)
    given = {"weak_strong": views, "single": once, "pair": once}.get(find_method(name).cls.split)
    own = ALIKE.get(name, {}) | ALIKE_OF.get((data, name), {})
    return own if given is None else own | {"views": given}


def probed(name: str, fields: Mapping[str, Any], train: Any, test: Any, method: Any = None) -> dict[str, Any]:
    """What a straight line reads off the input, or off a network."""
    from replearn import SimCLR
    from replearn.evaluate import linear_probe

    few = train.subset(np.asarray(train.labels) >= 0)
    net = method or (SimCLR(**fields).prepare(train) if name == "untrained" else None)
    own, other = (net.transform(part) if net else part.flat() for part in (few, test))
    score = linear_probe(own, np.asarray(few.labels), other, np.asarray(test.labels))
    return {"accuracy": float(score.accuracy)}


def by_labels(name: str, fields: Mapping[str, Any], train: Any, test: Any, minutes: float) -> dict[str, Any]:
    """What a method answers that reads labels."""
    from replearn import Supervised
    from replearn.methods import find_method
    from replearn.views import Pair
    from replearn.views.defaults import default_views

    if name not in SUPERVISED:
        return told(*trained(find_method(name).cls, fields, train, minutes), test)
    split = default_views(train, "weak_strong")
    assert isinstance(split, Pair)
    view = (split.view, split.other)[SUPERVISED[name]]
    return told(*trained(Supervised, dict(fields) | {"views": Pair(view)}, train, minutes), test)


def in_two_parts(
    name: str, fields: Mapping[str, Any], train: Any, test: Any, minutes: float
) -> dict[str, Any]:
    """What SimCLR learns without labels, and then a probe or all of the network with them."""
    from replearn import FineTune, SimCLR

    first, used = trained(SimCLR, fields, train, minutes * FIRST[name])
    if name == "simclr-probe":
        return told(first, used, None) | probed(name, fields, train, test, first)
    few = train.subset(np.asarray(train.labels) >= 0)
    given = {"random_state": fields["random_state"], "device": "cpu", "encoder": first}
    tuned, more = trained(FineTune, given | TUNING, few, minutes * (1 - FIRST[name]))
    return told(first, used, None) | told(tuned, used + more, test)


def trained(cls: Any, fields: Mapping[str, Any], train: Any, minutes: float) -> tuple[Any, float]:
    """A method after about so many CPU minutes, and what it took in seconds."""
    method = cls(**fields, epochs=epochs(cls, fields, len(train), train, minutes))
    began = time.process_time()
    method.fit(train)
    return method, time.process_time() - began


def told(method: Any, used: float, test: Any) -> dict[str, Any]:
    """What a row holds of a method; without a test part, not how good its answers are."""
    alarms = [str(alarm) for alarm in getattr(method.history_, "alarms", ())]
    found = {"epochs": method.epochs, "CPU s": used, "alarms": alarms}
    return found if test is None else found | {"accuracy": float(method.score(test))}


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per data set, number of labels, budget and network."""
    lines = ["# Few labels", ""]
    groups = pd.DataFrame(found).groupby(["data", "minutes", "encoder", "alike", "labels"], sort=False)
    for (data, minutes, encoder, alike, labels), part in groups:
        used = rows.used_by(part["machine"])
        options = f"--data {data} --labels {labels} --minutes {minutes:g}"
        options += f" --encoder {encoder}" * bool(encoder) + " --alike" * bool(alike)
        lines += [
            f"## {data}, {labels:,} labels, {minutes:g} CPU minutes",
            "",
            f"`python benchmarks/few_labels.py {options}`; {used['processor']}, one thread.",
            "Test accuracy in percent, mean over seeds (which draw the labels, too) ± their deviation, last step.",
            "",
        ]
        means = part.groupby("method")["accuracy"].mean().sort_values(ascending=False)
        lines += rows.table(HEAD, [line(str(name), part[part["method"] == name]) for name in means.index])
    return "\n".join(lines)


def line(name: str, group: pd.DataFrame) -> list[str]:
    """A method's line."""
    accuracy = rows.cell(group["accuracy"], percent=True, spread=True)
    numbers = [rows.cell(group[key]) if key in group else "" for key in ("epochs", "CPU s")]
    alarms = {alarm for found in group.get("alarms", []) if isinstance(found, list) for alarm in found}
    return [name, str(len(group)), accuracy, *numbers, "; ".join(sorted(alarms)) or "none"]


if __name__ == "__main__":
    sys.exit(main())
