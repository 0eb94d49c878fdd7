"""Labels of every form."""

import numpy as np
import pandas as pd
import pytest
import torch

from replearn.data import as_samples, load_data

table = np.zeros((4, 2), np.float32)


@pytest.mark.parametrize(
    ("given", "labels", "classes"),
    [
        ([0, 2, -1, 1], [0, 2, -1, 1], ("0", "1", "2")),
        ([7, 7, 7, 7], [7, 7, 7, 7], tuple("01234567")),
        (np.array([0.0, np.nan, 1.0, 1.0]), [0, -1, 1, 1], ("0", "1")),
        ([0, None, 1, 1], [0, -1, 1, 1], ("0", "1")),
        (["b", "a", None, "b"], [1, 0, -1, 1], ("a", "b")),
        (["b", "a", "", float("nan")], [1, 0, -1, -1], ("a", "b")),
        (np.array(["b", "a", "a", "b"]), [1, 0, 0, 1], ("a", "b")),
        ([True, False, True, True], [1, 0, 1, 1], ("False", "True")),
        (torch.tensor([1, 0, 1, 0]), [1, 0, 1, 0], ("0", "1")),
        (pd.Series(["x", pd.NA, "y", "x"]), [0, -1, 1, 0], ("x", "y")),
        (pd.Series([1, None, 0, 1], dtype="Int64"), [1, -1, 0, 1], ("0", "1")),
        (pd.Series(["x", "y", "x", None], dtype="category"), [0, 1, 0, -1], ("x", "y")),
    ],
)
def test_forms(given, labels, classes):
    samples = as_samples(table, given)
    assert samples.labels.tolist() == labels
    assert samples.labels.dtype == np.int64
    assert samples.classes == classes
    assert samples[np.array([1, 0])].labels.tolist() == [labels[1], labels[0]]


@pytest.mark.parametrize("given", [None, [None] * 4, [-1] * 4, [""] * 4, [float("nan")] * 4])
def test_no_label_at_all_is_none(given):
    samples = as_samples(table, given)
    assert samples.labels is None
    assert samples.classes == ()
    assert samples[np.arange(2)].labels.tolist() == [-1, -1]


def test_classes_keep_train_and_test_apart_in_agreement():
    train = as_samples(table, ["ant", "bee", "cat", "cat"])
    test = as_samples(table, ["cat", None, "cat", "cat"], classes=train.classes)
    assert test.labels.tolist() == [2, -1, 2, 2]
    with pytest.raises(ValueError, match=r"got 'cta'\. Near: cat"):
        as_samples(table, ["cta", "ant", "ant", "ant"], classes=train.classes)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([0, 1], "got 2 labels for 4 samples"),
        (np.eye(4), "one column.*argmax"),
        ([0.5, 1, 1, 0], "whole numbers or names.*numpy.digitize"),
        ([-2, 0, 0, 1], "got -2"),
        ([10**9, 0, 0, 1], "Pass them as strings"),
        ("labels.csv", "must be a CSV"),
    ],
)
def test_bad_labels(bad, message):
    with pytest.raises(ValueError, match=message):
        as_samples(table, bad)


def test_samples_without_names_are_named_by_their_numbers(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("file,label\n2,cat\n0,ant\n1,\n3,cat\n")
    assert as_samples(table, path).labels.tolist() == [0, -1, 1, 1]
    path.write_text("file,label\ncat.png,cat\n")
    with pytest.raises(ValueError, match="must name the files"):
        as_samples(table, path)


def test_relabelling_leaves_the_original_alone():
    digits = load_data("digits8x8")
    hidden = as_samples(digits, np.where(np.arange(len(digits)) < 10, digits.labels, -1))
    assert (hidden.labels >= 0).sum() == 10
    assert (digits.labels >= 0).all()
