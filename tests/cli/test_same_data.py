"""A report is of the data that were judged, or there is none."""

import json
import shlex

import numpy as np
import pytest

FEW = ["--draws", "1", "--fractions", "1.0"]


@pytest.fixture
def judged(command, tmp_path):
    """A run that was judged on `table.csv`, the rows in that file, and a function that writes them."""
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(5000, 2)).round(3)

    def write(rows, names=("a", "b")):
        lines = [f"{x},{y},{names[i % 2]}" for i, (x, y) in enumerate(rows)]
        (tmp_path / "table.csv").write_text("\n".join(["x,y,label", *lines]))

    write(rows)
    assert command("fit", "pca", "table.csv", "--run", "r").code == 0
    assert command("evaluate", "r", "table.csv", *FEW).code == 0
    return rows, write


@pytest.mark.all
def test_one_changed_number_of_ten_thousand_is_noticed(command, judged, tmp_path):
    rows, write = judged
    written = command("report", "r")
    assert written.code == 0
    assert "reading table.csv, which r/evaluation.json names" in written.err
    page = (tmp_path / "r" / "report.html").read_text()
    changed = rows.copy()
    changed[1237, 1] += 0.001
    write(changed)
    refused = command("report", "r").line
    assert "must be those that were judged" in refused
    assert (tmp_path / "r" / "report.html").read_text() == page
    pasted = refused.partition("`")[2].partition("`")[0]
    assert command(*shlex.split(pasted)[1:], *FEW).code == 0
    assert command("report", "r").code == 0


def test_other_labels_and_names_of_classes_are_noticed(command, judged):
    rows, write = judged
    write(rows, names=("b", "a"))
    assert "must be those that were judged" in command("report", "r").line
    write(rows, names=("a", "c"))
    assert "must be those that were judged" in command("report", "r").line


def test_what_names_a_file_and_no_hash_of_it_is_not_believed(command, judged, tmp_path):
    path = tmp_path / "r" / "evaluation.json"
    content = json.loads(path.read_text())
    del content["data"]["fingerprints"]
    path.write_text(json.dumps(content))
    assert "must say which data were judged" in command("report", "r").line
