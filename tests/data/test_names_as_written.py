"""Labels and names of files are read as they are written, whatever file they come from."""

import json
import logging

import numpy as np
import pandas as pd
import pytest

from replearn.data import as_samples, read_pairs

WRITTEN = ["None", "NA", "null", "nan", "N/A", "007", "7", "True", "1e3", "1_0", " a", "", "#N/A"]
NAMES = sorted(set(WRITTEN) - {""})


def as_table(path, rows):
    """Rows in the format that the path's ending tells."""
    frame = pd.DataFrame(rows)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",")
    return path


def named(samples):
    if samples.labels is None:
        return [None] * len(samples)
    return [samples.classes[label] if label >= 0 else None for label in samples.labels]


def told(caplog):
    return [line for line in caplog.messages if "written alike" in line]


def table(path, labels):
    rows = [{"x": float(i * i), "label": label} for i, label in enumerate(labels)]
    return as_samples(as_table(path, rows))


def texts(path, labels):
    rows = [{"text": f"word {i}", "label": label} for i, label in enumerate(labels)]
    return as_samples(as_table(path, rows))


def label_file(path, labels):
    import tempfile
    from pathlib import Path

    from PIL import Image

    folder = Path(tempfile.mkdtemp(dir=path.parent))
    names = [f"{i:04}.png" for i in range(len(labels))]
    for i, name in enumerate(names):
        Image.fromarray(np.full((4, 4), 3 * i, np.uint8)).save(folder / name)
    rows = [
        {"id": name.removesuffix(".png"), "class": label} for name, label in zip(names, labels, strict=True)
    ]
    return as_samples(folder, as_table(path, rows))


ENDINGS = ["csv", "tsv", "csv.gz", "parquet", "jsonl"]
EVERY = [
    pytest.param(read, ending, id=f"{read.__name__} {ending}")
    for read in (table, texts, label_file)
    for ending in ENDINGS
    if not (read is table and ending == "jsonl")
]


@pytest.mark.parametrize(("read", "ending"), EVERY)
def test_every_name_is_a_class_and_only_an_empty_cell_is_none(read, ending, tmp_path, caplog):
    caplog.set_level(logging.INFO, "replearn")
    samples = read(tmp_path / f"t.{ending}", WRITTEN)
    assert named(samples) == [name or None for name in WRITTEN]
    assert samples.classes == tuple(NAMES)
    assert f"1 of {len(WRITTEN)} samples are unlabelled" in caplog.text


@pytest.mark.parametrize(("read", "ending"), EVERY)
def test_whole_numbers_stay_numbers_so_that_parts_agree(read, ending, tmp_path):
    if ending in ("csv", "tsv", "csv.gz"):
        assert read(tmp_path / f"a.{ending}", ["2", "0", "2"]).labels.tolist() == [2, 0, 2]
        assert read(tmp_path / f"b.{ending}", ["2.0", "", "5.0"]).labels.tolist() == [2, -1, 5]
    else:
        assert read(tmp_path / f"a.{ending}", [2, 0, 2]).labels.tolist() == [2, 0, 2]
    assert named(read(tmp_path / f"c.{ending}", ["07", "7", "007"])) == ["07", "7", "007"]
    assert named(read(tmp_path / f"d.{ending}", ["100000", "99999", "7"])) == ["100000", "99999", "7"]
    assert named(read(tmp_path / f"e.{ending}", ["-2", "-1", "0"])) == ["-2", "-1", "0"]


@pytest.mark.parametrize(("read", "ending"), EVERY)
def test_minus_one_is_said_to_be_unlabelled(read, ending, tmp_path, caplog):
    labels = [-1, 0, 1, -1] if ending in ("parquet", "jsonl") else ["-1", "0", "1", "-1"]
    assert named(read(tmp_path / f"t.{ending}", labels)) == [None, "0", "1", None]
    assert "2 of 4 samples are unlabelled, 2 of them by the label -1" in caplog.text


