"""How good is a representation? All measures of one embedding in one table."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from replearn.evaluate import geometry
from replearn.evaluate.checks import Array, check_features, check_labels, check_same_columns, is_labelled
from replearn.evaluate.clusters import cluster_scores
from replearn.evaluate.few_labels import few_label_curve
from replearn.evaluate.intervals import accuracy_interval, student_interval, wilson_interval
from replearn.evaluate.neighbours import knn_probe


class Row(NamedTuple):
    """A measure of one representation.

    Attributes:
        measure: its name.
        labels: of training samples that it was given; 0 for none.
        mean, low, high: the number, and its 95 % interval, or NaN.
        draws: how many repetitions of one training the mean is of.
        setting: how labels were drawn, "1 %" or "5 per class"; "" where all are taken or none.
        tested: of an accuracy, the test samples; 0 of all else.
    """

    measure: str
    labels: int
    mean: float
    low: float = math.nan
    high: float = math.nan
    draws: int = 1
    setting: str = ""
    tested: int = 0


COLUMNS = list(Row._fields)


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
    groups: Array | None = None,
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
        groups: of the training rows (n,): copies of a sample, or rows of one patient, which `linear_probe` holds out
            together where it chooses its penalty.
        random_state: seed of draws, splits, k-means and sub-samples.
        clusters: whether to run k-means.
        views: embeddings of two views of the same samples (n', d), for alignment.

    Returns:
        A line per `Row`, with its fields as columns.

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
                groups=groups,
                random_state=random_state,
            )
            # Of few samples two shares may be as many labels: one draw of them is told once.
            share = curve["setting"].str.endswith("%")
            curve = curve[~(share & curve[share].duplicated("labels").reindex(curve.index, fill_value=False))]
            numbers = curve.itertuples(index=False, name=None)
            rows += [
                Row("linear probe", int(n), m, low, high, int(k), setting, tested)
                for setting, n, m, low, high, k in numbers
            ]
            accuracy = knn_probe(train, train_labels, test, test_labels)
            rows.append(Row("kNN", known, accuracy, *wilson_interval(accuracy, tested), tested=tested))
            rows += _cluster_rows(test, test_labels, random_state) if clusters else []
    rows += _geometry_rows(train, views, random_state)
    return pd.DataFrame(rows, columns=COLUMNS)


def join_seeds(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Average the scorecards of several training seeds, row by row.

    `mean` becomes the mean over seeds. `low` and `high` of an accuracy become those of `accuracy_interval`, over the
    test samples and all that differs between seeds (trainings, draws of labels). Those of other measures, and of scores
    without `tested` (written by older versions), become Student's interval over seeds, or the mean of the seeds' own
    where that is wider. What is the same for every seed keeps its own. `draws` and `tested` are the least of them;
    `seeds` counts the frames that hold the row. Further columns (`representation`) tell rows apart, and so do the
    settings by which labels were drawn, where these give as many labels; a column `seed` is dropped.

    Raises:
        ValueError: without a frame.

    >>> frame = pd.DataFrame([Row("kNN", 100, 0.9, 0.8, 1.0, tested=50)])
    >>> join_seeds([frame, frame.assign(mean=0.8)])["mean"].round(3).tolist()
    [0.85]
    """
    if not frames:
        raise ValueError("join_seeds must get at least one scorecard; got none. Score each seed first.")
    joined = _told_apart(frames)
    numbers = ["mean", "low", "high", "draws", "tested"]
    keys = [column for column in joined.columns if column not in numbers]
    rows = []
    for key, group in joined.groupby(keys, sort=False, dropna=False):
        means = [float(value) for value in group["mean"]]
        interval = _interval_of_seeds(means, group)
        least = int(group["draws"].min()), int(group["tested"].min())
        rows.append((*key, float(np.mean(means)), *interval, *least, len(means)))
    return pd.DataFrame(rows, columns=[*keys, *numbers, "seeds"])


def _told_apart(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All rows, without seeds; rows of one seed that are alike but for their numbers get settings of their own."""
    seeded = [f if "seed" in f.columns else f.assign(seed=seed) for seed, f in enumerate(frames)]
    rows = pd.concat(seeded, ignore_index=True)
    for name, unknown in (("setting", ""), ("tested", 0)):  # older versions kept neither
        rows[name] = rows[name].fillna(unknown) if name in rows.columns else unknown
    names = [c for c in rows.columns if c not in ("mean", "low", "high", "draws", "tested")]
    again = rows.groupby(names, sort=False, dropna=False).cumcount()
    rows["setting"] = (rows["setting"] + again.map(lambda count: " again" * count)).str.strip()
    return rows.drop(columns="seed")


def _interval_of_seeds(means: Sequence[float], rows: pd.DataFrame) -> tuple[float, float]:
    low, high = float(rows["low"].mean()), float(rows["high"].mean())
    if len(set(means)) == 1:  # what no seed changes is as sure as it was
        return low, high
    if rows["tested"].min() > 0:
        return accuracy_interval(means, int(rows["tested"].min()))
    ends = student_interval(means)
    return ends if math.isnan(low) else (min(low, ends[0]), max(high, ends[1]))


def _known(labels: Array | None, rows: int, name: str) -> int:
    return 0 if labels is None else int(is_labelled(check_labels(labels, rows, name)).sum())


def _cluster_rows(test: Array, labels: Array, random_state: int) -> list[Row]:
    score = cluster_scores(test, labels, random_state=random_state)
    named = [("NMI", score.nmi), ("ARI", score.ari), ("accuracy", score.accuracy)]
    return [Row(f"cluster {name}", 0, value) for name, value in named]


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
    return [Row(name, 0, value) for name, value in found.items()]
