"""Line charts as plain SVG: sharp in print, readable without scripts, in the page's own colours and type."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.ticker import MaxNLocator

RIGHT = 150  # room for the labels of the lines
LEFT, TOP, BOTTOM = 72, 14, 44
GAP = 15  # between labels of lines


@dataclass(frozen=True)
class Series:
    """A line.

    Attributes:
        name: written at its end.
        x, y: its points; those that are not finite, or not positive on a logarithmic axis, are left out.
        low, high: a band around it, or empty.
        style: name of the CSS class that colours it.
        dots: whether to mark the points.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    style: str = "s0"
    dots: bool = False


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A series in the chart's coordinates: path, band, marks, and its label at (`right`, `label_y`)."""

    name: str
    style: str
    path: str
    band: str
    dots: list[tuple[float, float, str]]
    end: tuple[float, float]
    label_y: float = 0.0


@dataclass(frozen=True)
class Chart:
    """What the template draws."""

    width: int
    height: int
    title: str
    x_label: str
    y_label: str
    summary: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    left: int = LEFT
    top: int = TOP
    right: int = 0
    bottom: int = 0
    named: bool = True


@dataclass(frozen=True)
class Axis:
    """From numbers to places on the page.

    Attributes:
        low, high: its ends.
        start, stop: where these lie.
        log: whether steps are factors.
        ticks: where to write a number; chosen when empty.
        whole: whether only whole numbers are values.
    """

    low: float
    high: float
    start: int
    stop: int
    log: bool = False
    ticks: Sequence[float] = field(default=())
    whole: bool = False

    def at(self, value: float) -> float:
        """Where the value lies; values beyond an end lie on it."""
        low, high, value = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        share = (min(max(value, low), high) - low) / ((high - low) or 1.0)
        return round(self.start + share * (self.stop - self.start), 2)

    def tick_values(self) -> list[float]:
        if self.ticks:
            return list(self.ticks)
        if not self.log:
            values = MaxNLocator(5, integer=self.whole).tick_values(self.low, self.high)
            return [float(v) for v in values if self.low - 1e-12 <= v <= self.high + 1e-12]
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        step = max(1, (last - first + 1) // 6)
        decades = [10.0**power for power in range(first, last + 1, step)]
        return decades if len(decades) > 1 else [self.low, self.high]


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_label: str,
    x_log: bool = False,
    y_log: bool = False,
    x_ticks: Sequence[float] = (),
    in_percent: bool = False,
    named: bool = True,
    width: int = 720,
    height: int = 380,
) -> Chart | None:
    """Lay out a chart, or None where there is no point to draw.

    Args:
        series: the lines.
        title: what it shows, for readers who hear it.
        x_label, y_label: names of the axes.
        x_log, y_log: logarithmic axes.
        x_ticks: values to write on the x axis; chosen when empty.
        in_percent: write shares as percentages.
        named: write names of lines and of the y axis beside them.
        width, height: in pixels at full size.
    """
    series = [kept for kept in (_drawable(s, x_log, y_log) for s in series) if kept.x]
    if not series:
        return None
    right, bottom = width - (RIGHT if named else 18), height - BOTTOM
    xs = [x for s in series for x in s.x]
    ys = [
        y
        for s in series
        for values in (s.y, s.low, s.high)
        for y in values
        if math.isfinite(y) and (y > 0 or not y_log)
    ]
    x_axis = Axis(
        *_ends(xs, x_log, 0.0 if x_log or len(set(xs)) > 1 else 0.5),
        LEFT,
        right,
        x_log,
        x_ticks,
        all(x.is_integer() for x in xs),
    )
    y_axis = Axis(*_ends(ys, y_log, 0.04), bottom, TOP, y_log)
    lines = _spread([_line(s, x_axis, y_axis, in_percent) for s in series], TOP, bottom)
    return Chart(
        width,
        height,
        title,
        x_label,
        y_label,
        summary(series, in_percent=in_percent),
        [Tick(x_axis.at(v), number(v)) for v in x_axis.tick_values()],
        [Tick(y_axis.at(v), number(v, in_percent=in_percent)) for v in y_axis.tick_values()],
        lines,
        right=right,
        bottom=bottom,
        named=named,
    )


