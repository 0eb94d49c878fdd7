"""At which depth does a network know the classes? Probes of every layer."""

from collections.abc import Sequence

import pandas as pd

from replearn.evaluate.checks import Array, check_labels, is_labelled
from replearn.evaluate.intervals import wilson_interval
from replearn.evaluate.linear import linear_probe
from replearn.evaluate.neighbours import knn_probe

COLUMNS = ["layer", "probe", "labels", "mean", "low", "high"]


def layer_probes(
    train: Sequence[Array],
    train_labels: Array,
    test: Sequence[Array],
    test_labels: Array,
    *,
    random_state: int = 0,
) -> pd.DataFrame:
    """Accuracy of kNN and of a linear probe at each layer of a network.

    Layers differ in width, and wide ones help a linear probe: read both.

    Args:
        train, test: what each layer returns of the same samples, from the first to the last: (n, d_i) and (m, d_i).
        train_labels, test_labels: classes (n,) and (m,), -1 for unlabelled.
        random_state: seed of the linear probe's split.

    Returns:
        Columns `layer` (from 1), `probe` ("kNN" or "linear probe"), `labels`, `mean`, `low`, `high` (95 %).

    Raises:
        ValueError: train and test of different numbers of layers, or what the probes refuse.

    Reference: Alain & Bengio, "Understanding intermediate layers using linear classifier probes", 2016.
        https://arxiv.org/abs/1610.01644

    >>> import numpy as np
    >>> labels = np.arange(40) % 2
    >>> layers = [np.ones((40, 1)), labels[:, None] * 2.0 - 1]
    >>> layer_probes(layers, labels, layers, labels)["mean"].tolist()
    [0.5, 0.5, 1.0, 1.0]
    """
    if len(train) != len(test) or not len(train):
        raise ValueError(
            f"train and test must hold the same layers, at least one; got {len(train)} and {len(test)}. "
            "Run both through the same network."
        )
    known = int(is_labelled(check_labels(train_labels, len(train[0]), "train_labels")).sum())
    tested = int(is_labelled(check_labels(test_labels, len(test[0]), "test_labels")).sum())
    rows = []
    for layer, (own, held) in enumerate(zip(train, test, strict=True), start=1):
        split = own, train_labels, held, test_labels
        near = knn_probe(*split)
        straight = linear_probe(*split, random_state=random_state).accuracy
        rows.append((layer, "kNN", known, near, *wilson_interval(near, tested)))
        rows.append((layer, "linear probe", known, straight, *wilson_interval(straight, tested)))
    return pd.DataFrame(rows, columns=COLUMNS)
