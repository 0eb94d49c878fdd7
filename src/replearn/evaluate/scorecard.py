"""How good is a representation? All measures of one embedding in one table."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from replearn.evaluate import geometry
from replearn.evaluate.checks import Array, check_features, check_labels, check_same_columns, is_labelled
from replearn.evaluate.clusters import cluster_scores
from replearn.evaluate.few_labels import few_label_curve
from replearn.evaluate.intervals import student_interval, wilson_interval
from replearn.evaluate.neighbours import knn_probe

COLUMNS = ["measure", "labels", "mean", "low", "high", "draws"]

Row = tuple[str, int, float, float, float, int]


def scorecard(
    train: Array,
    train_labels: Array | None,
    test: Array | None,
    test_labels: Array | None,
    *,
    fractions: Sequence[float] = (0.01, 0.1, 1.0),
    per_class: Sequence[int] = (),
    draws: int = 5,
    scaling: str = "common",
    random_state: int = 0,
    clusters: bool = False,
    views: tuple[Array, Array] | None = None,
) -> pd.DataFrame:
    """Score one embedding by every measure that its labels allow.

    Rows: "linear probe" for each number of labels (`few_label_curve`), "kNN" (`knn_probe`), with `clusters`
    "cluster NMI", "cluster ARI" and "cluster accuracy" of the test rows, then measures without labels of the
    training rows: "effective rank", "alpha-ReQ", "uniformity", "sparsity", "dead dimensions"; with `views`
    "alignment".

    Args:
        train, test: features (n, d) and (m, d); test may be None where there are no labels.
        train_labels, test_labels: classes (n,) and (m,), -1 for unlabelled. Where either set has no label
            (None, or all -1), only measures without labels are taken.
        fractions, per_class, draws: sizes and number of the draws of labels.
        scaling: of the linear probe's features, "common" or "columns", as in `linear_probe`.
        random_state: seed of draws, splits, k-means and sub-samples.
        clusters: whether to run k-means.
        views: embeddings of two views of the same samples (n', d), for alignment.

    Returns:
        Columns `measure`, `labels` (training labels used, 0 for measures without), `mean`, `low` and `high`
        (95 % interval, or NaN), `draws`.

    Raises:
        ValueError: for features that are not finite, labels of another length, or a single class.

    >>> rows = np.random.default_rng(0).normal(size=(60, 4))
    >>> scorecard(rows, None, None, None).measure.tolist()[:2]
    ['effective rank', 'alpha-ReQ']
    """
    train = check_features(train, "train")
    rows: list[Row] = []
    known = _known(train_labels, len(train), "train_labels")
    if test is not None:
        test = check_features(test, "test")
        check_same_columns(train, test)
        tested = _known(test_labels, len(test), "test_labels")
        if known and tested and train_labels is not None and test_labels is not None:
            curve = few_label_curve(
                train,
                train_labels,
                test,
                test_labels,
                fractions=fractions,
                per_class=per_class,
                draws=draws,
                scaling=scaling,
                random_state=random_state,
            )
            numbers = curve[COLUMNS[1:]].itertuples(index=False, name=None)
            rows += [("linear probe", int(n), m, low, high, int(k)) for n, m, low, high, k in numbers]
            accuracy = knn_probe(train, train_labels, test, test_labels)
            rows.append(("kNN", known, accuracy, *wilson_interval(accuracy, tested), 1))
            rows += _cluster_rows(test, test_labels, random_state) if clusters else []
    rows += _geometry_rows(train, views, random_state)
    return pd.DataFrame(rows, columns=COLUMNS)


def join_seeds(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Average the scorecards of several training seeds, row by row.

    `mean`, `low` and `high` become the mean over seeds of `mean` and its Student interval; a row that came
    from one seed keeps its own interval. `draws` is the least of the draws, `seeds` counts the frames that
    hold the row. Further columns (`representation`) tell rows apart; a column `seed` is dropped.

    Raises:
        ValueError: without a frame.

    >>> frame = pd.DataFrame([("kNN", 100, 0.9, 0.8, 1.0, 1)], columns=COLUMNS)
    >>> join_seeds([frame, frame.assign(mean=0.8)])["mean"].round(3).tolist()
    [0.85]
    """
    if not frames:
        raise ValueError("join_seeds must get at least one scorecard; got none. Score each seed first.")
    joined = pd.concat(frames, ignore_index=True).drop(columns="seed", errors="ignore")
    numbers = ["mean", "low", "high", "draws"]
    keys = [column for column in joined.columns if column not in numbers]
    rows = []
    for key, group in joined.groupby(keys, sort=False, dropna=False):
        means = [float(value) for value in group["mean"]]
        low, high = float(group["low"].iloc[0]), float(group["high"].iloc[0])
        if len(means) > 1:
            low, high = student_interval(means)
        rows.append((*key, float(np.mean(means)), low, high, int(group["draws"].min()), len(means)))
    return pd.DataFrame(rows, columns=[*keys, *numbers, "seeds"])


def _known(labels: Array | None, rows: int, name: str) -> int:
    return 0 if labels is None else int(is_labelled(check_labels(labels, rows, name)).sum())


def _cluster_rows(test: Array, labels: Array, random_state: int) -> list[Row]:
    score = cluster_scores(test, labels, random_state=random_state)
    named = [("NMI", score.nmi), ("ARI", score.ari), ("accuracy", score.accuracy)]
    return [(f"cluster {name}", 0, value, math.nan, math.nan, 1) for name, value in named]


def _geometry_rows(train: Array, views: tuple[Array, Array] | None, random_state: int) -> list[Row]:
    found = {
        "effective rank": geometry.effective_rank(train),
        "alpha-ReQ": geometry.alpha_req(train),
        "uniformity": geometry.uniformity(train, random_state=random_state) if len(train) > 1 else math.nan,
        "sparsity": geometry.sparsity(train),
        "dead dimensions": geometry.dead_dimensions(train),
    }
    if views is not None:
        found["alignment"] = geometry.alignment(*views)
    return [(name, 0, value, math.nan, math.nan, 1) for name, value in found.items()]
