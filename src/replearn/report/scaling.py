"""The page of `replearn scale`: a chart of each law, what twice as much is worth, and every training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from replearn.comparison.scale import Axis, Measured, Scaling
from replearn.report.chart import Chart, Series, line_chart
from replearn.report.page import template, write_page

CURVE = 40  # points by which a law is drawn
UNITS = {"encoder": "parameters of the encoder"}


@dataclass(frozen=True)
class Part:
    """A section: its name, its chart, the law in words."""

    name: str
    chart: Chart | None
    law: str


def write_scaling_page(
    path: Path, found: Scaling, *, title: str, advice: Sequence[str], command: str
) -> None:
    """Write the page as one HTML file, which needs no network and runs no script.

    Args:
        path: the file.
        found: what was measured.
        title: heading of the page.
        advice: lines that say what to do.
        command: that repeats the run.

    Raises:
        OSError: it can't be written.
    """
    page = template("scaling.html.j2").render(
        title=title,
        script_source=Markup("'none'"),
        advice=advice,
        doubled=doubled_rows(found),
        before=[(name, percent(error)) for name, error in found.before.items()],
        parts=[Part(axis.name, law_chart(axis), law_in_words(axis)) for axis in found.axes],
        rows=_rows(found),
        tested=found.tested,
        command=command,
    )
    write_page(path, page)


def law_chart(axis: Axis) -> Chart | None:
    """What was measured, and the law with its 95 % band."""
    x = np.array(axis.x)
    series = [
        Series("measured", axis.x, [row.error for row in axis.rows], style="raw", dots=True)
        if len(x) == len({*axis.x})
        else Series("mean of seeds", *_means(axis), style="raw", dots=True)
    ]
    if axis.law is not None:
        places = np.geomspace(x.min(), 2 * x.max(), CURVE)
        mean, low, high = np.array([axis.law.at(float(place)) for place in places]).T
        band = {"low": low.tolist(), "high": high.tolist()} if np.isfinite(high).all() else {}
        series.append(Series("law", places.tolist(), mean.tolist(), **band))
    return line_chart(
        series,
        title=f"Error of a linear probe, by {axis.name}",
        x_label=f"{UNITS.get(axis.name, axis.name)} (logarithmic)",
        y_label="error of the linear probe",
        x_log=True,
        y_log=True,
        x_ticks=sorted({*axis.x}),
        in_percent=True,
    )


def law_in_words(axis: Axis) -> str:
    """The law, how sure it is, and whether it falls."""
    law = axis.law
    if law is None:
        return "No law was fitted: it needs three different values."
    sure = "" if not np.isfinite(law.low) else f", 95 % interval {law.low:.2f} to {law.high:.2f}"
    floor = f"A floor of {percent(law.floor)} and an" if law.floor else "An"
    falls = "" if law.falls() else " These trainings do not show that more of it helps."
    return f"{floor} exponent of {law.exponent:.2f}{sure}.{falls}"


def doubled_rows(found: Scaling) -> list[tuple[str, str, str, str]]:
    """Of each axis: its name with what was asked for, the error there, by the law at twice that, and what it costs."""
    rows = []
    for axis in found.axes:
        now = float(np.mean([row.error for x, row in zip(axis.x, axis.rows, strict=True) if x == axis.base]))
        twice = axis.doubled()
        then = (
            "no gain shown"
            if twice is None
            else f"{percent(twice.error)} ({percent(twice.low)} to {percent(twice.high)})"
        )
        name = f"{axis.name} ({axis.base:,.0f})"
        rows.append((name, percent(now), then, "" if twice is None else f"{twice.cost:.1f} x"))
    return rows


def percent(share: float) -> str:
    """A share as the tables write it.

    >>> percent(0.0514)
    '5.1 %'
    """
    return f"{100 * share:.1f} %"


def _means(axis: Axis) -> tuple[list[float], list[float]]:
    values = sorted({*axis.x})
    error = [[row.error for x, row in zip(axis.x, axis.rows, strict=True) if x == value] for value in values]
    return values, [float(np.mean(some)) for some in error]


def _rows(found: Scaling) -> list[Measured]:
    """Every training once."""
    every = {(row.setting, row.seed): row for axis in found.axes for row in axis.rows}
    return list(every.values())
