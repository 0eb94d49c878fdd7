"""`evaluation.json` of a run folder: scores, what was run, and where each row of the table is, so that the
report can be written again.

    data    DATA and its options, as on the command line, and a hash of what each part held
    rows    name; `run`, the row's run folder below this one, or null (raw input, untrained encoder); seconds;
            alarms
    scaling what was done to the columns of a table (see `replearn.methods.columns`)
    scores  rows of `Comparison.scores`
    facts   `Comparison.facts`
"""

import dataclasses
import logging
import math
import shlex
import textwrap
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from replearn.cli.commands import next_command
from replearn.cli.runs import described, load_run
from replearn.cli.samples import DataOptions, load_parts, shown_data
from replearn.comparison import (
    BY_HAND,
    DIRECT,
    EXTENDED,
    GIVEN,
    HIDDEN,
    PREPROCESSING,
    RAW,
    WORDS,
    Comparison,
    Representation,
    hand_made,
    raw_input,
    represent,
    training_of,
    untrained,
    untrained_encoders,
)
from replearn.comparison.rows import Transform, begins_with_weights
from replearn.data import Samples
from replearn.data.copies import content_fingerprint
from replearn.engine.run import EVALUATION, lies_in, read_json, write_json
from replearn.methods import Trained
from replearn.methods.columns import learn_columns, scaling_for, scaling_of
from replearn.methods.reuse import Reuse

NAMES = ("representation", "measure", "setting", "cut")  # columns of the scores that are no numbers
COUNTS = ("labels", "draws", "seed", "tested", "seeds")  # columns of whole numbers
LARGEST = 1e30  # no number that is measured is larger
FINGERPRINTS = "fingerprints"

log = logging.getLogger("replearn")


@dataclasses.dataclass(frozen=True)
class Judged:
    """The data that representations are judged by, as named on the command line.

    Attributes:
        data: built-in name or path.
        test: path of the test part, or None.
        options: how to read both.
    """

    data: str
    test: str | None
    options: DataOptions

    def to_json(self) -> dict[str, Any]:
        """As `evaluation.json` holds it."""
        options = {field.name: getattr(self.options, field.name) for field in dataclasses.fields(DataOptions)}
        told = {"data": self.data, "test": self.test} | options
        return {name: shown_data(value) if isinstance(value, str) else value for name, value in told.items()}


def write_evaluation(folder: Path, comparison: Comparison, judged: Judged, runs: dict[str, str]) -> Path:
    """Write `evaluation.json` into `folder`; `runs` says where below it each row's run lies."""
    rows = [
        {"name": row.name, "run": runs.get(row.name), "seconds": row.seconds, "alarms": list(row.alarms)}
        for row in comparison.rows
    ]
    parts = {"train": comparison.train, "test": comparison.test}
    hashes = {part: content_fingerprint(samples) for part, samples in parts.items()}
    content = {
        "data": judged.to_json() | {FINGERPRINTS: hashes},
        "rows": rows,
        "scaling": scaling_of(comparison.columns),
        "scores": comparison.scores.to_dict("records"),
        "facts": comparison.facts,
    }
    write_json(folder / EVALUATION, plain(content))
    return folder / EVALUATION


def read_evaluation(folder: Path, *, again: bool = False) -> Comparison:
    """The comparison that `write_evaluation` stored, its representations read from the runs, or made from data and
    weights.

    Args:
        folder: of a run, or of a comparison.
        again: make all of them.

    Raises:
        ValueError: there is none, it is broken, or one of its runs is, or the data are others than those that were
            judged.
    """
    if not (folder / EVALUATION).is_file():
        asked = next_command("evaluate", folder, "DATA")
        raise ValueError(f"{folder} must hold {EVALUATION}; it does not. Run `{asked}` first.")
    content = read_json(folder / EVALUATION)
    try:
        stored = content["data"]
        # An option that is newer than the file has its default.
        known: dict[str, Any] = {
            field.name: tuple(value) if isinstance(value := stored[field.name], list) else value
            for field in dataclasses.fields(DataOptions)
            if field.name in stored
        }
        options = DataOptions(**known)
        data, test = stored["data"], stored["test"]
        entries = [_entry(row) for row in content["rows"]]
        scores = _scores(content["scores"])
        facts, scaling = dict(content["facts"]), str(content.get("scaling", "none"))
        seeds = facts.get("seeds", [0])
        if not isinstance(seeds, list) or not seeds or not all(_whole(seed, 2**32 - 1) for seed in seeds):
            raise TypeError(f"seeds are {seeds!r:.60}")
        _check_types(known | {"data": data or 0, "test": test})
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ValueError(
            f"{folder / EVALUATION} must be as replearn wrote it; it is not ({error!r}). Evaluate again."
        ) from error
    own = any(run == "." for _, run, *_ in entries)
    log.info("reading %s%s, which %s names", data, f" and {test}" if test else "", folder / EVALUATION)
    train, held = load_parts(data, options, test=test, like=described(str(folder)) if own else None)
    command = next_command("evaluate", folder, data, options=options) + (
        f" --test {shlex.quote(test)}" if test else ""
    )
    check_same_data(
        stored.get(FINGERPRINTS), train, held, f"`{command}`" if own else "compare again, into another --run"
    )
    columns = learn_columns(scaling_for(scaling, train), train)
    reuse = Reuse(again=again)
    rows = [raw_input(train, held, columns)] if any(name == RAW for name, *_ in entries) else []
    for name, run, seconds, alarms in entries:
        if run is not None:
            place = below(folder, run)
            method = load_run(str(place))
            history, _ = training_of(method)
            made = represent(method, train, held, transform=partial(reuse.transform, run=place))
            rows.append(Representation(name, *made, method, seconds, history, alarms))
    transform = partial(reuse.transform, run=folder)
    before = untrained_rows({row.name: row.method for row in rows}, train, held, transform=transform)
    reuse.tell()
    rows[1:1] = [row for row in before if row.name in {name for name, *_ in entries}]
    if any(name in (WORDS, BY_HAND) for name, *_ in entries):
        words = hand_made(train, held, random_state=seeds[0])
        rows += [] if words is None else [words]
    return Comparison(train, held, rows, scores, facts, columns)


