"""Tables and arrays from frames and files."""

import numpy as np
import pandas as pd
import pytest

from replearn.data import as_samples

frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "kind": ["x", None, "y"]})


def write(table, path):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",")
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.parquet", None])
def test_table_with_named_labels(tmp_path, name):
    data = frame if name is None else write(frame, tmp_path / name)
    samples = as_samples(data, "kind")
    assert samples.kind == "table"
    assert samples.flat().tolist() == [[1, 0.5], [2, 1.5], [3, 2.5]]
    assert samples.labels.tolist() == [0, -1, 1]
    assert samples.classes == ("x", "y")


def test_a_column_called_label_is_never_learned_from(tmp_path):
    table = frame.drop(columns="kind").assign(label=[1, 0, 1])
    for data in (table, write(table, tmp_path / "t.csv"), str(tmp_path / "t.csv")):
        samples = as_samples(data)
        assert samples.shape == (2,)
        assert samples.labels.tolist() == [1, 0, 1]
        assert as_samples(data, [5, 6, 7]).labels.tolist() == [5, 6, 7]


def test_table_without_a_header(tmp_path):
    (tmp_path / "t.csv").write_text("1,2\n3,4\n")
    assert as_samples(tmp_path / "t.csv").flat().tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("content", "labels", "message"),
    [
        ("", None, "readable table"),
        ("a,b\n", None, "at least one sample"),
        ("a,b\nx,\ny,\n", None, "'a' .texts, or names of many values.; 'b' .holds no value.*by columns="),
        ("a,b\n1,inf\n2,3\n", None, "column 'b' of .* holds 1 that are infinite"),
        ("a;b\n1;2\n", None, "separated by semicolons"),
        ("a,b\n1,2\n", "kind", "must have a column 'kind'; it has 'a', 'b'"),
        ("a,b\n1,1e38\n2,3\n", None, r"at most 1e\+18 in size.*column 'b'.*holds 1e\+38"),
        ('a,b\n"1,2\n', None, "readable table"),
    ],
)
def test_bad_tables(tmp_path, content, labels, message):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        as_samples(tmp_path / "t.csv", labels)
    assert "\n" not in str(error.value)


def test_damaged_parquet(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(ValueError, match="readable table"):
        as_samples(tmp_path / "t.parquet")


def test_npz(tmp_path):
    images, labels = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4), np.array([2, 0, 1])
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    samples = as_samples(tmp_path / "a.npz")
    np.testing.assert_array_equal(samples[np.arange(3)].x[:, 0], images)
    assert samples.labels.tolist() == [2, 0, 1]
    np.savez(tmp_path / "b.npz", whatever=images)
    assert as_samples(tmp_path / "b.npz").labels is None
    np.savez(tmp_path / "c.npz", one=images, two=images)
    with pytest.raises(ValueError, match="it holds one, two"):
        as_samples(tmp_path / "c.npz")


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_bad_array_files(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="must be a whole file"):
        as_samples(path)
    path.write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(ValueError, match="must be a whole file"):
        as_samples(path)


def test_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", np.array([{"a": 1}], dtype=object))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(ValueError, match="without objects"):
            as_samples(tmp_path / name)
