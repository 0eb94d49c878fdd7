"""Confident learning as its equations say, and probabilities that have not seen what they judge."""

import numpy as np
import pytest

from replearn.evaluate import label_errors, out_of_fold, outlying

DRAW = np.random.default_rng(0)


def by_the_paper(labels, p):
    """Northcutt et al. 2021, equations 1 to 3 and method 4 of section 3.2, in loops."""
    n, c = p.shape
    thresholds = []
    for j in range(c):
        own = [p[i][j] for i in range(n) if labels[i] == j]
        thresholds.append(sum(own) / len(own) if own else float("inf"))
    joint, wrong = np.zeros((c, c), dtype=int), {}
    for i in range(n):
        if labels[i] < 0:
            continue
        sure = [j for j in range(c) if p[i][j] >= thresholds[j]]
        if not sure:
            continue
        guess = max(sure, key=lambda j: p[i][j])
        joint[labels[i]][guess] += 1
    for a in range(c):
        for b in range(c):
            if a == b or not sum(joint[a]):
                continue
            number = round(joint[a][b] * sum(label == a for label in labels) / sum(joint[a]))
            rows = [i for i in range(n) if labels[i] == a and max(range(c), key=lambda j: p[i][j]) != a]
            for i in sorted(rows, key=lambda i: p[i][a] - p[i][b])[:number]:
                wrong[i] = max(wrong.get(i, (-1, -9.0)), (b, p[i][b] - p[i][a]), key=lambda one: one[1])
    return joint, wrong


def test_the_equations_of_the_paper():
    p = DRAW.dirichlet([0.6] * 4, size=300)
    labels = np.array([DRAW.choice(4, p=row) for row in p])
    labels[::17] = -1
    joint, wrong = by_the_paper(labels, p)
    found = label_errors(labels, p)
    assert np.array_equal(found.joint, joint)
    assert set(found.wrong.tolist()) == set(wrong)
    assert found.judged == (labels >= 0).sum()
    for place, guess, margin in zip(found.wrong.tolist(), found.guess, found.margin, strict=True):
        assert (guess, pytest.approx(margin)) == wrong[place]
    assert np.all(np.diff(found.margin) <= 0)


def test_samples_of_a_class_that_is_hard_are_not_suspected():
    """Of an unsure class the threshold is low: argmax would suspect every sample of it."""
    p = np.r_[np.tile([0.95, 0.05], (10, 1)), np.tile([0.55, 0.45], (10, 1))]
    labels = np.repeat([0, 1], 10)
    assert (p[10:].argmax(1) == 0).all()
    assert not len(label_errors(labels, p).wrong)


def test_as_cleanlab_counts():
    cleanlab = pytest.importorskip("cleanlab.count", reason="cleanlab is not installed")
    p = DRAW.dirichlet([0.6] * 3, size=300)
    labels = np.array([DRAW.choice(3, p=row) for row in p])
    assert np.array_equal(
        label_errors(labels, p).joint, cleanlab.compute_confident_joint(labels, p, calibrate=False)
    )


def test_rows_that_were_never_held_out_are_passed_over():
    p = np.array([[0.9, 0.1], [np.nan, np.nan], [0.1, 0.9], [0.95, 0.05]])
    found = label_errors(np.array([0, 1, 1, 1]), p)
    assert (found.wrong.tolist(), found.judged) == ([3], 3)


@pytest.mark.all
def test_a_copy_does_not_vouch_for_itself():
    """Of 60 rows with labels by chance, copied, a probe can know only what a copy tells."""
    rows = DRAW.normal(size=(60, 200)).astype(np.float32)
    labels, units = np.arange(60) % 2, np.tile(np.arange(60), 2)
    both, of_both = np.r_[rows, rows], np.r_[labels, labels]
    apart = out_of_fold(both, of_both)
    together = out_of_fold(both, of_both, groups=units)
    assert (apart.argmax(1) == of_both).mean() > 0.75
    assert (together.argmax(1) == of_both).mean() < 0.7


def test_a_class_of_one_sample_is_not_judged():
    rows = np.r_[DRAW.normal(size=(20, 3)), DRAW.normal(9, 1, size=(20, 3)), [[50.0, 0, 0]]].astype(
        np.float32
    )
    p = out_of_fold(rows, np.r_[[0] * 20, [1] * 20, 2])
    assert np.isnan(p[-1]).all()
    assert np.isfinite(p[:-1]).all()


def test_outlying_is_the_mean_distance_to_the_nearest_others():
    rows = DRAW.normal(size=(40, 5))
    far, limit = outlying(rows, neighbours=3, fences=1.5)
    distances = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    np.testing.assert_allclose(far, np.sort(distances, axis=1)[:, 1:4].mean(1), rtol=1e-6)
    low, high = np.quantile(far, [0.25, 0.75])
    assert limit == pytest.approx(high + 1.5 * (high - low))
    assert outlying(rows[:1])[1] == float("inf")
