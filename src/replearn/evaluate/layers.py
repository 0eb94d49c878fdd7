"""Which layer of a network knows what of a word? Probes of each layer, with control tasks.

A probe that is strong enough learns any task by heart. So each layer is probed twice: by the labels, and by labels
that are drawn at random for each *type* (each word form, say) and are therefore in no way in the text. What the probe
gains by the true labels over the drawn ones is its selectivity; read a layer's accuracy with it.
"""

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int

from replearn.evaluate.checks import Array, check_labels, is_labelled
from replearn.evaluate.linear import linear_probe

Types = Sequence[Hashable] | Array  # one per row

COLUMNS = ["layer", "accuracy", "control", "selectivity", "majority"]


def layer_knowledge(
    train: Sequence[Array],
    train_labels: Array,
    test: Sequence[Array],
    test_labels: Array,
    *,
    train_types: Types | None = None,
    test_types: Types | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Accuracy of a linear probe at each layer, beside that on its control task.

    Args:
        train, test: what each layer tells of the same words (or texts), from the first layer to the last: (n, d) and
            (m, d); see `replearn.transfer.word_states` for words.
        train_labels, test_labels: (n,) and (m,), -1 or None where unknown.
        train_types, test_types: what each row is a token of (the word as it is written), by which the control's labels
            are drawn; None: there is no control, since every row is a type of its own (texts).
        random_state: seed of the drawn labels and of the probe's split.

    Returns:
        Columns `layer` (from 0, what goes into the first layer), `accuracy`, `control` (accuracy of the same probe on
        drawn labels), `selectivity` (their difference), `majority` (the share of the most frequent training label).

    Raises:
        ValueError: train and test of different numbers of layers, types of one part alone or not one per row, or what
            the probe refuses.

    References: Hewitt & Liang, EMNLP 2019, sections 2 and 3. https://arxiv.org/abs/1909.03368
        Tenney et al., ACL 2019 (what BERT's layers know). https://arxiv.org/abs/1905.05950

    >>> words = np.arange(60) % 6
    >>> states = np.eye(6)[words]
    >>> layer_knowledge([states], words % 2, [states], words % 2)["accuracy"].tolist()
    [1.0]
    """
    _check(train, test, train_types, test_types)
    known = is_labelled(check_labels(train_labels, len(train[0]), "train_labels"))
    held = is_labelled(check_labels(test_labels, len(test[0]), "test_labels"))
    own, other = np.asarray(train_labels)[known], np.asarray(test_labels)[held]
    drawn = None
    if train_types is not None and test_types is not None:
        kept = (
            [kind for kind, here in zip(train_types, known, strict=True) if here],
            [kind for kind, here in zip(test_types, held, strict=True) if here],
        )
        drawn = control_labels(own, *kept, random_state=random_state)
    values, counts = np.unique(own, return_counts=True)
    usual = float((other == values[counts.argmax()]).mean())
    rows = []
    for layer, (here, there) in enumerate(zip(train, test, strict=True)):
        x, y = np.asarray(here)[known], np.asarray(there)[held]
        accuracy = linear_probe(x, own, y, other, random_state=random_state).accuracy
        control = np.nan
        if drawn is not None:
            control = linear_probe(x, drawn[0], y, drawn[1], random_state=random_state).accuracy
        rows.append((layer, accuracy, control, accuracy - control, usual))
    return pd.DataFrame(rows, columns=COLUMNS)


def control_labels(
    labels: Array, types: Types, test_types: Types, *, random_state: int = 0
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " m"]]:
    """Labels of a control task: for each type one is drawn, as often as labels occur (Hewitt & Liang, section 2.2).

    Args:
        labels: true labels (n,), whose frequencies count.
        types, test_types: what each row of training and test part is a token of.
        random_state: seed.

    Returns:
        Numbers of labels, for the training rows and the test rows; alike for tokens of one type.

    >>> train, test = control_labels(np.array([0, 1, 1]), ["a", "b", "a"], ["b"])
    >>> train[0] == train[2], train[1] == test[0]
    (np.True_, np.True_)
    """
    draw = np.random.default_rng(random_state)
    _, counts = np.unique(labels, return_counts=True)
    found: dict[Hashable, int] = {}
    for kind in (*types, *test_types):
        if kind not in found:
            found[kind] = int(draw.choice(len(counts), p=counts / counts.sum()))
    own, other = ([found[kind] for kind in part] for part in (types, test_types))
    return np.array(own, dtype=np.int64), np.array(other, dtype=np.int64)


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Where knowledge lies: the best layer, and the expected layer, weighted by what each layer adds to those before.

    With the accuracy `A_l` of layer l, and `Δ_l = max(A_0 ... A_l) - max(A_0 ... A_{l-1})`:

        expected layer = Σ_l l Δ_l / Σ_l Δ_l,    l = 1 ... L

    after Tenney et al. (section 3.2), whose probes read all layers up to l.

    >>> summary(pd.DataFrame({"layer": [0, 1, 2], "accuracy": [0.5, 0.9, 0.8]}))
    {'best layer': 1, 'expected layer': 1.0}
    """
    best = np.maximum.accumulate(table["accuracy"].to_numpy(dtype=float))
    gain = np.diff(best)
    layers = table["layer"].to_numpy()
    expected = float((layers[1:] * gain).sum() / gain.sum()) if gain.sum() > 0 else float(layers[0])
    return {"best layer": int(layers[table["accuracy"].to_numpy().argmax()]), "expected layer": expected}


def _check(
    train: Sequence[Array],
    test: Sequence[Array],
    train_types: Types | None,
    test_types: Types | None,
) -> None:
    if len(train) != len(test) or not len(train):
        raise ValueError(
            f"train and test must hold the same layers, at least one; got {len(train)} and {len(test)}. "
            "Run both through the same network."
        )
    for name, types, rows in (("train", train_types, train[0]), ("test", test_types, test[0])):
        if (train_types is None) != (test_types is None) or (types is not None and len(types) != len(rows)):
            raise ValueError(
                f"{name}_types must hold one type for each of {len(rows)} rows, in both parts or in none; "
                f"got {'none' if types is None else len(types)}. Give the words."
            )
