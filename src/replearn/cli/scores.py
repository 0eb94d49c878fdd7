"""Scores of a task in columns: beside each its interval, and what it must beat."""

import math
from collections.abc import Mapping


def print_beside(
    title: str,
    found: Mapping[str, float],
    sure: Mapping[str, tuple[float, float]],
    others: Mapping[str, Mapping[str, float]],
    *,
    main: str,
) -> None:
    """Print scores, their intervals and those of baselines in 80 columns; whether one of these is as good by `main`."""
    heads = "".join(f"{name:>16}" for name in others)
    print(f"{title:<24}{'score':>7}{'95 % interval':>17}{heads}")
    for name, value in found.items():
        interval = "{:.3f} to {:.3f}".format(*sure[name]) if name in sure else "-"
        rest = "".join(f"{_number(scores[name]):>16}" for scores in others.values())
        print(f"  {name.replace('_', ' '):<22}{_number(value):>7}{interval:>17}{rest}")
    better = [name for name, scores in others.items() if scores[main] >= found[main]]
    if better:
        print(f"no better than the {better[-1]}, by {main.replace('_', ' ')}: see the columns beside it")


def _number(score: float) -> str:
    """A score; `-` where there is none, as of a correlation with numbers that are all alike."""
    return "-" if math.isnan(score) else f"{score:.4f}"
