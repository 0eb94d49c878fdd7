"""What evaluation asks of its input, said in one line when it does not hold."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def check_features(features: Array, name: str = "features") -> Array:
    """Return finite floating-point rows (n, d); integers become float32."""
    features = np.asarray(features)
    if features.ndim != 2 or features.size == 0:
        raise ValueError(
            f"{name} must be a table of n rows and d columns, with at least one of each; "
            f"got shape {features.shape}. Flatten every sample to one row."
        )
    if features.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers; got dtype {features.dtype}. Encode them as floats.")
    if features.dtype not in (np.float32, np.float64):
        features = features.astype(np.float32)
    with np.errstate(all="ignore"):
        sound = np.isfinite(features.sum())  # cheap; a sum that overflows is looked at row by row
    bad = 0 if sound else len(features) - int(np.isfinite(features).all(axis=1).sum())
    if bad:
        raise ValueError(
            f"{name} must be finite; {bad} of {len(features)} rows hold NaN or infinity. "
            "Drop these rows, or look for a training that diverged."
        )
    return features


def moves(features: Array) -> npt.NDArray[np.bool_]:
    """Which columns (d,) change by more than rounding: by more than 8 units in the last place of their largest value.

    Each is held against itself, so that no column's unit says anything of another.
    """
    size = np.abs(features).max(axis=0).astype(np.float64)
    spread = features.max(axis=0).astype(np.float64) - features.min(axis=0)
    return np.asarray(spread > 8 * np.finfo(features.dtype).eps * size)


def unit_columns(features: Array) -> npt.NDArray[np.float64]:
    """Columns less their mean, over their deviation, so that units of measure do not matter; one that is constant is 0.

    >>> unit_columns(np.array([[1e-9, 5.0], [3e-9, 5.0]])).round(6).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    size = np.abs(features).max(axis=0).astype(np.float64)
    rows = features / np.where(size > 0, size, 1)  # so that squares neither vanish nor overflow
    rows = (rows - rows.mean(axis=0)) * moves(features)
    deviation = rows.std(axis=0)
    return np.asarray(rows / np.where(deviation > 0, deviation, 1))


def check_labels(labels: Array, rows: int, name: str = "labels") -> Array:
    """Return labels (n,), one for each row."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) != rows:
        raise ValueError(
            f"{name} must hold one label for each of the {rows} rows; got shape {labels.shape}. "
            "Mark unlabelled rows with -1."
        )
    if labels.dtype.kind == "f":
        if not (np.isfinite(labels).all() and (labels == np.round(labels)).all()):
            raise ValueError(
                f"{name} must be classes, not measurements; got fractions or NaN. Bin them first."
            )
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iubUSO":
        raise ValueError(f"{name} must be integers or strings; got dtype {labels.dtype}. Number the classes.")
    return labels


def is_labelled(labels: Array) -> npt.NDArray[np.bool_]:
    """Mark the rows whose label is known: everything but -1 (and None, in an array of objects)."""
    if labels.dtype.kind in "US":
        return np.ones(len(labels), dtype=bool)
    if labels.dtype.kind == "O":
        return np.array([label is not None and label != -1 for label in labels], dtype=bool)
    return np.asarray(labels != -1)


def check_groups(groups: Array | None, labels: Array, name: str = "groups") -> Array | None:
    """The groups (n,) of the rows that are labelled, or None."""
    if groups is None:
        return None
    groups = np.asarray(groups)
    if groups.shape != np.shape(labels):
        raise ValueError(
            f"{name} must hold one group for each of the {len(labels)} rows; got shape {groups.shape}. "
            "Give a row of no group a number of its own."
        )
    return np.asarray(groups[is_labelled(np.asarray(labels))])


def check_labelled(features: Array, labels: Array, name: str) -> tuple[Array, Array]:
    """Check features and labels, and keep the rows with a label."""
    features = check_features(features, name)
    labels = check_labels(labels, len(features), f"{name}_labels")
    known = is_labelled(labels)
    if not known.any():
        raise ValueError(
            f"{name}_labels must hold at least one label; all {len(labels)} are -1. Label some rows."
        )
    return features[known], labels[known]


def check_split(
    train: Array, train_labels: Array, test: Array, test_labels: Array
) -> tuple[Array, Array, Array, Array]:
    """Check a training and a test set of the same columns; rows without a label are dropped."""
    train, train_labels = check_labelled(train, train_labels, "train")
    test, test_labels = check_labelled(test, test_labels, "test")
    check_same_columns(train, test)
    return train, train_labels, test, test_labels


def check_same_columns(train: Array, test: Array, names: tuple[str, str] = ("train", "test")) -> None:
    """Raise unless both tables have the same number of columns."""
    if train.shape[1] != test.shape[1]:
        raise ValueError(
            f"{names[0]} and {names[1]} must have the same columns; got {train.shape[1]} and {test.shape[1]}"
            ". Embed both with the same encoder."
        )


def check_classes(labels: Array) -> Array:
    """Return the classes, of which there must be two at least."""
    classes = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(
            f"train_labels must hold at least 2 classes; got only {classes[0]!r}. "
            "Label samples of another class."
        )
    return classes


def class_numbers(labels: Array, classes: Array) -> npt.NDArray[np.int64]:
    """Number labels by their place in the sorted `classes`; a label that is not there gets -1."""
    index = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    return np.where(classes[index] == labels, index, -1).astype(np.int64)
