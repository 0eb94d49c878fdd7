"""What is a code worth as a code? All measures of one latent space in one table, beside those of `scorecard`."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from replearn.evaluate.checks import Array, check_features, check_labels, check_same_columns, is_labelled
from replearn.evaluate.clusters import class_silhouette, cluster_scores
from replearn.evaluate.disentanglement import disentanglement
from replearn.evaluate.geometry import lifetime_sparseness, population_sparseness
from replearn.evaluate.hierarchy import layer_probes
from replearn.evaluate.interpolation import PAIRS, STEPS, Decode, interpolate
from replearn.evaluate.intervals import student_interval
from replearn.evaluate.probe_space import ProbeSpace
from replearn.evaluate.scorecard import COLUMNS, Row

NUMBERS = 2**25  # decoded at once: 128 MB


def latent_scores(
    train: Array,
    test: Array,
    *,
    train_labels: Array | None = None,
    test_labels: Array | None = None,
    decode: Decode | None = None,
    originals: Array | None = None,
    space: ProbeSpace | None = None,
    layers: tuple[Sequence[Array], Sequence[Array]] = ((), ()),
    factors: Array | None = None,
    ordered: Sequence[int] = (),
    collapsed: float = 0.0,
    random_state: int = 0,
) -> pd.DataFrame:
    """Score a latent space by every measure that its samples allow.

    Rows: of the test codes "lifetime sparseness" and "population sparseness"; with labels "silhouette", "cluster NMI",
    "cluster ARI" and "cluster accuracy"; with a decoder "reconstruction error" (of the test samples, over their
    variance: 1 is what their mean alone reaches), and in a probe space "reconstruction distance", and "interpolation
    distance", "interpolation straightness", "spherical distance" and "spherical straightness" of `interpolate`, whose
    arcs go around the mean of the training codes; with labels and layers "layer 1 kNN", "layer 1 linear probe" and so
    on; with factors the rows of `disentanglement`.

    Args:
        train, test: codes (n, k) and (m, k).
        train_labels, test_labels: classes (n,) and (m,), -1 for unlabelled, or None.
        decode: from codes to raw rows (m, d), or None.
        originals: the test samples as raw rows (m, d), which must come with a decoder.
        space: of raw rows, to see interpolants in: see `probe_space`; None leaves them out.
        layers: what each layer of the encoder returns of both parts, (n, d_i) and (m, d_i).
        factors: what the training samples were made from (n, f), or None.
        ordered, collapsed: as `disentanglement` has them.
        random_state: seed of draws and k-means.

    Returns:
        The columns of `scorecard`. Intervals of interpolation are over pairs of samples, and `draws` counts these.

    Raises:
        ValueError: codes that are not finite tables of the same columns, labels of another length, or a decoder
            without originals.

    >>> rows = np.random.default_rng(0).normal(size=(60, 4))
    >>> latent_scores(rows[:30], rows[30:]).measure.tolist()
    ['lifetime sparseness', 'population sparseness']
    """
    train, test = check_features(train, "train"), check_features(test, "test")
    check_same_columns(train, test)
    if decode is not None and originals is None:
        raise ValueError(
            "originals must come with a decoder, to compare with; got None. Pass the test samples."
        )
    rows: list[Row] = [
        Row("lifetime sparseness", 0, lifetime_sparseness(test)),
        Row("population sparseness", 0, population_sparseness(test)),
    ]
    rows += _class_rows(test, test_labels, random_state)
    if decode is not None and originals is not None:
        rows += _decoded_rows(test, originals, decode, space)
        if space is not None and len(test) > 1:
            rows += _path_rows(test, decode, space, train.mean(axis=0), random_state)
    known = _classes(train_labels, len(train)) > 1 and _classes(test_labels, len(test)) > 0
    if layers[0] and known and train_labels is not None and test_labels is not None:
        found = layer_probes(layers[0], train_labels, layers[1], test_labels, random_state=random_state)
        tested = int(is_labelled(np.asarray(test_labels)).sum())
        rows += [
            Row(f"layer {layer} {probe}", int(labels), float(mean), float(low), float(high), tested=tested)
            for layer, probe, labels, mean, low, high in found.itertuples(index=False, name=None)
        ]
    if factors is not None:
        found = disentanglement(
            train, factors, ordered=ordered, collapsed=collapsed, random_state=random_state
        )
        rows += [Row(*line) for line in found[COLUMNS].itertuples(index=False, name=None)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _classes(labels: Array | None, rows: int) -> int:
    """How many classes are known."""
    if labels is None:
        return 0
    labels = check_labels(labels, rows)
    return len(np.unique(labels[is_labelled(labels)]))


def _class_rows(test: Array, labels: Array | None, random_state: int) -> list[Row]:
    if labels is None or _classes(labels, len(test)) == 0:
        return []
    score = cluster_scores(test, labels, random_state=random_state)
    found = {
        "silhouette": class_silhouette(test, labels, random_state=random_state),
        "cluster NMI": score.nmi,
        "cluster ARI": score.ari,
        "cluster accuracy": score.accuracy,
    }
    return [Row(name, 0, value) for name, value in found.items()]


def _decoded_rows(codes: Array, originals: Array, decode: Decode, space: ProbeSpace | None) -> list[Row]:
    """How far reconstructions are from their originals, and from any real sample."""
    made = check_features(decode(codes), "decoded rows")
    check_same_columns(originals, made, ("originals", "decoded rows"))
    variance = float(np.square(originals - originals.mean(axis=0)).mean())
    error = float(np.square(originals - made).mean())
    rows: list[Row] = [Row("reconstruction error", 0, error / variance if variance > 0 else math.nan)]
    if space is not None:
        rows.append(_mean_row("reconstruction distance", space.distances(made)))
    return rows


def _path_rows(
    codes: Array, decode: Decode, space: ProbeSpace, centre: Array, random_state: int
) -> list[Row]:
    rows = []
    pairs = max(1, min(PAIRS, NUMBERS // (STEPS * space.components.shape[0])))
    for path, name in (("linear", "interpolation"), ("spherical", "spherical")):
        found = interpolate(
            codes, decode, space, path=path, centre=centre, pairs=pairs, random_state=random_state
        )
        rows.append(_mean_row(f"{name} distance", found.distance))
        rows.append(_mean_row(f"{name} straightness", found.straightness))
    return rows


def _mean_row(name: str, values: Array) -> Row:
    known = values[np.isfinite(values)]
    if not len(known):
        return Row(name, 0, math.nan, draws=0)
    return Row(name, 0, float(known.mean()), *student_interval(known.tolist()), len(known))