def test_booleans_are_names():
    for given in (
        [True, None, False],
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series([True, None, False]),
    ):
        samples = as_samples(np.eye(3), given)
        assert (samples.labels.tolist(), samples.classes) == ([1, -1, 0], ("False", "True"))
    assert as_samples(np.eye(3), np.array([True, True, True])).classes == ("False", "True")


def test_json_lines_have_the_union_of_their_fields(tmp_path):
    rows = [{"text": "a"}, {"words": "b"}, {"text": "c", "label": "x", "kind": "k"}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.warns(UserWarning, match="1 rows have no text"):
        assert named(as_samples(tmp_path / "t.jsonl")) == [None, None, "x"]
    with pytest.warns(UserWarning, match="1 rows have no text"):
        assert named(as_samples(tmp_path / "t.jsonl", "kind")) == [None, None, "k"]
    with pytest.warns(UserWarning, match="2 rows have no text"):
        as_samples(tmp_path / "t.jsonl", text="words")
    with pytest.raises(
        ValueError, match=r"column 'word'; it has 'text', 'words', 'label', 'kind'\. Did you mean 'words'"
    ):
        as_samples(tmp_path / "t.jsonl", text="word")


def test_targets_of_pairs(tmp_path, caplog):
    def targets(*cells):
        (tmp_path / "p.csv").write_text("a,b,target\n" + "".join(f"x,y,{cell}\n" for cell in cells))
        return read_pairs(tmp_path / "p.csv")[2]

    assert targets("NA", "no", "None") == ["NA", "no", "None"]
    assert targets("0", "1", "") == [0, 1, None]
    assert "1 of 3 pairs have no target" in caplog.text
    assert targets("0.5", "NA", "1") == [0.5, None, 1.0]
    assert targets("07", "x", "7") == ["07", "x", "7"]


def test_measurements_are_no_classes(tmp_path):
    rows = "".join(f"{i % 7},{i / 7:.3f}\n" for i in range(150))
    (tmp_path / "t.csv").write_text("a,label\n" + rows)
    with pytest.raises(ValueError, match="labels must be classes"):
        as_samples(tmp_path / "t.csv")


@pytest.mark.parametrize(("values", "samples", "told"), [(60, 120, True), (60, 600, False), (20, 40, False)])
def test_numbers_that_are_hardly_names_are_told(tmp_path, caplog, values, samples, told):
    """A target of whole numbers would be judged as classes."""
    file = tmp_path / "table.csv"
    rows = [f"{number % 7}.5,{number % values}" for number in range(samples)]
    file.write_text("\n".join(["a,target", *rows]))
    with caplog.at_level("WARNING"):
        as_samples(file)
    assert ("numbers to predict, use `replearn finetune --task regress`" in caplog.text) == told


@pytest.mark.parametrize("labels", [[1, "1", 2, 2], [True, "True", False, "x"], [1.0, "1", "2", 2]])
def test_numbers_and_names_that_share_a_class_are_told(tmp_path, caplog, labels):
    in_memory = as_samples(np.zeros((4, 2)) + np.arange(4)[:, None], labels)
    assert len(told(caplog)) == 1
    caplog.clear()
    in_file = texts(tmp_path / "t.jsonl", labels)
    assert len(told(caplog)) == 1
    assert named(in_file) == named(in_memory)


def test_all_that_share_a_class_are_told(tmp_path, caplog):
    labels = [1, "1", True, "true", "True", 1.0, 2, 2.0]
    samples = texts(tmp_path / "t.jsonl", labels)
    assert named(samples) == ["1", "1", "True", "true", "True", "1", "2", "2"]
    [line] = told(caplog)
    assert line.startswith(
        "labels 1 and '1' and 1.0, True and 'True' are written alike and are one class each"
    )


def test_a_truth_value_is_no_number(tmp_path, caplog):
    assert named(texts(tmp_path / "t.jsonl", [1, True, 0, False])) == ["1", "True", "0", "False"]
    assert not told(caplog)
