"""Several things to predict of each sample: how columns are read, kept, and described."""

import logging

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import replearn
from replearn.data import (
    DataWarning,
    Target,
    Targets,
    as_samples,
    describe,
    description_from_json,
    read_targets,
    shapes,
    split,
    targets_of,
)

NAN = float("nan")
COLUMNS = {"name": ["b", None, "a", "b"], "size": [0.5, NAN, 2.0, -1.0], "count": [2, -1, 0, 1]}


def same(values, expected):
    np.testing.assert_array_equal(values, np.array(expected, dtype=np.float64))


@pytest.mark.parametrize(
    "y",
    [
        COLUMNS,
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS, index=[7, 3, 3, 1]).convert_dtypes(),
        COLUMNS | {"size": torch.tensor(COLUMNS["size"])},
    ],
    ids=["dict", "frame", "nullable", "tensor"],
)
def test_columns_are_classes_or_numbers(y):
    targets = read_targets(y, 4)
    assert targets.names == ("name", "size", "count")
    assert targets.classes == (("a", "b"), None, ("0", "1", "2"))
    same(targets.column("name"), [1, NAN, 0, 1])
    same(targets.column("size"), [0.5, NAN, 2.0, -1.0])  # of numbers, -1 is one
    same(targets.column("count"), [2, NAN, 0, 1])


@pytest.mark.parametrize(
    ("column", "classes"),
    [
        ([1.0, None, 3.0], ("0", "1", "2", "3")),  # as labels with gaps are
        ([1.0, None, 3.5], None),
        ([-5, 3, 30], None),
        ([70_000, 1, 2], None),
        ([True, False, None], ("False", "True")),
        (["1.5", "2", "x"], ("1.5", "2", "x")),
        (pd.Series(["u", "v", None], dtype="category"), ("u", "v")),
    ],
)
def test_what_a_column_is(column, classes):
    assert read_targets({"c": column}, 3).classes == (classes,)


def test_whole_numbers_can_be_numbers_and_keep_minus_one():
    targets = read_targets({"count": [2, -1, None, 0]}, 4).as_numbers(["count"])
    assert targets.classes == (None,)
    same(targets.column("count"), [2, -1, NAN, 0])
    with pytest.raises(ValueError, match="must hold numbers; 'name' holds 'a'"):
        read_targets(COLUMNS, 4).as_numbers(["name"])


@pytest.mark.parametrize(
    ("y", "says"),
    [
        ({}, "must be columns"),
        (pd.DataFrame([[1, 2]] * 3, columns=["a", "a"]), "a name of its own; got"),
        ({"a": [1, 2]}, "one per sample; 'a' holds 2 for 3"),
        ({"a": [1.5, np.inf, 0]}, "must be finite; 'a' holds infinity"),
        ({"a": [None, -1, NAN]}, "known of some samples; of 'a' none is"),
        ({"a": np.zeros((3, 2))}, r"one axis; got shape \(3, 2\)"),
    ],
)
def test_bad_columns_are_told_in_one_line(y, says):
    with pytest.raises(ValueError, match=says) as error:
        read_targets(y, 3)
    assert len(str(error.value).splitlines()) == 1


def test_numbers_that_are_taken_for_classes_are_told_of(caplog):
    with caplog.at_level(logging.WARNING, "replearn"):
        read_targets({"age": list(range(90))}, 90)
    assert "'age': 90 classes among 90 samples" in caplog.text


def test_samples_keep_them_and_a_batch_leads_to_them():
    images = np.random.default_rng(0).integers(0, 255, (4, 1, 8, 8), dtype=np.uint8)
    samples = replearn.as_samples(images, pd.DataFrame(COLUMNS))
    assert samples.labels is None
    some = samples.subset([3, 1, 0]).subset([2, 0])
    same(some.targets.column("size"), [0.5, -1.0])
    batch = some[np.array([1])]
    assert some.targets[batch.index.numpy()].column("count").tolist() == [1]
    train, test = split(samples, test=0.5)
    assert len(train.targets) == len(test.targets) == 2


def test_texts_and_tables_keep_them():
    for data in (["to be", "or", "not", "to"], np.zeros((4, 2), np.float32)):
        samples = replearn.as_samples(data, COLUMNS)
        same(samples.subset([2, 0]).targets.column("name"), [0, 1])


def test_labels_that_are_given_take_their_place():
    images = np.zeros((4, 1, 8, 8), np.uint8)
    with_targets = replearn.as_samples(images, COLUMNS)
    assert replearn.as_samples(with_targets, [0, 1, 0, 1]).targets is None
    assert with_targets.targets is not None


def test_factors_and_labels_are_targets():
    samples = shapes(size=8, scales=2, rotations=3, positions=2)
    targets = targets_of(samples)
    assert targets.names == ("shape", "scale", "rotation", "x", "y")
    assert targets.classes == (samples.classes, None, ("0", "1", "2"), None, None)
    np.testing.assert_array_equal(targets.values, samples.factors)
    own = targets_of(replearn.as_samples(samples, ["a", "b"] * 36))
    assert own.names[-1] == "label"
    assert own.classes[0] == ("0", "1", "2")  # the labels are no longer these
    plain = targets_of(replearn.as_samples(np.zeros((3, 2), np.float32), ["a", None, "b"]))
    assert plain.names == ("label",)
    same(plain.column("label"), [0, NAN, 1])
    assert targets_of(replearn.as_samples(np.zeros((3, 2), np.float32))) is None


