"""Labels that are hidden: methods and probes see the same few, and what answers is judged by its answers."""

import numpy as np
import pytest

from replearn.comparison import compare, judge
from replearn.comparison.hidden import told, with_few_labels
from replearn.data import as_samples, load_data
from replearn.methods import FixMatch, SimCLR, Supervised
from replearn.report import table_rows, verdict
from replearn.views import Noise, Pair, Same

TINY = {
    "encoder": "mlp",
    "epochs": 1,
    "batch_size": 32,
    "precision": "32-true",
    "views": Pair(Same(), Noise(0.1)),
}


@pytest.fixture(scope="module")
def digits():
    samples = load_data("digits8x8", split="train")
    return samples.subset(np.arange(200)), samples.subset(np.arange(200, 260))


@pytest.fixture(scope="module")
def found(digits):
    methods = {"FixMatch": FixMatch(**TINY), "Supervised": Supervised(**TINY), "SimCLR": SimCLR(**TINY)}
    return compare(methods, *digits, labelled=30, seeds=(0, 1), draws=2)


def test_each_class_has_its_share_and_the_seed_decides(digits):
    train, _ = digits
    few = with_few_labels(train, 30, seed=0)
    known = few.labels >= 0
    assert known.sum() == 30
    assert (few.labels[known] == train.labels[known]).all()
    shares = np.bincount(few.labels[known], minlength=10) / np.bincount(train.labels, minlength=10)
    assert shares.max() - shares.min() < 0.06
    assert (few.labels == with_few_labels(train, 30, seed=0).labels).all()
    assert (few.labels == with_few_labels(train, 0.15, seed=0).labels).all()
    assert (few.labels != with_few_labels(train, 30, seed=1).labels).any()
    assert (train.labels >= 0).all()  # as they were
    assert few.classes == train.classes
    assert told(few, train).startswith("30 of 200 training labels are seen by methods and probes, ")


@pytest.mark.parametrize("wrong", [9, 201, 30.5, 0.01])
def test_a_number_of_labels_that_can_not_be(digits, wrong):
    with pytest.raises(ValueError, match=r"whole number from 10 \(one of each class\) to 200") as error:
        with_few_labels(digits[0], wrong, seed=0)
    assert len(str(error.value).splitlines()) == 1


def test_without_labels_there_is_nothing_to_hide():
    with pytest.raises(ValueError, match="labels must be there to be hidden"):
        with_few_labels(as_samples(np.zeros((4, 2), np.float32)), 2, seed=0)


def test_methods_are_fitted_with_the_labels_that_are_seen(digits, monkeypatch):
    seen = []
    fit = Supervised.fit
    monkeypatch.setattr(
        Supervised, "fit", lambda self, X, **more: seen.append(X.labels) or fit(self, X, **more)
    )
    compare({"Supervised": Supervised(**TINY)}, *digits, labelled=30, seeds=(0, 1), draws=2)
    wanted = [with_few_labels(digits[0], 30, seed=seed).labels for seed in (0, 1)]
    assert all((a == b).all() for a, b in zip(seen, wanted, strict=True))


@pytest.mark.all
def test_probes_see_those_labels_alone(found, digits):
    scores = found.scores
    assert set(scores[scores["measure"].isin(["linear probe", "kNN"])]["labels"]) == {30}
    rows = [(seed, found.rows[0]) for seed in (0, 1)]
    seen = {seed: with_few_labels(digits[0], 30, seed=seed) for seed in (0, 1)}
    again = judge(rows, *digits, seen=seen, fractions=(1.0,)).scores
    raw = scores[scores["representation"] == "raw input"].reset_index(drop=True)
    assert (raw["mean"] == again["mean"]).all()
    whole = judge(rows[:1], *digits, fractions=(1.0,)).scores
    assert (whole[whole["measure"] == "kNN"]["labels"] == 200).all()


def test_what_answers_has_a_column_of_its_own(found, digits):
    direct = found.scores[found.scores["measure"] == "direct"]
    assert direct["representation"].tolist() == ["FixMatch", "Supervised"] * 2
    assert (direct["tested"] == 60).all()
    for row in found.rows:
        if row.name in ("FixMatch", "Supervised"):
            first = direct[(direct["representation"] == row.name) & (direct["seed"] == 0)]
            assert first["mean"].item() == row.method.score(digits[1])
            assert first["low"].item() < first["mean"].item() < first["high"].item()
    table = table_rows(found.scores)
    assert [column.title for column in table.columns] == ["100 % (30)", "kNN", "direct", "rank"]
    numbers = {name: cells[2].number for name, cells in zip(table.names, table.cells, strict=True)}
    assert {name for name, number in numbers.items() if number != "–"} == {"FixMatch", "Supervised"}
    assert "direct: a method's own predictions" in table.note
    assert "With 30 labels" in verdict(found.scores)


def test_how_many_labels_were_seen_is_a_fact(found, digits):
    assert found.facts["labels"].startswith("30 of 200 training labels are seen")
    assert len(found.train.labels[found.train.labels >= 0]) == 200  # the map is coloured by all
    plain = compare({"Supervised": Supervised(**TINY)}, *digits, fractions=(1.0,), draws=2)
    assert "labels" not in plain.facts
    assert "direct" in set(plain.scores["measure"])


def test_a_method_of_few_labels_says_what_to_do_with_all(digits, monkeypatch):
    monkeypatch.setattr(Supervised, "fit", lambda *args, **more: pytest.fail("fitted"))
    with pytest.raises(
        ValueError, match=r"^FixMatch must see samples without a label, too; all 200.*--labelled 80"
    ) as e:
        compare({"Supervised": Supervised(**TINY), "FixMatch": FixMatch(**TINY)}, *digits)
    assert len(str(e.value).splitlines()) == 1


def test_samples_that_lack_labels_need_no_hiding(digits):
    train, test = digits
    gaps = with_few_labels(train, 40, seed=3)
    scores = compare({"FixMatch": FixMatch(**TINY)}, gaps, test, fractions=(1.0,), draws=2).scores
    assert set(scores[scores["measure"] == "kNN"]["labels"]) == {40}
