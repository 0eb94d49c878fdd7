"""Choosing without labels: orders by each criterion, and their agreement with labels."""

import math

import numpy as np
import pandas as pd
import pytest

from replearn.evaluate import agreement, choose, scorecard


def scores(**rows):
    """Scores of representations, each `(effective rank, alignment, uniformity, kNN, probe)`, None where absent."""
    names = ("effective rank", "alignment", "uniformity", "kNN", "linear probe")
    found = [
        (name, measure, 100 if measure in ("kNN", "linear probe") else 0, value, 0.0, 0.0, 1)
        for name, values in rows.items()
        for measure, value in zip(names, values, strict=True)
        if value is not None
    ]
    columns = ["representation", "measure", "labels", "mean", "low", "high", "draws"]
    return pd.DataFrame(found, columns=columns)


THREE = {"a": (9.0, 0.5, -3.0, 0.8, 0.7), "b": (5.0, 0.2, -3.5, 0.9, 0.9), "c": (2.0, 0.1, -1.0, 0.6, 0.8)}


def test_more_rank_is_better_and_less_alignment_plus_uniformity():
    table = choose(scores(**THREE)).set_index("representation")
    assert table["RankMe place"].to_dict() == {"a": 1, "b": 2, "c": 3}
    assert table["alignment + uniformity"].round(6).to_dict() == {"a": -2.5, "b": -3.3, "c": -0.9}
    assert table["alignment + uniformity place"].to_dict() == {"a": 2, "b": 1, "c": 3}
    assert table["kNN place"].to_dict() == {"a": 2, "b": 1, "c": 3}


def test_agreement_is_kendalls_tau():
    found = agreement(choose(scores(**THREE)))
    # Of three pairs RankMe has two in kNN's order, alignment + uniformity all; the probe's is b, c, a.
    assert found["RankMe"]["kNN"] == pytest.approx(1 / 3)
    assert found["alignment + uniformity"]["kNN"] == pytest.approx(1.0)
    assert found["RankMe"]["linear probe"] == pytest.approx(-1 / 3)


def test_what_is_left_out_and_what_is_absent():
    table = choose(scores(raw=(300.0, None, -1.0, 0.9, 0.9), **THREE), leave_out=["raw"])
    assert "raw" not in table["representation"].tolist()
    plain = choose(scores(a=(9.0, None, None, None, None), b=(3.0, None, None, None, None)))
    assert plain.columns.tolist() == ["representation", "RankMe", "RankMe place"]
    assert agreement(plain) == {}
    assert math.isnan(agreement(choose(scores(a=THREE["a"])))["RankMe"]["kNN"])
    with pytest.raises(ValueError, match="at least one representation"):
        choose(scores(a=THREE["a"]), leave_out=["a"])


def test_the_probe_with_all_labels_counts():
    rng = np.random.default_rng(0)
    y = np.arange(200) % 4
    found = []
    for name, noise in (("clean", 0.1), ("noisy", 3.0)):
        x = np.eye(4)[y] + noise * rng.normal(size=(200, 4))
        card = scorecard(x[:150], y[:150], x[150:], y[150:], views=(x, x + 0.01), draws=2)
        found.append(card.assign(representation=name, seed=0))
    table = choose(pd.concat(found))
    card = found[0]
    most = card[(card["measure"] == "linear probe") & (card["labels"] == 150)]["mean"].item()
    assert table.set_index("representation").loc["clean", "linear probe"] == pytest.approx(most)
