"""What was run: everything that a reader needs to doubt the numbers, or to get them again."""

import math
import shlex
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replearn.comparison import Comparison, Representation
from replearn.data import Samples
from replearn.engine.pace import speed
from replearn.methods.columns import bare

LONGEST = 600  # characters of a value
NAMED = 20  # skipped samples that are named
COMMAND = "command"


@dataclass(frozen=True)
class Block:
    """A heading, and names with values under it."""

    title: str
    lines: list[tuple[str, str]]


def blocks(comparison: Comparison, *, told: Collection[str] = ()) -> list[Block]:
    """Facts, data, and each representation with its fields and times.

    Args:
        comparison: what was run.
        told: names of facts that the page shows elsewhere.
    """
    facts = {name: value for name, value in comparison.facts.items() if name not in (COMMAND, *told)}
    simple = [(str(name), in_words(value)) for name, value in facts.items() if not isinstance(value, Mapping)]
    nested = [
        Block(str(name), [(str(key), in_words(item)) for key, item in value.items()])
        for name, value in facts.items()
        if isinstance(value, Mapping)
    ]
    found = [
        Block("run", simple),
        *nested,
        _data(comparison),
        *(_representation(row) for row in comparison.rows),
    ]
    return [block for block in found if block.lines]


def command(comparison: Comparison) -> str:
    """The command that repeats the run, or nothing."""
    given = comparison.facts.get(COMMAND, "")
    return given if isinstance(given, str) else shlex.join(str(word) for word in given)


def in_words(value: Any) -> str:
    """A value on one line.

    >>> in_words({"epochs": 3, "rate": 0.00100, "views": [1, 2], "device": None})
    'epochs: 3, rate: 0.001, views: 1, 2, device: none'
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return _cut(", ".join(f"{key}: {in_words(item)}" for key, item in value.items()))
    if isinstance(value, Sequence | set) and not isinstance(value, str | bytes):
        return _cut(", ".join(in_words(item) for item in value))
    return _cut(" ".join(str(value).split()))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _data(comparison: Comparison) -> Block:
    train, test = comparison.train, comparison.test
    skipped = [*train.skipped, *test.skipped]
    lines = [
        ("training samples", f"{len(train):,}"),
        ("test samples", f"{len(test):,}"),
        ("kind", f"{train.kind}, {' × '.join(str(size) for size in train.shape)}"),
        ("classes", _classes(train)),
    ]
    if skipped:
        named = "; ".join(f"{name} ({reason})" for name, reason in skipped[:NAMED])
        rest = f"; and {len(skipped) - NAMED:,} more" if len(skipped) > NAMED else ""
        lines.append(("skipped", f"{len(skipped):,}: {_cut(named)}{rest}"))
    return Block("data", lines)


def _classes(samples: Samples) -> str:
    if samples.labels is None or not len(samples.classes):
        return "none named" if samples.labels is not None else "no labels"
    return f"{len(samples.classes)}: {in_words(list(samples.classes))}"


def _representation(row: Representation) -> Block:
    numbers = ("numbers per sample", f"{row.train.shape[1]:,}")
    if row.method is None:
        return Block(row.name, [numbers])
    name, *others = training_lines(row)
    return Block(row.name, [name, numbers, *others])


def training_lines(row: Representation) -> list[tuple[str, str]]:
    """A method's class, its time and speed, and its fields."""
    method = bare(row.method)
    lines = [("class", type(method).__name__)]
    if row.seconds > 0:
        lines.append(("time to fit", f"{row.seconds:,.1f} s"))
    speeds = [float(at["samples_per_second"]) for at in row.history if "samples_per_second" in at]
    speeds = [speed for speed in speeds if math.isfinite(speed)]
    if speeds:
        lines.append(("speed", speed(statistics.median(speeds))))
    get_params = getattr(method, "get_params", None)
    fields = get_params(deep=False) if callable(get_params) else {}
    if row.extended:
        fields["epochs"] = row.extended.removesuffix(" epochs")
    return lines + [(str(name), in_words(value)) for name, value in fields.items()]
