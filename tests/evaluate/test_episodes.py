"""Few-shot classification by the nearest centroid."""

import numpy as np
import pytest

from replearn.engine.episodes import Episodes
from replearn.evaluate import episodes


def made(classes=8, each=12, d=5, spread=1.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(classes).repeat(each)
    return rng.normal(size=(classes, d))[labels] + spread * rng.normal(size=(len(labels), d)), labels


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_accuracy_is_that_of_a_loop(metric):
    rows, labels = made()
    found = episodes(rows, labels, way=4, shots=3, queries=5, n=20, metric=metric, random_state=2)
    right = []
    mean = rows.mean(0)
    for episode in Episodes(labels, 4, 8, 20, 2)(0).reshape(20, 8, 4):
        share = []
        for query in episode[3:].ravel():
            near = []
            for place in range(4):
                shots = [rows[i] for i in episode[:3, place]]
                if metric == "cosine":
                    shots = [(x - mean) / np.linalg.norm(x - mean) for x in shots]
                    centroid, q = sum(shots) / 3, rows[query] - mean
                    near.append(q @ centroid / np.linalg.norm(q) / np.linalg.norm(centroid))
                else:
                    near.append(-np.sum((rows[query] - sum(shots) / 3) ** 2))
            share.append(labels[episode[0, int(np.argmax(near))]] == labels[query])
        right.append(np.mean(share))
    assert found.accuracy == pytest.approx(np.mean(right), abs=1e-12)
    half = 2.093 * np.std(right, ddof=1) / np.sqrt(20)  # of Student's distribution
    assert found.high - found.accuracy == pytest.approx(half, rel=1e-3)
    assert found.accuracy - found.low == pytest.approx(half, rel=1e-3)


def test_the_same_tasks_whatever_the_rows():
    rows, labels = made()
    scores = [episodes(part, labels, way=5, queries=5, n=30) for part in (rows, rows * 3, rows + 1)]
    assert len({score.accuracy for score in scores}) == 1


def test_chance_and_more():
    rows, labels = made(each=30, spread=0.1)
    assert episodes(rows, labels, n=100).accuracy > 0.95
    assert episodes(np.ones_like(rows), labels, n=10).accuracy == pytest.approx(0.2)
    noise = np.random.default_rng(1).normal(size=rows.shape)
    score = episodes(noise, labels, n=600)
    assert score.low < 0.2 < score.high
    assert score.high - score.low < 0.02
    five = episodes(made(each=30)[0], labels, shots=5, n=100)
    assert five.accuracy > episodes(made(each=30)[0], labels, shots=1, n=100).accuracy + 0.05


def test_a_constant_added_to_all_rows_is_taken_off_by_cosine():
    rows, labels = made()
    plain, moved = (
        episodes(part, labels, queries=5, metric="cosine", n=50).accuracy for part in (rows, rows + 100)
    )
    assert plain == moved


def test_names_unknown_labels_and_classes_of_few_samples():
    rows, labels = made()
    names = np.array([f"class {label}" for label in labels], dtype=object)
    names[0:5] = None  # which leaves seven of class 0
    score = episodes(rows, names, queries=10, n=20)
    assert (score.classes, score.left_out) == (7, 1)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"way": 1}, "way must be at least 2; got 1"),
        ({"shots": 0}, "shots must be at least 1; got 0"),
        ({"n": 0}, "n must be at least 1; got 0"),
        ({"metric": "cosin"}, "metric must be one of euclidean, cosine; got 'cosin'"),
        ({"way": 9, "queries": 5}, "9 classes must have at least 1 \\+ 5 .*; 8 of 8 have"),
        ({"queries": 15}, "5 classes must have at least 1 \\+ 15 .*; 0 of 8 have"),
    ],
)
def test_bad_input_is_told_in_one_line(given, says):
    with pytest.raises(ValueError, match=says) as error:
        episodes(*made(), **given)
    assert len(str(error.value).splitlines()) == 1


def test_one_episode_has_no_interval():
    score = episodes(*made(), queries=5, n=1)
    assert np.isnan(score.low)
    assert np.isnan(score.high)
