"""Which columns of a table are features, and how they become numbers."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

from replearn.data import DataWarning, as_samples, describe, description_from_json, split
from replearn.data.columns import choose_columns
from replearn.data.table_reading import TableReading

N = 60


def measured(n=N, seed=0):
    """Columns that are features, of every kind that is easily mistaken for something else."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "size": draw.normal(size=n),
            "count": draw.poisson(5, n),
            "year": draw.permutation(np.arange(1950, 1950 + n)),  # all different, in no order
            "price": draw.integers(10_000, 90_000, n),
            "paid": draw.integers(0, 2, n),
            "grid": np.repeat(np.arange(n // 6), 6),
            "key": draw.integers(0, 12, n),
            "y": draw.normal(size=n),
            "flag": draw.integers(0, 2, n).astype(bool),
        }
    )


def written(frame, tmp_path, ending):
    """The frame, or a file of it."""
    path = tmp_path / f"t.{ending}"
    if ending == "frame":
        return frame
    frame.to_parquet(path) if ending == "parquet" else frame.to_csv(path, index=False)
    return path


LABELS = np.random.default_rng(5).integers(0, 3, N)
NO_FEATURES = {
    "Unnamed: 0": np.random.default_rng(1).permutation(N),  # pandas' index after a shuffle
    "": [f"row {i}" for i in range(N)],
    "index": np.arange(N)[::-1],
    "counter": np.arange(1000, 1000 + N),
    "id": np.arange(N) % 7,
    "patient_id": [f"p{i % 9}" for i in range(N)],
    "PassengerId": np.random.default_rng(2).permutation(N),
    "Label": LABELS,
    "Class": np.array(["a", "b", "c"])[LABELS],
    "target": LABELS / 2,
    "species": np.array(["ape", "bee", "cat"])[LABELS],  # another name of the label, whatever it is called
    "note": [f"text {i}" for i in range(N)],
    "blank": [None] * N,
}


@pytest.mark.parametrize("ending", ["frame", "csv", "parquet"])
@pytest.mark.parametrize("name", NO_FEATURES)
def test_what_is_no_feature_is_left_out_and_told(name, ending, tmp_path):
    frame = measured().assign(label=LABELS)
    frame.insert(2, name, NO_FEATURES[name])
    with pytest.warns(DataWarning, match="not learned from") as caught:
        samples = as_samples(written(frame, tmp_path, ending))
    assert samples.shape == (9,)
    assert len(caught) == 1
    shown = "Unnamed: 2" if ending == "csv" and not name else name
    assert repr(shown) in str(caught[0].message)
    np.testing.assert_allclose(samples.flat(), measured().to_numpy(float), rtol=1e-6)
    with pytest.raises(ValueError, match=r"strict: .*not learned from"):
        as_samples(written(frame, tmp_path, ending), strict=True)


@pytest.mark.parametrize("ending", ["frame", "csv", "parquet"])
def test_features_are_never_left_out(ending, tmp_path):
    """All of `measured`, many draws: no column is taken for an index, an id or a label."""
    for seed in range(5):
        frame = measured(seed=seed).assign(label=LABELS)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert as_samples(written(frame, tmp_path, ending)).shape == (9,)


def test_columns_and_drop_have_the_last_word():
    frame = measured().assign(id=np.arange(N), label=LABELS)
    assert as_samples(frame, columns=["id", "size"]).flat()[:, 0].tolist() == list(range(N))
    with pytest.warns(DataWarning, match="'id'"):
        assert as_samples(frame, drop=["size", "count"]).shape == (7,)
    for wrong in ({"columns": ["sise"]}, {"drop": ["sise"]}, {"groups": "sise"}):
        with pytest.raises(ValueError, match=r"must have a column 'sise'.*Did you mean 'size'"):
            as_samples(frame, **wrong)
    with pytest.raises(ValueError, match="'label' is the column of labels"):
        as_samples(frame, columns=["label"])
    with pytest.raises(ValueError, match="columns must name a column of a table"):
        as_samples(np.eye(3), columns=["a"])


@pytest.mark.parametrize("name", ["Label", "LABELS", "class", "Target"])
def test_labels_under_a_name_like_label(name):
    samples = as_samples(measured().assign(**{name: LABELS}))
    assert samples.shape == (9,)
    assert samples.labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("ending", ["frame", "csv", "parquet"])
