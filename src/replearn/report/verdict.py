"""What the numbers say, with few labels and with all: also when they say that nothing was gained."""

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from replearn.comparison import RAW, before_training, is_baseline
from replearn.report.spread import KNN, PROBE
from replearn.report.table import RANK, Size, joined, known_labels, records, sizes


@dataclass(frozen=True)
class Score:
    """A representation's accuracy and its 95 % interval."""

    name: str
    mean: float
    low: float
    high: float

    @property
    def text(self) -> str:
        return f"{100 * self.mean:.1f} % (95 % interval {100 * self.low:.1f} to {100 * self.high:.1f})"


def verdict(scores: pd.DataFrame, *, labelled: Collection[str] = ()) -> str:
    """How the best learned representation does with the fewest labels, and with all, against the best baseline.

    Where a baseline wins, features made by hand say, it is named.

    Args:
        scores: as `replearn.report.table_rows` takes them.
        labelled: representations that were trained with all labels; a few labels are no measure of them.

    >>> columns = ["representation", "measure", "labels", "mean", "low", "high", "draws"]
    >>> rows = [("raw input", "kNN", 100, 0.9, 0.89, 0.91, 1), ("pca", "kNN", 100, 0.8, 0.79, 0.81, 1)]
    >>> verdict(pd.DataFrame(rows, columns=columns))  # doctest: +ELLIPSIS
    'By kNN, nothing learned here beats the raw input: it reaches 90.0 % ...the best learned one.'
    """
    scores = joined(scores)
    found = sizes(scores)
    if found:
        few, every = found[0], found[-1]
        share = few.title.split(" (")[0] + " of them" * ("per class" not in few.title)
        sentences = [_at(scores, few, f"With {few.labels:,} labels ({share})", labelled)]
        if every.labels > few.labels:
            whole = every.labels == known_labels(scores)
            sentences.append(_at(scores, every, f"With {'all ' * whole}{every.labels:,}", labelled))
        if lost_by_neighbours(scores, labelled):
            sentences.append(_compare("By kNN", _scores(scores, KNN, None), labelled))
        return " ".join(sentences)
    if (scores["measure"] == KNN).any():
        return _compare("By kNN", _scores(scores, KNN, None), labelled)
    return _without_labels(scores)


def lost_by_neighbours(scores: pd.DataFrame, labelled: Collection[str]) -> bool:
    """Whether something that was not learned is ahead of all that was by kNN, the intervals apart."""
    rows = _scores(scores, KNN, None)
    learned = [row for row in rows if not is_baseline(row.name) and row.name not in labelled]
    return bool(learned) and is_baseline(rows[0].name) and rows[0].low > learned[0].high


def _at(scores: pd.DataFrame, size: Size, lead: str, labelled: Collection[str]) -> str:
    """The sentence on one number of labels."""
    own = scores[scores["setting"] == size.setting]
    return _compare(lead, _scores(own, PROBE, size.labels), labelled)


def _scores(scores: pd.DataFrame, measure: str, labels: int | None) -> list[Score]:
    """Best first."""
    rows = [
        Score(name, mean, low, high)
        for name, own, count, mean, low, high in records(scores)
        if own == measure and labels in (None, count)
    ]
    return sorted(rows, key=lambda row: -row.mean)


def _compare(lead: str, rows: list[Score], labelled: Collection[str]) -> str:
    baselines = [row for row in rows if is_baseline(row.name)]
    learned = [row for row in rows if not is_baseline(row.name) and row.name not in labelled]
    if not learned:
        found = f"{lead}, {_named(rows[0])} reaches {rows[0].text}"
        return f"{found}; nothing was learned without labels here to set beside it."
    best = learned[0]
    if not baselines:
        return f"{lead}, {best.name} reaches {best.text}{_rest(best, rows, labelled)}."
    top = baselines[0]
    gap = abs(round(100 * best.mean, 1) - round(100 * top.mean, 1))
    if gap == 0:
        return f"{lead}, {best.name}, the best learned one, is no better than {_named(top)}: both reach {top.text}."
    if best.mean > top.mean:
        return (
            f"{lead}, {best.name} reaches {best.text}, {gap:.1f} points more than {_named(top)}"
            f"{'' if top.name == RAW else ', the best that was not learned'}{_doubt(best, top)}."
        )
    sentence = (
        f"{lead}, nothing learned here beats {_named(top)}: it reaches {top.text}, {gap:.1f} points more than "
        f"{best.name}, the best learned one{_doubt(top, best)}"
    )
    return f"{sentence}; the training gained nothing." if before_training(top.name) else f"{sentence}."


def _named(row: Score) -> str:
    return f"the {row.name}" if is_baseline(row.name) else row.name


def _rest(best: Score, rows: list[Score], labelled: Collection[str]) -> str:
    others = [row for row in rows if row.name != best.name and row.name not in labelled]
    if not others:
        return "; there is no other row to compare it with"
    gap = abs(round(100 * best.mean, 1) - round(100 * others[0].mean, 1))
    side = "more" if best.mean > others[0].mean else "less"
    return f", {gap:.1f} points {side} than {others[0].name}{_doubt(best, others[0])}"


def _doubt(better: Score, worse: Score) -> str:
    """Words of caution where intervals overlap (NaN intervals overlap with everything)."""
    return "" if better.low > worse.high else " (the 95 % intervals overlap)"


def _without_labels(scores: pd.DataFrame) -> str:
    ranks = _scores(scores, RANK, None)
    known = "There are no labels, so nothing here says how useful these representations are"
    if not ranks:
        return f"{known}."
    return f"{known}; {ranks[0].name} uses the most directions (effective rank {ranks[0].mean:.1f})."
