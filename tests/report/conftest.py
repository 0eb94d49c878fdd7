"""Tiny comparisons, cheap enough to draw many pages."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from replearn.comparison import RAW, Comparison, Representation
from replearn.data import TextSamples
from replearn.data.samples import ArraySamples

sys.path.insert(0, str(Path(__file__).parent))  # tests import what lies beside them

COLUMNS = ["representation", "seed", "measure", "labels", "mean", "low", "high", "draws"]


def make_scores(
    means: dict[str, float], *, sizes: Sequence[int] = (4, 40, 400), half: float = 0.01
) -> pd.DataFrame:
    """Scores of representations whose accuracy is `means` at the fewest labels, and rises."""
    rows: list[tuple[Any, ...]] = []
    for name, mean in means.items():
        for i, n in enumerate(sizes):
            value = mean + 0.02 * i
            rows.append((name, 0, "linear probe", n, value, value - half, value + half, 5))
        if sizes:
            rows.append((name, 0, "kNN", sizes[-1], mean + 0.05, mean + 0.04, mean + 0.06, 1))
        rows.append((name, 0, "effective rank", 0, 12.34, np.nan, np.nan, 1))
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture(name="make_scores")
def _make_scores() -> Callable[..., pd.DataFrame]:
    return make_scores


@pytest.fixture(name="make_comparison")
def _make_comparison() -> Callable[..., Comparison]:
    return make_comparison


def make_comparison(
    *,
    shape: tuple[int, ...] = (1, 6, 6),
    n: int = 24,
    classes: Sequence[str] = ("a", "b", "c"),
    labelled: bool = True,
    names: Sequence[str] | None = None,
    rows: Sequence[str] = (RAW, "pca"),
    **more: Any,
) -> Comparison:
    """A comparison of random samples; `more` are its facts."""
    rng = np.random.default_rng(0)
    parts = []
    for _ in range(2):
        x = (
            rng.integers(0, 256, (n, *shape), dtype=np.uint8)
            if len(shape) == 3
            else rng.normal(size=(n, *shape))
        )
        labels = np.arange(n) % len(classes) if labelled else None
        x = x if len(shape) == 3 else x.astype(np.float32)
        parts.append(ArraySamples(x, labels, classes=classes if labelled else (), names=names))
    train, test = parts
    steps = [{"step": float(i), "loss": 1 / i, "samples_per_second": 10.0} for i in range(1, 9)]
    made = [
        Representation(name, train.flat(), test.flat())
        if name == RAW
        else Representation(
            name, train.flat()[:, :4], test.flat()[:, :4], PCA(4), 1.5, steps, ["step 3: it stalls"]
        )
        for name in rows
    ]
    means = {name: 0.5 + 0.1 * i for i, name in enumerate(rows)}
    return Comparison(
        train, test, made, make_scores(means, sizes=(4, 40, 400) if labelled else ()), dict(more)
    )


@pytest.fixture(name="make_texts")
def _make_texts() -> Callable[..., Comparison]:
    return make_texts


def make_texts(
    texts: Sequence[str],
    *,
    classes: Sequence[str] = ("a", "b"),
    labelled: bool = True,
    names: Sequence[str] | None = None,
    **facts: Any,
) -> Comparison:
    """Both parts hold the same texts; rows of numbers drawn at random."""
    n = len(texts)
    labels = np.arange(n) % len(classes) if labelled else None
    train, test = (
        TextSamples(texts, labels, classes=classes if labelled else (), names=names) for _ in range(2)
    )
    draw = np.random.default_rng(0).normal
    rows = [
        Representation(name, draw(size=(n, 3)).astype(np.float32), draw(size=(n, 3)).astype(np.float32))
        for name in ("raw input", "words")
    ]
    scores = make_scores({row.name: 0.5 for row in rows}, sizes=(4, 40) if labelled else ())
    return Comparison(train, test, rows, scores, facts)
