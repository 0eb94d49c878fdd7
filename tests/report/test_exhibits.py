"""What methods answer, on the page: failures beside successes, nothing of rows that have not learned."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from page_reader import HOSTILE, Reader
from torch import nn

from replearn.comparison import Comparison
from replearn.methods.exhibit import Exhibit
from replearn.report.exhibits import SHOWN, chosen, exhibit_figure, exhibit_panels
from replearn.report.figures import WRONG
from replearn.report.page import render

Make = Callable[..., Any]


class Answering:
    """Says of the first third that it is something else than it is; draws a number, to see that it is drawn again."""

    def modules(self) -> dict[str, nn.Module]:
        return {"net": nn.Identity()}

    def exhibit(self, batch: Any) -> Exhibit:
        n = len(batch)
        said = [f"{HOSTILE[0]} {float(torch.rand(())):.6f}"] * n
        x = batch.floats().x
        return Exhibit(
            HOSTILE[0], "A note.", {"seen": x, "true": 1 - x}, said, [3 * i >= n for i in range(n)], 0.25
        )


def answering(make_comparison: Make, name: str = "asked") -> Comparison:
    made = make_comparison()
    rows = [*made.rows, replace(made.rows[-1], name=name, method=Answering())]
    return Comparison(made.train, made.test, rows, made.scores, made.facts)


def test_half_of_what_is_shown_are_failures_where_there_are_so_many(make_comparison: Make) -> None:
    (panel,) = exhibit_panels(answering(make_comparison))
    assert panel.name == "asked"
    assert [answer.right for answer in panel.answers] == [False] * 6 + [True] * 6
    assert (
        "From top to bottom: seen, true. Of 24 that were asked, 16 were right (by chance 6); fail"
        in panel.note
    )
    assert f"{SHOWN} of 24 are shown" in panel.note


def test_the_same_is_shown_at_each_call_and_the_random_state_is_left_alone(make_comparison: Make) -> None:
    torch.manual_seed(3)
    first = exhibit_panels(answering(make_comparison))
    drawn = torch.rand(())
    torch.manual_seed(3)
    assert torch.rand(()) == drawn
    assert exhibit_panels(answering(make_comparison)) == first


def test_rows_that_have_not_learned_answer_nothing(make_comparison: Make) -> None:
    assert exhibit_panels(answering(make_comparison, "untrained asked")) == []
    assert exhibit_panels(make_comparison(shape=(5,))) == []


def test_what_methods_say_stays_text_and_wrong_is_said(make_comparison: Make) -> None:
    text = render(answering(make_comparison), title="t")
    assert "What do the methods answer?" in text
    assert "<script>alert" not in text
    shown = "".join(data for _, data in Reader(text).texts)
    assert shown.count("<script>alert(1)</script>") >= SHOWN
    assert shown.count(" wrong") >= 6


@pytest.mark.parametrize(
    ("right", "found"), [([True] * 20, 12), ([False] * 20, 12), ([True] * 3 + [False] * 2, 5)]
)
def test_as_many_as_there_is_room_for(right: list[bool], found: int) -> None:
    assert len(chosen(right, len(right))) == found


def test_a_figure_names_rows_and_writes_wrong_answers_in_red(make_comparison: Make) -> None:
    test = make_comparison().test
    figure = exhibit_figure(Answering(), test, shown=4)
    seen, true = figure.axes
    assert (seen.get_ylabel(), true.get_ylabel()) == ("seen", "true")
    assert [label.get_color() == WRONG for label in true.get_xticklabels()] == [True, True, False, False]
    figure.canvas.draw()  # what was said is no formula


def test_a_figure_is_refused_where_nothing_is_answered_or_drawn(make_comparison: Make) -> None:
    with pytest.raises(ValueError, match="answers something"):
        exhibit_figure(nn.Identity(), make_comparison().test)
    with pytest.raises(ValueError, match="that are drawn"):
        exhibit_figure(Answering(), make_comparison(shape=(5,)).test)
