"""The linear probe against scikit-learn, and what must never influence it."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from replearn.evaluate import LinearProbe, linear_probe, logistic
from replearn.evaluate.folds import stratified_folds
from replearn.evaluate.linear import REGULARISATIONS, fit_probes
from replearn.evaluate.logistic import solve

DIGITS, CLASSES = load_digits(return_X_y=True)
DIGITS = DIGITS.astype(np.float32)


def objective(x, y, weights, biases, penalty):
    """Mean cross-entropy + (λ/2) |W|², sample by sample."""
    logits = x.astype(np.float64) @ weights.T + biases
    entropies = [np.logaddexp.reduce(row) - row[label] for row, label in zip(logits, y, strict=True)]
    return float(np.mean(entropies) + penalty / 2 * (weights**2).sum())


@pytest.mark.parametrize(
    ("dtype", "half", "tolerance", "bound"),
    [
        (torch.float64, True, None, 1e-6),
        (torch.float32, False, None, 1e-4),
        (torch.float32, True, None, 1e-4),  # refined from bfloat16, on whatever processor
        (torch.float32, True, 5e-5, 1e-3),
    ],
)
@pytest.mark.parametrize("rows", [60, 400])  # fewer rows than columns, and more
def test_solve_reaches_the_optimum_of_scikit_learn(rows, dtype, half, tolerance, bound, monkeypatch):
    monkeypatch.setattr(logistic, "fast_bfloat16", lambda: half)
    x, y = StandardScaler().fit_transform(DIGITS[:rows].astype(np.float64)), CLASSES[:rows]
    penalties = [1e-4, 1e-2, 1.0]
    shares = torch.full((1, 3, rows), 1 / rows, dtype=dtype)
    solved = solve(
        torch.from_numpy(x)[None].to(dtype),
        torch.from_numpy(y)[None],
        shares,
        torch.tensor([penalties], dtype=dtype),
        classes=10,
        tolerance=tolerance,
    )[0].double()
    for penalty, weights in zip(penalties, solved.numpy(), strict=True):
        theirs = LogisticRegression(C=1 / (penalty * rows), tol=1e-7, max_iter=5000).fit(x, y)
        best = objective(x, y, theirs.coef_, theirs.intercept_, penalty)
        assert objective(x, y, weights[:, :-1], weights[:, -1], penalty) == pytest.approx(best, rel=bound)


def test_second_descent_knows_the_optimum_in_full_precision():
    """Around the optimum the gradient must vanish, though products are of bfloat16."""
    x = torch.from_numpy(StandardScaler().fit_transform(DIGITS[:400].astype(np.float64)))[None]
    y, shares = torch.from_numpy(CLASSES[:400])[None], torch.full((1, 3, 400), 1 / 400, dtype=torch.float64)
    penalties = torch.tensor([[1e-4, 1e-2, 1.0]], dtype=torch.float64)
    best = solve(x, y, shares, penalties, classes=10).float()
    rows = torch.cat([x, torch.ones_like(x[..., :1])], dim=2).float()
    spread = rows.square().mean(dim=1)
    rough = logistic._Batch.start(
        rows.bfloat16(), spread, y, shares.float(), penalties.float(), torch.zeros_like(best)
    )
    exact = rough.around(best, rows)
    assert rough.at(best, exact.logits).gradient.abs().max() > 1e-4
    assert exact.at(exact.weights, exact.logits).gradient.abs().max() < 2e-5


@pytest.mark.parametrize("rows", [80, 300, 600])
@pytest.mark.parametrize("penalty", [1e-3, 0.1])
def test_probe_equals_the_scikit_learn_pipeline(rows, penalty):
    probe = LinearProbe(regularisations=[penalty], scaling="columns").fit(DIGITS[:rows], CLASSES[:rows])
    scaler = StandardScaler().fit(DIGITS[:rows])
    theirs = LogisticRegression(C=1 / (penalty * rows), tol=1e-8, max_iter=5000)
    theirs.fit(scaler.transform(DIGITS[:rows]).astype(np.float64), CLASSES[:rows])
    expected = theirs.predict_proba(scaler.transform(DIGITS[1000:]).astype(np.float64))
    np.testing.assert_allclose(probe.predict_proba(DIGITS[1000:]), expected, atol=2e-3)


def test_sweep_measures_what_separate_fits_measure():
    x, y = DIGITS[:200], CLASSES[:200]
    probe = LinearProbe(regularisations=[1e-3, 1e-1, 10.0], scaling="columns").fit(x, y)
    assert probe.selection_ == "cross-validation"
    folds = stratified_folds(y, 5, 0)
    x = StandardScaler().fit_transform(x).astype(np.float64)
    for penalty, found in zip([1e-3, 1e-1, 10.0], probe.validation_accuracies_, strict=True):
        right = 0
        for fold in range(5):
            part = folds != fold
            model = LogisticRegression(C=1 / (penalty * part.sum()), tol=1e-7, max_iter=5000).fit(
                x[part], y[part]
            )
            right += int((model.predict(x[~part]) == y[~part]).sum())
        assert found == pytest.approx(right / 200, abs=0.0051)  # one sample may sit on the fence


def test_few_labels_give_the_accuracy_of_a_careful_scikit_learn_user():
    """80 labels of 64 columns: the λ swept, the strongest of the best, and the accuracy there."""
    rng = np.random.default_rng(3)
    order = rng.permutation(len(DIGITS))
    few, test = order[:80], order[800:]
    score = linear_probe(DIGITS[few], CLASSES[few], DIGITS[test], CLASSES[test])
    spread = np.sqrt(DIGITS[few].astype(np.float64).var(axis=0).mean())
    x, y = DIGITS[few] / spread, CLASSES[few]
    theirs = LogisticRegression(C=1 / (score.regularisation * 80), tol=1e-8, max_iter=5000).fit(x, y)
    expected = theirs.score(DIGITS[test] / spread, CLASSES[test])
    assert score.accuracy == pytest.approx(expected, abs=0.002)
    best = max(score.validation_accuracies)
    strongest = max(np.flatnonzero(np.array(score.validation_accuracies) == best))
    assert score.regularisation == score.regularisations[strongest]


def test_large_sets_hold_one_part_out():
    score = linear_probe(DIGITS[:1200], CLASSES[:1200], DIGITS[1200:], CLASSES[1200:])
    assert score.selection == "hold-out"
    assert score.accuracy > 0.9
    assert score.top5 > 0.98
    assert score.regularisations == REGULARISATIONS
    assert score.labels == 1200


def test_the_test_set_chooses_nothing():
    few = slice(0, 100)
    one = linear_probe(DIGITS[few], CLASSES[few], DIGITS[500:], CLASSES[500:])
    other = linear_probe(
        DIGITS[few], CLASSES[few], DIGITS[500:][::-1].copy() * 3 - 1, np.roll(CLASSES[500:], 7)
    )
    assert one.regularisation == other.regularisation
    assert one.validation_accuracies == other.validation_accuracies
    np.testing.assert_array_equal(one.probe.coef_, other.probe.coef_)
    assert one.accuracy != other.accuracy


@pytest.mark.all
def test_many_tables_at_once_equal_each_alone():
    rng = np.random.default_rng(0)
    draws = [rng.choice(1000, 90, replace=False) for _ in range(3)]
    together = fit_probes([DIGITS[i] for i in draws], [CLASSES[i] for i in draws])
    for index, probe in zip(draws, together, strict=True):
        alone = LinearProbe().fit(DIGITS[index], CLASSES[index])
        assert probe.regularisation_ == alone.regularisation_
        np.testing.assert_allclose(probe.predict_proba(DIGITS), alone.predict_proba(DIGITS), atol=1e-3)


def test_rows_without_label_are_dropped():
    labels = CLASSES[:200].copy()
    labels[100:] = -1
    part = LinearProbe().fit(DIGITS[:100], CLASSES[:100])
    whole = LinearProbe().fit(DIGITS[:200], labels)
    np.testing.assert_allclose(whole.coef_, part.coef_)


def test_unseen_test_class_counts_as_wrong():
    seen = CLASSES < 5
    score = linear_probe(DIGITS[seen], CLASSES[seen], DIGITS[~seen], CLASSES[~seen])
    assert score.accuracy == 0
    assert score.top5 == 0


def test_constant_and_repeated_columns_do_no_harm():
    wide = np.concatenate([DIGITS[:150], np.full((150, 1), 1e6), DIGITS[:150, :3]], axis=1)
    probe = LinearProbe().fit(wide, CLASSES[:150])
    assert np.isfinite(probe.coef_).all()
    assert (probe.coef_[:, 64] == 0).all()
    assert LinearProbe().fit(np.ones((20, 3)), np.arange(20) % 2).score(
        np.ones((4, 3)), np.array([0, 0, 0, 0])
    ) in (0, 1)


def test_columns_may_have_any_scale():
    scale = np.logspace(-6, 6, 64)
    probe = LinearProbe(regularisations=[0.01], scaling="columns")
    plain = clone(probe).fit(DIGITS[:300].astype(np.float64), CLASSES[:300])
    scaled = clone(probe).fit(DIGITS[:300] * scale + scale, CLASSES[:300])
    expected = plain.predict_proba(DIGITS[300:500])
    np.testing.assert_allclose(scaled.predict_proba(DIGITS[300:500] * scale + scale), expected, atol=1e-4)


def test_common_scaling_does_not_mind_rotation():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 64)))[0]
    x = DIGITS[:300].astype(np.float64)
    plain = LinearProbe(regularisations=[0.01]).fit(x, CLASSES[:300])
    turned = LinearProbe(regularisations=[0.01]).fit(7 * x @ turn, CLASSES[:300])
    np.testing.assert_allclose(turned.predict_proba(7 * x @ turn), plain.predict_proba(x), atol=1e-4)
    spread = np.sqrt(x.var(axis=0).mean())
    theirs = LogisticRegression(C=1 / (0.01 * 300), tol=1e-8, max_iter=5000).fit(x / spread, CLASSES[:300])
    np.testing.assert_allclose(plain.predict_proba(x), theirs.predict_proba(x / spread), atol=1e-3)


@pytest.mark.all
def test_few_labels_of_principal_components_are_better_read_in_their_own_scale():
    """Blowing noise directions up must cost accuracy; this is why "common" is the default."""
    order = np.random.default_rng(0).permutation(len(DIGITS))
    centred = (DIGITS - DIGITS.mean(axis=0)) @ np.linalg.svd(DIGITS - DIGITS.mean(axis=0))[2].T
    few, test = order[:40], order[40:]
    arguments = centred[few], CLASSES[few], centred[test], CLASSES[test]
    common = linear_probe(*arguments).accuracy
    assert common == linear_probe(*arguments, scaling="common").accuracy
    assert common > linear_probe(*arguments, scaling="columns").accuracy + 0.05


def test_class_with_one_label_stays_in_training():
    labels = CLASSES[:60].copy()
    labels[0] = 77
    probe = LinearProbe(regularisations=[1e-3]).fit(DIGITS[:60], labels)
    assert probe.selection_ == "cross-validation"
    assert 77 in probe.classes_
    assert probe.predict(DIGITS[:1])[0] == 77


def test_one_label_of_each_class_falls_back_to_the_default():
    index = np.unique(CLASSES, return_index=True)[1]
    probe = LinearProbe().fit(DIGITS[index], CLASSES[index])
    assert probe.selection_ == "default"
    assert probe.validation_accuracies_ == ()
    assert probe.regularisation_ == min(REGULARISATIONS, key=lambda value: abs(np.log(value * 10)))
    assert probe.score(DIGITS[index], CLASSES[index]) == 1


def test_classes_may_be_words():
    words = np.array(["even", "odd"])[CLASSES % 2]
    probe = LinearProbe().fit(DIGITS[:300], words[:300])
    assert probe.score(DIGITS[300:], words[300:]) > 0.8


def test_probe_is_a_scikit_learn_classifier():
    probe = clone(LinearProbe(regularisations=[0.1], validation=0.25, random_state=3))
    assert probe.get_params() == {
        "regularisations": [0.1],
        "validation": 0.25,
        "scaling": "common",
        "random_state": 3,
    }
    chances = probe.fit(DIGITS[:100], CLASSES[:100]).predict_proba(DIGITS[:7])
    assert chances.shape == (7, 10)
    np.testing.assert_allclose(chances.sum(axis=1), 1)


def test_folds_are_stratified_and_repeat():
    labels = np.repeat([0, 1, 2], [50, 10, 1])
    folds = stratified_folds(labels, 5, 0)
    assert [np.bincount(folds[labels == label]).tolist() for label in (0, 1)] == [[10] * 5, [2] * 5]
    assert folds[-1] == -1
    np.testing.assert_array_equal(folds, stratified_folds(labels, 5, 0))
    assert (folds != stratified_folds(labels, 5, 1)).any()


BROKEN = DIGITS[:50].copy()
BROKEN[3:5, 0] = np.nan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": BROKEN}, "train must be finite; 2 of 50 rows"),
        ({"test": BROKEN}, "test must be finite; 2 of 50 rows"),
        ({"train_labels": CLASSES[:49]}, "train_labels must hold one label for each of the 50 rows"),
        ({"test": DIGITS[:50, :60]}, "same columns; got 64 and 60"),
        ({"train_labels": np.ones(50, dtype=int)}, "at least 2 classes"),
        ({"train_labels": np.full(50, -1)}, "at least one label; all 50 are -1"),
        ({"train": DIGITS[0]}, "train must be a table"),
        ({"test": DIGITS[:0]}, "test must be a table"),
        ({"train_labels": np.linspace(0, 1, 50)}, "must be classes"),
        ({"regularisations": [0.0]}, "regularisations must be positive"),
        ({"scaling": "colums"}, "scaling must be one of common, columns; got 'colums'"),
        ({"validation": 0.9}, "validation must be a share"),
    ],
)
def test_bad_input_is_explained(change, message):
    good = {
        "train": DIGITS[:50],
        "train_labels": CLASSES[:50],
        "test": DIGITS[:50],
        "test_labels": CLASSES[:50],
    }
    with pytest.raises(ValueError, match=message):
        linear_probe(**(good | change))


def test_a_table_whose_axes_single_precision_does_not_find(monkeypatch):
    found = torch.linalg.eigh

    def fails(table):
        if table.dtype == torch.float32:
            raise torch.linalg.LinAlgError("linalg.eigh: failed to converge, repeated eigenvalues")
        return found(table)

    rng = np.random.default_rng(0)
    y = np.arange(1200) % 2
    x = rng.normal(size=(1200, 120)).astype(np.float32)
    x[:, 0] += 3 * y
    expected = linear_probe(x, y, x[:200], y[:200]).accuracy
    monkeypatch.setattr(torch.linalg, "eigh", fails)
    assert linear_probe(x, y, x[:200], y[:200]).accuracy == pytest.approx(expected, abs=0.01)
    assert expected > 0.85
