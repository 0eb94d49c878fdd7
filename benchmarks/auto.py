"""Is `replearn auto` ever much worse than the best single default? It chooses without looking at the test part.

    python benchmarks/auto.py                          all sets, three seeds, 5 minutes a row: a night
    python benchmarks/auto.py digits8x8 --minutes 0.5 --seeds 0

A row is a set, a seed, and either `auto`, which has --minutes for all that it tries, or one of the methods that it
tries, by its defaults, with --minutes for itself alone: what the user gets for the same wait. The row of auto has the
scores of what needs no training, too (raw input, features made by hand, components), which count as defaults. Score:
accuracy of a linear probe with all labels of the training part, on the test part. The goal: auto at most two points
below the best of all others, on each set, by the mean over seeds.

Minutes are those of the clock: measure rows one after the other on a machine that does nothing else.
Results: `benchmarks/results/auto.json` and `auto.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import rows
from record import machine

SETS = ("digits8x8", "digits", "emoji", "pendulum", "python-manual", "mutag", "motions")
GOAL = 0.02
AUTO = "auto"


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    return rows.main(asked, measure, wanted(asked), command, markdown, key=("data", "name", "seed"))


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("data", nargs="*", choices=[[], *SETS], help="none: all")
    parser.add_argument("--minutes", type=float, default=5.0, help="of a row")
    parser.add_argument("--method", help="or auto: of the row, with --one")
    return parser.parse_args()


def wanted(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Auto, then each method that it tries."""
    from replearn import load_data
    from replearn.comparison.shortlist import shortlist

    for data in asked.data or SETS:
        names = [AUTO, *shortlist(load_data(data, split="train"))]
        for seed in asked.seeds:
            for name in names:
                yield {"data": data, "name": name, "seed": seed, "minutes": asked.minutes}


def command(asked: argparse.Namespace, row: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"method": row["name"], "seeds": row["seed"], "minutes": asked.minutes}
    return rows.command_line(__file__, row["data"], **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: scores by name, and what auto took."""
    from replearn import load_data
    from replearn.methods.columns import learn_columns, scaling_for

    (data,), (seed,) = asked.data, asked.seeds
    train, test = (load_data(data, split=part) for part in ("train", "test"))
    began = time.monotonic()
    if asked.method == AUTO:
        columns = learn_columns(scaling_for("auto", train, []), train)
        found = chosen(train, test, asked.minutes, seed, columns)
    else:
        found = {"scores": {asked.method: single(asked.method, train, test, asked.minutes, seed)}}
    took = (time.monotonic() - began) / 60
    return found | {"took": round(took, 2), "machine": machine()}


def chosen(train: Any, test: Any, minutes: float, seed: int, columns: Any) -> dict[str, Any]:
    """What auto takes, and its score and that of what needs no training."""
    from replearn.comparison.auto import WITH_CODES, auto
    from replearn.comparison.rows import before_training
    from replearn.comparison.shortlist import shortlist

    with tempfile.TemporaryDirectory() as folder:
        methods = shortlist(train, seed=seed)
        choice = auto(
            train, test, minutes=minutes, folder=Path(folder), methods=methods, columns=columns, seed=seed
        )
        scores = {AUTO: score(choice.row.train, choice.row.test, train, test, seed)}
        for row in choice.rows:
            if (
                row.name not in methods
                and not before_training(row.name)
                and not row.name.endswith(WITH_CODES)
            ):
                scores[row.name] = score(row.train, row.test, train, test, seed)
    return {"scores": scores, "best": choice.best}


def single(name: str, train: Any, test: Any, minutes: float, seed: int) -> float:
    """The score of a method by its defaults that has all the minutes."""
    from replearn.comparison.auto import MANY
    from replearn.methods.registry import find_method

    method = find_method(name.lower()).cls(random_state=seed, max_minutes=minutes, epochs=MANY).fit(train)
    return score(method.transform(train), method.transform(test), train, test, seed)


def score(own: Any, other: Any, train: Any, test: Any, seed: int) -> float:
    """Accuracy of a linear probe."""
    from replearn.evaluate import linear_probe

    found = linear_probe(own, train.labels, other, test.labels, groups=train.groups, random_state=seed)
    return float(found.accuracy)


def markdown(found: list[dict[str, Any]]) -> str:
    """A line per set: auto, the best single default, and by how much auto is behind it."""
    frame = pd.DataFrame(
        [
            {"data": row["data"], "seed": row["seed"], "name": name, "score": value}
            for row in found
            for name, value in row["scores"].items()
        ]
    )
    lines = []
    for data, part in frame.groupby("data", sort=False):
        means = part.groupby("name")["score"].mean()
        if AUTO not in means or len(means) < 2:
            continue
        took = ", ".join(dict.fromkeys(row["best"] for row in found if row["data"] == data and "best" in row))
        others = means.drop(AUTO).sort_values(ascending=False)
        behind = others.iloc[0] - means[AUTO]
        shown = ", ".join(f"{name} {100 * value:.1f}" for name, value in others.items())
        seeds = str(part["seed"].nunique())
        within = "yes" if behind <= GOAL else "**no**"
        lines.append(
            [str(data), seeds, f"{100 * means[AUTO]:.1f} ({took})", shown, f"{100 * behind:+.1f}", within]
        )
    minutes = ", ".join(f"{one:g}" for one in sorted({row["minutes"] for row in found}))
    told = [
        f"{minutes} minutes a row by the clock, for auto all that it tries included. Linear probe with all labels,",
        "percent of the test part, mean over seeds; others: methods by their defaults, and what needs no training.",
    ]
    head = ["data", "seeds", "auto (took)", "others", "best of them - auto", "within 2 points"]
    used = rows.used_by(row["machine"] for row in found)
    return rows.page(
        "`replearn auto` beside single defaults",
        f"python benchmarks/auto.py --minutes {minutes}",
        told,
        rows.table(head, lines),
        used,
    )


if __name__ == "__main__":
    sys.exit(main())
