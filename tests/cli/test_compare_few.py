"""`replearn compare --labelled`: labels hidden from methods and probes alike."""

import json

import pytest

FEW = ("--encoder", "cnn", "--epochs", 1, "--batch-size", 32, "--precision", "32-true", "--draws", 2)


@pytest.mark.all
def test_labels_are_hidden_and_answers_are_judged(command, data, tmp_path):
    asked = ("compare", "fixmatch", "supervised", "--data", data, *FEW, "--labelled", 12)
    answer = command(*asked)
    assert answer.code == 0, answer.err
    assert "12 of 76 training labels are seen" in " ".join(answer.out.split())
    assert "direct" in answer.out
    assert all(len(line) <= 80 for line in answer.out.splitlines())
    folder = tmp_path / "runs" / "compare"
    stored = json.loads((folder / "evaluation.json").read_text())
    assert {row["labels"] for row in stored["scores"] if row["measure"] != "effective rank"} >= {12}
    assert 76 not in {row["labels"] for row in stored["scores"]}
    assert command(*asked, "--resume").out == answer.out
    told = command("report", folder)
    assert told.code == 0, told.err
    page = (folder / "report.html").read_text()
    assert "12 of 76 training labels" in page
    assert "trained with all labels" not in page
    assert command("evaluate", folder / "FixMatch", data, "--draws", 2).code == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("fixmatch",), "FixMatch must see samples without a label, too; all 76 have one"),
        (("fixmatch", "--labelled", "1"), "must be a whole number from 2 (one of each class) to 76"),
        (("fixmatch", "--labelled", "77"), "must be a whole number from 2 (one of each class) to 76"),
        (("fixmatch", "--labelled", "all"), "--labelled must be of its type"),
    ],
)
def test_what_can_not_be_is_one_line_and_no_trace(command, data, tmp_path, args, told):
    assert told in command("compare", *args, "--data", data, *FEW).line
    assert not list(tmp_path.glob("runs/*"))
