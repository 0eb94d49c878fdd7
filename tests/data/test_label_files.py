"""Label files beside a folder of images."""

import pandas as pd
import pytest

from replearn.data import DataWarning, as_samples

NAMES = ("a.png", "b.png", "sub/c.png")


@pytest.fixture
def labelled(draw, tmp_path):
    """Samples of three images with the given rows of labels."""

    def make(text):
        (tmp_path / "labels.csv").write_text(text)
        return as_samples(draw(*NAMES), tmp_path / "labels.csv")

    return make


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na.png,x\nb.png,y\nsub/c.png,x\n",
        "label,name\nx,sub/c.png\ny,b.png\nx,a.png\n",
        "Filename, Class\na,x\nb,y\nc,x\n",
        "file,label\n./a.png,x\nb.png,y\nc.png,x\n",
        "file,label\na.png,x\nb.png,y\nsub/c.png,x\na.png,x\n",
    ],
    ids=["paths", "order", "stems", "dots", "agreeing duplicates"],
)
def test_forms(labelled, text):
    samples = labelled(text)
    assert samples.labels.tolist() == [0, 1, 0]
    assert samples.classes == ("x", "y")


def test_parquet(draw, tmp_path):
    pd.DataFrame({"file": NAMES, "label": [4, 2, 0]}).to_parquet(tmp_path / "labels.parquet")
    assert as_samples(draw(*NAMES), str(tmp_path / "labels.parquet")).labels.tolist() == [4, 2, 0]


def test_gaps_are_unlabelled(labelled):
    samples = labelled("file,label\na.png,x\nb.png,\nc.png,y\n")
    assert samples.labels.tolist() == [0, -1, 1]


def test_label_file_wins_over_sub_folders(draw, tmp_path):
    (tmp_path / "labels.csv").write_text("file,label\n1.png,x\n2.png,y\n")
    samples = as_samples(draw("cat/1.png", "dog/2.png"), tmp_path / "labels.csv")
    assert samples.classes == ("x", "y")


def test_missing_and_unknown_rows_warn_once(labelled):
    with pytest.warns(DataWarning) as caught:
        samples = labelled("file,label\na.png,x\nz.png,y\nsub/c.png,y\n")
    (warning,) = caught
    assert "1 of 3 files have no row and stay unlabelled: 'b.png'" in str(warning.message)
    assert "1 rows fit no file and are left out: 'z.png'" in str(warning.message)
    assert samples.labels.tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na.png,x\na.png,y\n", "1 rows contradict an earlier one: 'a.png'"),
        ("file,label\nz.png,x\n", "none of its 1 rows fits one of 3"),
        ("file,colour\na.png,x\n", "must have a column label or labels or class.*got file, colour"),
        ("size,label\n3,x\n", "must have a column file or name"),
        ("", "must have a column file or name.*got none"),
    ],
)
def test_bad_files(labelled, text, message):
    with pytest.raises(ValueError, match=message):
        labelled(text)


def test_ambiguous_short_names_fit_nothing(draw, tmp_path):
    root = draw("cat/1.png", "dog/1.png")
    (tmp_path / "labels.csv").write_text("file,label\n1.png,x\ncat/1.png,y\ndog/1.png,z\n")
    with pytest.warns(DataWarning, match="1 rows fit no file"):
        assert as_samples(root, tmp_path / "labels.csv").labels.tolist() == [0, 1]


def test_no_such_file(draw, tmp_path):
    with pytest.raises(ValueError, match="labels must be a CSV, TSV, JSON-lines or Parquet file"):
        as_samples(draw(*NAMES), tmp_path / "nothing.csv")