def print_scores(comparison: Comparison) -> None:
    """Print the table, under what conditions it holds, and what the report says first."""
    from replearn.report import print_table, print_verdict

    print_table(comparison.scores)
    print_conditions(comparison)
    if (why := unjudged(comparison.train, comparison.test)) is not None:
        print(textwrap.fill(why, 80))
    print_verdict(comparison)


def unjudged(train: Samples, test: Samples) -> str | None:
    """Why there are no accuracies though some samples have labels; None where there are, or none have."""
    known = [
        0 if part.labels is None else int((np.asarray(part.labels) >= 0).sum()) for part in (train, test)
    ]
    if not any(known) or all(known):
        return None
    return (
        f"Accuracy can't be computed: {known[0]:,} of {len(train):,} training and {known[1]:,} of {len(test):,} test "
        "samples have a label, and both parts need some. Label more, or name a labelled part (--test)."
    )


def print_conditions(comparison: Comparison) -> None:
    """Print what all rows of a table had done to their columns, and which trainings were extended."""
    if PREPROCESSING in comparison.facts:
        print(f"every row: {comparison.facts[PREPROCESSING]}")
    if HIDDEN in comparison.facts:
        print(textwrap.fill(f"labels: {comparison.facts[HIDDEN]}", 80))
    if EXTENDED in comparison.facts:
        print(f"extended: {comparison.facts[EXTENDED]}")


def _entry(row: dict[str, Any]) -> tuple[str, Any, float, list[str]]:
    """Name, run folder, seconds and alarms of a row; an error where one is of another kind."""
    seconds, alarms = float(row["seconds"]), row["alarms"]
    if not 0 <= seconds <= LARGEST:
        raise ValueError(f"seconds are {seconds!r}")
    if not isinstance(alarms, list) or not all(isinstance(alarm, str) for alarm in alarms):
        raise TypeError(f"alarms are {alarms!r:.60}")
    return str(row["name"]), row["run"], seconds, alarms


def _whole(value: Any, most: int) -> bool:
    """Whether it is a whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _scores(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The stored scores as a table, each column of its type; an error where one is of another."""
    scores = pd.DataFrame(rows).fillna({"low": math.nan, "high": math.nan})
    for name in scores.columns:
        named = name in NAMES
        if any(
            isinstance(value, list | dict) or (named and not isinstance(value, str) and not pd.isna(value))
            for value in scores[name]
        ):
            raise TypeError(f"{name} holds something else")
        scores[name] = scores[name] if named else pd.to_numeric(scores[name])
    for name in scores.columns.difference(list(NAMES)):
        known = scores[name].dropna()
        least, most = (0, 2**53) if name in COUNTS else (-LARGEST, LARGEST)
        if not known.between(least, most).all() or (name in COUNTS and (known % 1 != 0).any()):
            raise ValueError(f"{name} must be {'whole numbers from 0 on' if name in COUNTS else 'numbers'}")
    judged = scores[scores["measure"].isin(["linear probe", "kNN", DIRECT])]
    if not judged["labels"].ge(1).all() or not judged["mean"].dropna().between(0, 1).all():
        raise ValueError("an accuracy must be a share, of one label or more")
    return scores.astype({"labels": int, "draws": int, "seed": int})


def _check_types(named: dict[str, Any]) -> None:
    """Raises TypeError where what names data, or says how to read them, is of another type."""
    types = dict.fromkeys(("data", "test", "labels", "text", "kind"), str) | {"image_size": int}
    for name, expected in types.items():
        value = named.get(name)
        if value is not None and not isinstance(value, expected):
            raise TypeError(f"{name} is {value!r}")


def check_same_data(known: Any, train: Samples, test: Samples, again: str) -> None:
    """Raises ValueError where samples are not those whose hashes an evaluation kept; `again` says how to go on."""
    if not isinstance(known, dict):
        raise ValueError(
            f"{EVALUATION} must say which data were judged; an older version wrote it. Judge again: {again}."
        )
    for part, samples in {"train": train, "test": test}.items():
        if known.get(part) != content_fingerprint(samples):
            raise ValueError(
                f"the data must be those that were judged; those of the {part} part have changed since, so that "
                f"the scores are of other samples. Judge again: {again}."
            )


def untrained_rows(
    methods: Mapping[str, Any], train: Samples, test: Samples, *, transform: Transform
) -> list[Representation]:
    """The rows of networks before training, without those whose folder or file is gone, which a warning names."""
    there = {}
    for name, method in methods.items():
        if not isinstance(method, Trained) or (method.needs_labels and train.labels is None):
            continue
        try:
            untrained(method, train)
        except ValueError as error:
            if not begins_with_weights(method):
                raise
            log.warning("no row %s: %s", GIVEN, error)
        else:
            there[name] = method
    return list(untrained_encoders(there, train, test, transform=transform))


def below(folder: Path, name: Any) -> Path:
    """The folder `name` in `folder`.

    Raises:
        ValueError: it is not in it.
    """
    path = folder / str(name)
    if not lies_in(path, folder):
        raise ValueError(f"runs of an evaluation must lie in its folder; {path} does not. Evaluate again.")
    return path


def plain(value: Any) -> Any:
    """What JSON can hold: numbers of numpy as numbers, NaN as null."""
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