def test_a_target_that_is_measured_is_neither_label_nor_feature(ending, tmp_path):
    frame = measured().assign(target=np.random.default_rng(0).normal(size=N))
    with pytest.warns(DataWarning, match="'target' holds measurements"):
        samples = as_samples(written(frame, tmp_path, ending))
    assert samples.labels is None
    assert samples.shape == (9,)


def mixed(n=200, seed=0):
    """Numbers and names with gaps."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"a": draw.normal(size=n), "b": draw.integers(0, 9, n).astype(float), "c": draw.normal(size=n)}
    )
    frame["colour"] = draw.choice(["red", "green", "NA", "None"], n)
    frame["kind"] = draw.choice(["u", "v"], n)
    frame.loc[draw.random(n) < 0.2, "b"] = np.nan
    frame.loc[draw.random(n) < 0.2, "kind"] = None
    return frame


@pytest.mark.parametrize("ending", ["frame", "csv", "parquet"])
def test_a_reading_is_that_of_scikit_learn(ending, tmp_path):
    frame = mixed()
    with pytest.warns(DataWarning, match="a column per value: 'colour' .4., 'kind' .3.*median.*'b'"):
        samples = as_samples(written(frame, tmp_path, ending))
    fill = SimpleImputer(strategy="median", add_indicator=True)
    expected = [
        ColumnTransformer([("fill", fill, ["a", "b", "c"])]).fit_transform(frame)[:, [0, 1, 3, 2]],
        OneHotEncoder(sparse_output=False).fit_transform(frame[["colour", "kind"]].fillna("")),
    ]
    np.testing.assert_allclose(samples.flat(), np.concatenate(expected, axis=1), rtol=1e-6)


def test_a_split_learns_the_reading_from_its_training_part():
    frame = mixed().assign(rare="x")
    for seed in range(3):
        held = split(quiet(frame), random_state=seed)[1].index
        other = frame.copy()
        other.loc[held, "b"] = np.nan
        other.loc[held, "colour"] = "unheard"
        train, test = split(quiet(other), random_state=seed)
        again, _ = split(quiet(frame), random_state=seed)
        if set(test.index) == set(held):  # copies would be drawn otherwise
            assert train.reading == again.reading
            np.testing.assert_array_equal(train.flat(), again.flat())
            assert test.shape == train.shape


def quiet(data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return as_samples(data, **options)


@pytest.mark.parametrize("ending", ["frame", "csv", "parquet"])
def test_another_table_is_read_alike(ending, tmp_path, caplog):
    """By a reading that went through JSON: columns by name, medians and values as in training."""
    train = quiet(mixed())
    kept = description_from_json(describe(train).to_json())
    other = mixed(50, seed=1)[["kind", "colour", "c", "b", "a"]].assign(more=1.5, label="z")
    other.loc[:4, "colour"] = "blue"
    other.loc[:2, "a"] = np.nan
    caplog.set_level("INFO", "replearn")
    samples = as_samples(written(other, tmp_path, ending), like=kept)
    rows, colours = samples.flat(), ["NA", "None", "green", "red"]
    assert samples.shape == train.shape
    np.testing.assert_allclose(rows[3:, 0], other["a"][3:], rtol=1e-6)
    np.testing.assert_allclose(rows[:3, 0], np.median(mixed()["a"]), rtol=1e-6)
    assert rows[:5, 4:8].sum() == 0
    assert [colours[place] for place in rows[5:, 4:8].argmax(1)] == other["colour"][5:].tolist()
    for line in ("left out: more", "5 values of 'colour' were not in training", "3 gaps of 'a'"):
        assert line in caplog.text
    with pytest.raises(ValueError, match="1 of 5 are missing: 'c'"):
        as_samples(written(other.drop(columns="c"), tmp_path, ending), like=kept)
    with pytest.raises(
        ValueError, match=r"'c' of .* must hold numbers, as in training; 50 rows do not .first: 'w'"
    ):
        as_samples(written(other.assign(c="w"), tmp_path, ending), like=kept)


@pytest.mark.parametrize("make", [np.asarray, lambda x: pd.DataFrame(x, columns=["a", "b"])])
def test_big_offsets_keep_their_digits(make):
    draw = np.random.default_rng(0)
    x = np.stack([1.7e9 + draw.permutation(500), draw.normal(size=500)], axis=1)
    with pytest.warns(DataWarning, match="float32 would lose digits"):
        samples = as_samples(make(x))
    assert len(np.unique(samples.flat()[:, 0])) == 500
    other = x[:5] + np.array([3, 0])
    again = as_samples(make(other), like=samples).flat()
    np.testing.assert_allclose(again[:, 0] - samples.flat()[:5, 0], 3)


def test_units_do_not_make_a_column_constant():
    x = np.random.default_rng(0).normal(size=(300, 2)) * [1e-9, 1.0]
    _, std = as_samples(x).statistics
    assert std[0].item() == pytest.approx(x[:, 0].std(), rel=1e-5)
    assert as_samples(np.full((5, 2), 1e7)).statistics[1].tolist() == [1, 1]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv", "a.tsv.gz"])
def test_damaged_files_are_one_line(tmp_path, name):
    import gzip

    whole = gzip.compress(measured().to_csv(index=False).encode())
    for number, content in enumerate((whole[:-20], whole[:40] + bytes(9) + whole[49:], b"", b"\x1f\x8b")):
        path = tmp_path / f"{number}{name}"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"must be a readable table|must be a whole file|none:") as error:
            as_samples(path)
        assert "\n" not in str(error.value)


def test_groups_of_a_table(tmp_path):
    frame = measured().assign(patient=[f"0{i // 6}" if i else None for i in range(N)], label=LABELS)
    for ending in ("frame", "csv", "parquet"):
        samples = as_samples(written(frame, tmp_path, ending), groups="patient")
        assert samples.shape == (9,)
        assert samples.groups[[0, 1, 59]].tolist() == ["", "00", "09"]
        train, test = split(samples)
        assert not (set(train.groups) & set(test.groups)) - {""}
    assert as_samples(np.eye(3), groups=[1, None, 1]).groups.tolist() == ["1.0", "", "1.0"]
    with pytest.raises(ValueError, match="one name per sample; got 2 for 3"):
        as_samples(np.eye(3), groups=["a", "b"])
    with pytest.raises(ValueError, match="groups must be a column of a table"):
        as_samples(np.eye(3), groups="a")


@pytest.mark.parametrize("column", ["patient", "Subjects", "speaker_no", "group"])
@pytest.mark.parametrize("values", ["names", "numbers"])
def test_features_that_look_like_groups_are_told(tmp_path, caplog, column, values):
    groups = [f"p{i // 6}" if values == "names" else i // 6 * 7 for i in range(N)]
    frame = measured().assign(**{column: groups}, label=LABELS)
    for ending in ("frame", "csv", "parquet"):
        data = written(frame, tmp_path, ending)
        with pytest.warns(
            DataWarning, match=f"{column!r} is learned from, but looks like groups of rows \\(10 val"
        ):
            assert column in as_samples(data).reading.names
        caplog.clear()
        with warnings.catch_warnings(), caplog.at_level("INFO", logger="replearn"):
            warnings.simplefilter("error")
            assert column not in as_samples(data, groups=column, strict=True).reading.names
            as_samples(data, drop=[column])
            as_samples(data, columns=["size", "key"])
        assert f"column {column!r} holds 10 groups and is not learned from" in caplog.text


def test_features_that_do_not_look_like_groups(tmp_path):
    frame = measured().assign(
        age_group=np.arange(N) % 5, grouped=np.arange(N) % 2, person=np.random.default_rng(0).normal(size=N)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert as_samples(frame).shape == (12,)


def test_groups_that_a_run_has_learned_from_are_told(caplog):
    frame = measured().assign(patient=np.arange(N) // 6 * 7)
    with pytest.warns(DataWarning, match="looks like groups"):
        first = as_samples(frame)
    as_samples(frame, groups="patient", like=describe(first))
    assert "holds the groups, but the run has learned from it" in caplog.text


def test_a_reading_is_json_or_an_error():
    assert TableReading.from_json([]) == TableReading(())
    for wrong in ([3], [{"nome": "a"}], 3):
        with pytest.raises(ValueError, match="must be a list of columns"):
            TableReading.from_json(wrong)


def test_choice_is_told_in_short():
    frame = pd.DataFrame({f"x{i}_id": range(9) for i in range(9)}).assign(
        a=np.random.default_rng(0).normal(size=9)
    )
    assert (
        choose_columns(frame, origin="t").told() == "'x0_id', 'x1_id', 'x2_id', 'x3_id', 'x4_id', ... (an id)"
    )


def test_columns_that_are_all_dropped_are_refused():
    frame = pd.DataFrame({"x0": [1.0, 2.0], "x1": [3.0, 5.0]})
    with pytest.raises(ValueError, match="columns must keep one to learn from; drop takes all of them: 'x0'"):
        as_samples(frame, columns=["x0"], drop=["x0"])