def test_a_description_tells_and_brings_them_back():
    samples = replearn.as_samples(np.zeros((4, 1, 8, 8), np.uint8), COLUMNS)
    name, size, count = describe(samples).targets
    assert (name.classes, name.known, count.known) == (("a", "b"), 3, 3)
    assert (size.mean, size.deviation) == pytest.approx((0.5, np.std([0.5, 2, -1])))
    again = description_from_json(describe(samples).to_json()).targets
    assert again == (name, size, count)
    changed = COLUMNS | {"count": [2, -1, 0, 2]}
    other = describe(replearn.as_samples(np.zeros((4, 1, 8, 8), np.uint8), changed)).targets
    assert (other[0].digest, other[1].digest) == (name.digest, size.digest)
    assert other[2].digest != count.digest
    assert "targets" not in describe(replearn.as_samples(np.zeros((2, 2), np.float32))).to_json()


@pytest.mark.parametrize("wrong", [{}, {"name": "a"}, {"mean": "x"}, 5])
def test_a_broken_description_is_told_of(wrong):
    samples = replearn.as_samples(np.zeros((4, 1, 8, 8), np.uint8), COLUMNS)
    told = describe(samples).to_json()
    whole = Target("a", ("x",)).to_json()
    told["targets"] = [(whole | wrong if wrong.get("mean") else wrong) if isinstance(wrong, dict) else wrong]
    with pytest.raises(ValueError, match="must be described by"):
        description_from_json(told)


def test_targets_that_were_read_are_taken_as_they_are():
    targets = Targets(("a",), (None,), np.ones((3, 1)))
    assert read_targets(targets, 3) is targets
    with pytest.raises(ValueError, match="got 3 for 4 samples"):
        read_targets(targets, 4)


def two_targets():
    return pd.DataFrame(
        {
            "a": np.arange(12) / 7,
            "side": ["left", "right", ""] * 4,
            "weight": ["1.5", "", "2", "-3"] * 3,
            "label": list("xy") * 6,
        }
    )


def known(samples):
    return samples.targets.names, samples.targets.classes, samples.targets.values[:3].tolist()


WANTED = (("side", "weight"), (("left", "right"), None), [[0, 1.5], [1, np.nan], [-1, 2]])


def test_columns_of_a_table_are_targets_and_not_learned_from(tmp_path):
    two_targets().to_csv(tmp_path / "table.csv", index=False)
    samples = as_samples(tmp_path / "table.csv", targets=["side", "weight"])
    assert samples.reading.names == ("a",)
    assert samples.labels is None
    np.testing.assert_equal(known(samples), WANTED)
    np.testing.assert_equal(known(samples.subset(np.arange(11))), WANTED)
    frame = pd.read_csv(tmp_path / "table.csv")
    np.testing.assert_equal(known(as_samples(frame, targets=["side", "weight"])), WANTED)
    again = as_samples(tmp_path / "table.csv", targets=["side", "weight"], like=samples)
    assert again.shape == samples.shape
    texts = two_targets().assign(text="some words")
    texts.to_csv(tmp_path / "texts.csv", index=False)
    np.testing.assert_equal(known(as_samples(tmp_path / "texts.csv", targets=["side", "weight"])), WANTED)


def test_columns_of_a_file_of_labels_are_targets(tmp_path):
    (tmp_path / "photos").mkdir()
    rows = two_targets().drop(columns=["a", "label"])
    rows.insert(0, "file", [f"{i}.png" for i in range(12)])
    for name in rows["file"]:
        Image.new("RGB", (8, 8)).save(tmp_path / "photos" / name)
    rows = rows[rows["file"] != "5.png"].sample(frac=1, random_state=0)
    rows.assign(who=rows["file"].str[0]).to_csv(tmp_path / "labels.csv", index=False)
    with pytest.warns(DataWarning, match="1 of 12 files have no row"):
        samples = as_samples(
            tmp_path / "photos", tmp_path / "labels.csv", targets=["side", "weight"], groups="who"
        )
    place = {name: i for i, name in enumerate(samples.names)}
    first = [place[f"{i}.png"] for i in range(3)]
    np.testing.assert_equal(known(samples.subset(first)), WANTED)
    assert (samples.targets.values[place["5.png"], 0], samples.groups[place["3.png"]]) == (-1, "3")
    assert np.isnan(samples.targets.values[place["5.png"], 1])


@pytest.mark.parametrize(
    ("data", "more", "words"),
    [
        ("table.csv", {"targets": "side"}, "Put it in brackets"),
        ("table.csv", {"targets": ["sid"]}, "Did you mean 'side'"),
        ("table.csv", {"targets": ["side", "weight"], "labels": "label"}, "beside no labels"),
        ("table.csv", {"targets": ["side"], "columns": ["side"]}, "takes all of them"),
        ("digits8x8", {"targets": ["side"]}, "must be columns of a table"),
        ("photos", {"targets": ["side"]}, "must be columns of a table"),
    ],
)
def test_targets_that_are_nowhere_are_told(data, more, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    two_targets().to_csv("table.csv", index=False)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save("photos/a.png")
    with pytest.raises(ValueError, match=words) as told:
        as_samples(data, **more)
    assert "\n" not in str(told.value)
