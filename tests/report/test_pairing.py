"""The section about partners: what stands in it, and nothing of what `replearn evaluate` never wrote."""

import json

import pandas as pd
import pytest

import replearn
from replearn.cli import main
from replearn.cli.pairing import print_pairing
from replearn.comparison import Comparison
from replearn.report.pairing import pairing_panel

FOUND = {
    "samples": 80, "of": 100,
    "image to <b>": {"recall@1": 0.5, "recall@5": 0.75, "mrr": 0.6, "among": 70},
    "<b> to image": {"recall@1": 0.25, "recall@5": 1.0, "mrr": 0.4, "among": 80},
    "space": {
        "gap": {"image and <b>": 0.8}, "alignment": {"image and <b>": 1.25},
        "uniformity": {"image": -1.5, "<b>": -2.0},
    },
}  # fmt: skip


def comparison(facts):
    few = replearn.as_samples([[0.0, 1.0], [1.0, 0.0]])
    return Comparison(rows=[], scores=pd.DataFrame(), train=few, test=few, facts=facts)


def test_what_was_found_is_in_the_panel_and_printed(capsys):
    found, space = pairing_panel(comparison({"pairing": FOUND})).tables
    assert found.columns == ["from and to", "recall@1, %", "recall@5, %", "mean reciprocal rank", "among"]
    assert found.lines[0] == ["image to <b>", "50.0", "75.0", "0.600", "70"]
    assert "the first 80 of 100 test samples" in found.note
    assert space.lines == [
        ["image and <b>", "0.800", "1.250", "–"],
        ["image", "–", "–", "-1.500"],
        ["<b>", "–", "–", "-2.000"],
    ]
    print_pairing(FOUND)
    printed = capsys.readouterr().out
    assert "image to <b>: recall 50.0 at 1, 75.0 at 5, among 70" in printed
    assert "image and <b>: modality gap 0.800, alignment of partners 1.250" in printed
    assert "uniformity: image -1.500, <b> -2.000" in printed
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"pairing": 3},
        {"pairing": {"samples": 3, "of": 3}},
        {"pairing": FOUND | {"of": "many"}},
        {"pairing": FOUND | {"image to <b>": {"recall@1": 0.5}}},
        {"pairing": FOUND | {"space": {"gap": {"a and b": 1.0}}}},
        {"pairing": FOUND | {"space": FOUND["space"] | {"alignment": {}}}},
        {"pairing": FOUND | {"space": 1}},
    ],
)
def test_what_was_not_found_so_has_no_panel(facts):
    assert pairing_panel(comparison(facts)) is None


def test_an_older_evaluation_has_no_space():
    older = {name: value for name, value in FOUND.items() if name != "space"}
    assert len(pairing_panel(comparison({"pairing": older})).tables) == 1


@pytest.mark.all
def test_evaluate_writes_it_and_report_prints_it_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("tokenizers", reason="needs replearn[text]")
    rows = [f"this is number {i},of {i} it is,{'ab'[i % 2]}" for i in range(80)]
    (tmp_path / "pairs.csv").write_text("\n".join(["first,second,label", *rows]), encoding="utf-8")
    data = ["pairs.csv", "--kind", "pairs:columns=first+second", "--labels", "label"]
    small = ["--encoder", "first=words,second=words", "--epochs", "1", "--batch-size", "16", "--run", "run"]
    assert main(["fit", "clip", *data, *small]) == 0
    assert main(["evaluate", "run", *data]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "gap" in line or "recall" in line]
    assert len(told) == 3
    facts = json.loads((tmp_path / "run" / "evaluation.json").read_text(encoding="utf-8"))["facts"]["pairing"]
    assert 0 <= facts["space"]["gap"]["first and second"] <= 2
    assert main(["report", "run"]) == 0
    again = capsys.readouterr().out
    assert all(line in again for line in told)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Do members find each other?" in page
    assert "modality gap" in page
