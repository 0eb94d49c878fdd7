"""A layer that knows a word's class is told from one that knows the word alone."""

import numpy as np
import pandas as pd
import pytest

from replearn.evaluate import linear_probe
from replearn.evaluate.layers import control_labels, layer_knowledge, summary

RNG = np.random.default_rng(0)
TYPES, CLASSES = 60, 3
WORDS = RNG.integers(0, TYPES, 900)
KIND = RNG.integers(0, CLASSES, TYPES)  # of each word
LABELS = KIND[WORDS]
IDENTITY = np.eye(TYPES)[WORDS]  # knows the word, and so both tasks
ABSTRACT = np.eye(CLASSES)[LABELS] + 0.01 * RNG.normal(size=(900, CLASSES))  # knows the class alone
NOISE = RNG.normal(size=(900, 4))
LAYERS = [NOISE, IDENTITY, ABSTRACT]


def table(**more):
    train, test = [layer[:600] for layer in LAYERS], [layer[600:] for layer in LAYERS]
    types = {"train_types": WORDS[:600].tolist(), "test_types": WORDS[600:].tolist()} | more
    return layer_knowledge(train, LABELS[:600], test, LABELS[600:], **types)


def test_selectivity_tells_a_rule_from_learning_by_heart():
    found = table()
    assert found["layer"].tolist() == [0, 1, 2]
    assert (found["accuracy"][1:] > 0.97).all()
    assert found["accuracy"][0] < 0.6
    assert found["control"][1] > 0.95
    assert found["control"][2] < 0.6
    assert found["selectivity"][2] > 0.35
    assert abs(found["selectivity"][1]) < 0.1
    assert found["majority"].nunique() == 1
    assert 0.2 < found["majority"][0] < 0.6
    np.testing.assert_allclose(found["selectivity"], found["accuracy"] - found["control"])


def test_accuracy_is_that_of_the_linear_probe_and_unlabelled_rows_do_not_count():
    labels = LABELS.copy()
    labels[::3] = -1
    train, test = [ABSTRACT[:600]], [ABSTRACT[600:]]
    found = layer_knowledge(
        train, labels[:600], test, labels[600:], train_types=WORDS[:600], test_types=WORDS[600:]
    )
    known = labels >= 0
    own, held = known[:600], known[600:]
    wanted = linear_probe(ABSTRACT[:600][own], labels[:600][own], ABSTRACT[600:][held], labels[600:][held])
    assert found["accuracy"][0] == wanted.accuracy


def test_without_types_there_is_no_control():
    found = table(train_types=None, test_types=None)
    assert found["control"].isna().all()
    assert found["accuracy"].notna().all()


def test_a_type_has_one_control_label_drawn_as_often_as_labels_occur():
    skewed = np.array([0] * 900 + [1] * 100)
    types = [f"word {i}" for i in range(1000)]
    train, test = control_labels(skewed, types, types[::-1], random_state=3)
    assert train.tolist() == test.tolist()[::-1]
    assert abs(train.mean() - 0.1) < 0.03
    assert control_labels(skewed, types, [], random_state=4)[0].tolist() != train.tolist()


def test_summary_weighs_layers_by_what_they_add():
    told = summary(pd.DataFrame({"layer": [0, 1, 2, 3], "accuracy": [0.2, 0.5, 0.4, 0.6]}))
    assert told["best layer"] == 3
    assert told["expected layer"] == pytest.approx((1 * 0.3 + 3 * 0.1) / 0.4)
    assert summary(pd.DataFrame({"layer": [0, 1], "accuracy": [0.5, 0.4]}))["expected layer"] == 0.0


def test_what_is_refused():
    with pytest.raises(ValueError, match="must hold the same layers"):
        layer_knowledge([NOISE], LABELS, [], LABELS)
    with pytest.raises(ValueError, match="train_types must hold one type"):
        table(train_types=None)
    with pytest.raises(ValueError, match="test_types must hold one type for each of 300 rows"):
        table(test_types=["a"])
