"""A training that its minutes ended is marked in every table, with how far it came."""

import io

import numpy as np
import pandas as pd
from rich.console import Console

from replearn.comparison import Representation
from replearn.report import print_table, to_markdown
from replearn.report.page import render
from replearn.report.table import table_rows

NONE = np.zeros((0, 1), np.float32)


class Hurried:
    max_minutes = 0.5


def row(**last):
    return Representation("r", NONE, NONE, Hurried(), history=[last])


def test_what_counts_as_cut():
    assert row(step=27.0, planned=3900.0, seconds=30.1).cut == "27 of 3,900 steps"
    assert row(step=3900.0, planned=3900.0, seconds=20.0).cut == ""
    assert row(step=27.0, planned=3900.0, seconds=9.0).cut == ""  # it had enough by itself
    assert row(step=27.0, seconds=30.1).cut == ""  # a run of the time before this was kept
    assert Representation("r", NONE, NONE).cut == ""


def test_every_table_marks_it(make_scores, make_comparison):
    scores = make_scores({"raw input": 0.5, "a method of a rather long name": 0.6, "pca": 0.7})
    steps = {"a method of a rather long name": "27 of 3,900 steps"}
    scores = scores.assign(cut=scores["representation"].map(steps).fillna(""))
    out = io.StringIO()
    print_table(scores, console=Console(file=out, width=80))
    lines = out.getvalue().splitlines()
    (place,) = (i for i, line in enumerate(lines) if line.startswith(" a method of a"))
    assert "name*" in lines[place + 1]  # a long name goes over two lines, and keeps its mark
    told = " ".join(" ".join(lines).split())
    assert (
        "the whole schedule drawn together: a method of a rather long name after 27 of 3,900 steps." in told
    )
    markdown = to_markdown(scores)
    assert "a method of a rather long name\\*" in markdown
    assert "27 of 3,900 steps" in markdown
    assert "pca\\*" not in markdown
    made = make_comparison()
    made.scores["cut"] = made.scores["representation"].map({"pca": "5 of 9 steps"}).fillna("")
    page = render(made, title="t")
    assert '<abbr title="ended after 5 of 9 steps">*</abbr>' in page
    assert "pca after 5 of 9 steps" in page


def test_seeds_are_averaged_though_they_came_to_other_steps(make_scores):
    one = make_scores({"raw input": 0.5, "pca": 0.7}).assign(cut="")
    other = one.assign(seed=1)
    one.loc[one["representation"] == "pca", "cut"] = "27 of 90 steps"
    other.loc[other["representation"] == "pca", "cut"] = "31 of 90 steps"
    table = table_rows(pd.concat([one, other]))
    assert table.names == ["raw input", "pca"]
    assert table.cut == {"pca": "27 of 90 steps, 31 of 90 steps"}