def number(value: float, *, in_percent: bool = False) -> str:
    """A number as axes show it.

    >>> number(8000.0), number(0.95, in_percent=True), number(1e-5)
    ('8,000', '95 %', '1e-05')
    """
    if in_percent:
        return f"{round(100 * value, 1):g} %"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}"


def summary(series: Sequence[Series], *, in_percent: bool = False) -> str:
    """The ends of each line in words, for readers who cannot see it."""
    parts = [
        f"{s.name}: from {number(s.y[0], in_percent=in_percent)} at {number(s.x[0])} "
        f"to {number(s.y[-1], in_percent=in_percent)} at {number(s.x[-1])}"
        for s in series
    ]
    return "; ".join(parts) + "."


def _drawable(series: Series, x_log: bool, y_log: bool) -> Series:
    """The points that can be drawn."""
    keep = [
        i
        for i, (x, y) in enumerate(zip(series.x, series.y, strict=True))
        if math.isfinite(x) and math.isfinite(y) and (x > 0 or not x_log) and (y > 0 or not y_log)
    ]
    has_band = len(series.low) == len(series.x) and bool(series.low)
    low, high = ([values[i] for i in keep] if has_band else [] for values in (series.low, series.high))
    return Series(
        series.name,
        [series.x[i] for i in keep],
        [series.y[i] for i in keep],
        low,
        high,
        series.style,
        series.dots,
    )


def _ends(values: Sequence[float], log: bool, margin: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    if log:
        return (low / 1.5, high * 1.5) if low == high else (low, high)
    room = margin * (high - low) or (abs(high) * 0.1 or 1.0) * (low == high)
    return low - room, high + room


def _line(series: Series, x_axis: Axis, y_axis: Axis, in_percent: bool) -> Line:
    points = [(x_axis.at(x), y_axis.at(y)) for x, y in zip(series.x, series.y, strict=True)]
    told = [
        f"{series.name}: {number(y, in_percent=in_percent)} at {number(x)}"
        for x, y in zip(series.x, series.y, strict=True)
    ]
    dots = (
        [(*point, text) for point, text in zip(points, told, strict=True)]
        if series.dots or len(points) == 1
        else []
    )
    return Line(series.name, series.style, _path(points), _band(series, x_axis, y_axis), dots, points[-1])


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in points)


def _band(series: Series, x_axis: Axis, y_axis: Axis) -> str:
    """The outline of the band where it is known."""
    known = [
        (x_axis.at(x), y_axis.at(low), y_axis.at(high))
        for x, low, high in zip(series.x, series.low, series.high, strict=False)
        if math.isfinite(low) and math.isfinite(high) and (low > 0 or not y_axis.log)
    ]
    if not known:
        return ""
    return _path([(x, high) for x, _, high in known] + [(x, low) for x, low, _ in reversed(known)]) + "Z"


def _spread(lines: list[Line], top: int, bottom: int) -> list[Line]:
    """Move labels apart so that none covers another; all stay inside as far as there is room."""
    order = sorted(range(len(lines)), key=lambda i: lines[i].end[1])
    gap = min(GAP, (bottom - top) / max(1, len(lines)))
    places: list[float] = []
    for i in order:
        places.append(max(lines[i].end[1], places[-1] + gap) if places else lines[i].end[1])
    for at in range(len(places) - 1, -1, -1):
        places[at] = min(places[at], bottom if at == len(places) - 1 else places[at + 1] - gap)
    at_end = dict(zip(order, map(float, places), strict=True))
    return [
        Line(ln.name, ln.style, ln.path, ln.band, ln.dots, ln.end, at_end[i]) for i, ln in enumerate(lines)
    ]
