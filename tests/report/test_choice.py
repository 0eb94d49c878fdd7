"""The order without labels, on a terminal and on the page."""

import numpy as np
import pytest
from rich.console import Console
from sklearn.decomposition import PCA

import replearn
from replearn.comparison import compare, of_two_views
from replearn.report import choice, print_choice
from replearn.report.page import render


@pytest.fixture(scope="module")
def made():
    digits = replearn.load_data("digits", split="train")
    train, test = digits.subset(np.arange(160)), digits.subset(np.arange(160, 240))
    method = replearn.SimCLR(encoder="mlp", epochs=1, batch_size=32, device="cpu")
    named = {"SimCLR": method, "<b>PCA</b>": PCA(8)}
    return compare(named, train, test, draws=2, fractions=(1.0,), choose=True)


@pytest.mark.all
def test_methods_are_ordered_and_baselines_left_out(made):
    found = choice(made.scores)
    assert set(found.names) == {"SimCLR", "<b>PCA</b>"}
    assert found.titles == ["RankMe", "align.+unif.", "kNN", "probe"]
    assert len(found.taus) == 4
    assert choice(made.scores[made.scores["measure"] != "alignment"]) is None


def test_terminal_of_80_columns(made, capsys):
    console = Console(width=80)
    with console.capture() as capture:
        print_choice(made.scores, console=console)
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("RankMe" in line and "align.+unif." in line and "probe" in line for line in lines)
    assert "Kendall's tau, RankMe and kNN: " in capture.get()
    assert "…" not in capture.get()


def test_page_shows_it_escaped(made):
    page = render(made, title="a test")
    assert "Which would be chosen without labels?" in page
    assert "<bdi><b>PCA" not in page


def test_all_methods_are_shown_the_same_views_and_the_seed_says_which():
    digits = replearn.load_data("digits", split="train").subset(np.arange(64))

    class Identity:
        def transform(self, rows):
            return rows

    first, again, other = (of_two_views(Identity(), digits, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(*first)
