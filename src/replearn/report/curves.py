"""The curves of the page: accuracy by labels, loss and health by step, singular values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from replearn.comparison import BY_HAND, RAW, WORDS, Comparison, Representation, before_training
from replearn.evaluate import singular_values
from replearn.report.chart import Chart, Series, line_chart
from replearn.report.spread import PROBE
from replearn.report.table import joined

STYLES = 6  # colours of lines; further lines use them again, dashed
ROWS = 2000  # samples whose singular values are shown
FLOOR = 1e-6  # smaller singular values, relative to the first, are left out
MEASURES = (("loss", "loss"), ("effective_rank", "effective rank"), ("spread", "spread"))


@dataclass(frozen=True)
class Training:
    """The charts and alarms of one training."""

    name: str
    charts: list[Chart]
    alarms: Sequence[str]


def styles(names: Sequence[str]) -> dict[str, str]:
    """The CSS classes of each representation's line: greys for what is not learned, colours for what is.

    >>> styles(["raw input", "pca", "simclr"])
    {'raw input': 'raw', 'pca': 's0', 'simclr': 's1'}
    """
    before = [name for name in names if before_training(name)]
    fixed = {RAW: "raw", WORDS: "words", BY_HAND: "words"}
    fixed |= {name: "untrained" + " dashed" * (i > 0) for i, name in enumerate(before)}
    learned = [name for name in names if name not in fixed]
    coloured = {name: f"s{i % STYLES}" + " dashed" * (i >= STYLES) for i, name in enumerate(learned)}
    return {name: fixed.get(name) or coloured[name] for name in names}


def few_label_chart(scores: pd.DataFrame) -> Chart | None:
    """Accuracy by number of labels, with 95 % bands; None without labels."""
    scores = joined(scores)
    probes = scores[scores["measure"] == PROBE].sort_values("labels", kind="stable")
    style = styles([str(name) for name in scores["representation"].unique()])
    series = [
        Series(
            str(name),
            _floats(own["labels"]),
            _floats(own["mean"]),
            _floats(own["low"]),
            _floats(own["high"]),
            style[str(name)],
            True,
        )
        for name, own in probes.groupby("representation", sort=False)
    ]
    return line_chart(
        series,
        title="Accuracy of a linear probe by number of labels",
        x_label="labels (logarithmic)",
        y_label="test accuracy",
        x_log=True,
        x_ticks=sorted({float(n) for n in probes["labels"]}),
        in_percent=True,
    )


def training_charts(rows: Sequence[Representation]) -> list[Training]:
    """Loss, effective rank and spread by step of each training that kept a history or raised alarms."""
    style = styles([row.name for row in rows])
    found = []
    for row in rows:
        charts = [_history_chart(row, key, title, style[row.name]) for key, title in MEASURES]
        drawn = [chart for chart in charts if chart is not None]
        if drawn or row.alarms:
            found.append(Training(row.name, drawn, row.alarms))
    return found


def spectrum_chart(comparison: Comparison) -> Chart | None:
    """Singular values of each representation of the training samples, relative to the first."""
    style = styles([row.name for row in comparison.rows])
    index = np.sort(np.random.default_rng(0).permutation(len(comparison.train))[:ROWS])
    series = []
    for row in comparison.rows:
        values = singular_values(row.train[index])
        values = values / max(float(values[0]), np.finfo(np.float64).tiny)
        places = np.unique(
            np.geomspace(1, len(values), 200).round().astype(int)
        )  # enough for a logarithmic axis
        places = places[values[places - 1] > FLOOR]
        series.append(
            Series(
                row.name, places.astype(float).tolist(), values[places - 1].tolist(), style=style[row.name]
            )
        )
    return line_chart(
        series,
        title="Singular values of each representation, relative to the largest",
        x_label="place (logarithmic)",
        y_label="singular value",
        x_log=True,
        y_log=True,
    )


def _floats(column: Any) -> list[float]:
    return [float(value) for value in column]


def _history_chart(row: Representation, key: str, title: str, style: str) -> Chart | None:
    points = [(float(at["step"]), float(at[key])) for at in row.history if key in at and "step" in at]
    series = Series(row.name, [x for x, _ in points], [y for _, y in points], style=style)
    return line_chart(
        [series],
        title=f"{title} of {row.name}",
        x_label="step",
        y_label=title,
        named=False,
        width=350,
        height=230,
    )
