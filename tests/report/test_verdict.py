"""The sentence says who wins, by how much, and how sure that is; also when nothing was gained."""

from collections.abc import Callable
from typing import Any

import pytest

from replearn.report import verdict

Make = Callable[..., Any]


def test_learned_wins(make_scores: Make) -> None:
    text = verdict(
        make_scores(
            {"raw input": 0.73, "untrained encoder": 0.5, "simclr": 0.953, "pca": 0.7}, sizes=(80, 8000)
        )
    )
    assert text.startswith("With 80 labels (1 % of them), simclr reaches 95.3 % (95 % interval 94.3 to 96.3)")
    assert "22.3 points more than the raw input. With all 8,000, simclr reaches 97.3 %" in text


def test_a_lead_by_neighbours_of_what_was_not_learned_is_said(make_scores: Make) -> None:
    scores = make_scores({"raw input": 0.7, "simclr": 0.8})
    assert "kNN" not in verdict(scores)
    own = (scores["representation"] == "raw input") & (scores["measure"] == "kNN")
    scores.loc[own, ["mean", "low", "high"]] = 0.95, 0.94, 0.96
    assert "By kNN, nothing learned here beats the raw input: it reaches 95.0 %" in verdict(scores)
    scores.loc[own, ["mean", "low", "high"]] = 0.86, 0.85, 0.87  # intervals that overlap
    assert "kNN" not in verdict(scores)


def test_raw_wins(make_scores: Make) -> None:
    text = verdict(make_scores({"raw input": 0.8, "simclr": 0.7}))
    assert "nothing learned here beats the raw input" in text
    assert "10.0 points more than simclr" in text
    assert "simclr, the best learned one, is no better" in verdict(
        make_scores({"raw input": 0.8, "simclr": 0.8})
    )


def test_a_win_within_the_intervals_is_said_to_be_one(make_scores: Make) -> None:
    assert "(the 95 % intervals overlap)" in verdict(make_scores({"raw input": 0.80, "simclr": 0.81}))
    assert "overlap" not in verdict(make_scores({"raw input": 0.80, "simclr": 0.83}))


@pytest.mark.parametrize(
    "before", ["untrained encoder", "encoder as given", "untrained simclr", "simclr as given"]
)
def test_as_good_before_means_that_training_gained_nothing(make_scores: Make, before: str) -> None:
    text = verdict(make_scores({"raw input": 0.5, before: 0.8, "simclr": 0.7}))
    assert f"nothing learned here beats the {before}" in text
    assert "the training gained nothing" in text


def test_a_winning_baseline_is_named_with_few_labels_and_with_all(make_scores: Make) -> None:
    """Whichever row wins, it is in the sentence on that number of labels."""
    few = {"raw input": 0.5, "bag of visual words": 0.6, "simclr": 0.7, "pca": 0.4}
    all_ = {"raw input": 0.8, "bag of visual words": 0.95, "simclr": 0.9, "pca": 0.7}
    scores = make_scores(few, sizes=(4, 400))
    for name, mean in all_.items():
        chosen = (scores["representation"] == name) & (scores["labels"] == 400)
        scores.loc[chosen, ["mean", "low", "high"]] = mean, mean - 0.01, mean + 0.01
    first, second = verdict(scores).split(". ", 1)
    assert "simclr reaches 70.0 %" in first
    assert "10.0 points more than the bag of visual words, the best that was not learned" in first
    assert second.startswith(
        "With all 400, nothing learned here beats the bag of visual words: it reaches 95.0 %"
    )
    assert "5.0 points more than simclr, the best learned one" in second


def test_a_row_trained_with_labels_does_not_win(make_scores: Make) -> None:
    scores = make_scores({"raw input": 0.5, "simclr": 0.7, "supervised": 0.9})
    assert "simclr reaches 70.0 %" in verdict(scores, labelled=["supervised"])
    assert "supervised reaches 90.0 %" in verdict(scores)


def test_single_rows_and_no_labels(make_scores: Make) -> None:
    assert "nothing was learned" in verdict(make_scores({"raw input": 0.5}))
    assert "no other row" in verdict(make_scores({"simclr": 0.5}))
    text = verdict(make_scores({"raw input": 0.5, "pca": 0.5}, sizes=()))
    assert text.startswith("There are no labels")
    assert "most directions" in text
