"""The linear probe and its sweep of regularisations, against the same sweep with scikit-learn."""

import time
import warnings
from typing import Any

import numpy as np
from record import Part, Setting

from replearn import load_data
from replearn.evaluate import linear_probe
from replearn.evaluate.folds import stratified_folds
from replearn.evaluate.linear import REGULARISATIONS

GOAL = 10.0
VALIDATION = 0.2


def measure(setting: Setting) -> Part:
    """Seconds and test accuracy at 8,000 x 512 features."""
    rows, dim, times = (500, 32, 1) if setting.quick else (8_000, 512, 3)
    train, labels, test, truth = features(rows, dim)
    linear_probe(train[:200], labels[:200], test, truth)  # warm-up
    ours = [_timed(lambda: linear_probe(train, labels, test, truth).accuracy) for _ in range(times)]
    took, right = sorted(ours)[len(ours) // 2]
    slow, reached = _timed(lambda: sklearn_sweep(train, labels, test, truth))
    part = Part(
        title="Linear probe with its sweep",
        goal=f"at {rows:,} x {dim} features at least {GOAL:g} times as fast as scikit-learn's sweep, "
        "accuracy equal within .005",
        notes=[
            "Features: a random ReLU layer on the built-in digits. Sweep: StandardScaler and "
            "LogisticRegression (default solver and tolerance, up to 1,000 iterations) at "
            f"{len(REGULARISATIONS)} regularisations on {1 - VALIDATION:.0%} of the training labels, the "
            "best on the rest refitted on all. Both sides may use all cores.",
        ],
    )
    part.rows = [
        {
            "side": "replearn, linear_probe",
            "seconds": took,
            "test accuracy": right,
            "times as fast": round(slow / took, 1),
        },
        {
            "side": "scikit-learn, the same sweep",
            "seconds": slow,
            "test accuracy": reached,
            "times as fast": 1.0,
        },
    ]
    part.met = slow / took >= GOAL and abs(right - reached) <= 0.005
    return part


def features(rows: int, dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What an untrained layer makes of the digits: training features and labels, then the test set's."""
    train, test = (load_data("digits", split=part) for part in ("train", "test"))
    weights = np.random.default_rng(0).normal(size=(train.flat().shape[1], dim)).astype(np.float32)
    a, b = (np.maximum(part.flat() @ weights, 0) for part in (train, test))
    return a[:rows], np.asarray(train.labels)[:rows], b, np.asarray(test.labels)


def sklearn_sweep(train: np.ndarray, labels: np.ndarray, test: np.ndarray, truth: np.ndarray) -> float:
    """Test accuracy of the best regularisation on held-out training labels."""
    held = stratified_folds(labels, round(1 / VALIDATION), 0) == 0
    scores = [
        _fit(train[~held], labels[~held], value).score(train[held], labels[held]) for value in REGULARISATIONS
    ]
    best = max(range(len(scores)), key=lambda i: (scores[i], i))
    return float(_fit(train, labels, REGULARISATIONS[best]).score(test, truth))


def _fit(rows: np.ndarray, labels: np.ndarray, regularisation: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    strength = 1 / (len(rows) * regularisation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the iterations' limit
        return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000)).fit(
            rows, labels
        )


def _timed(run: Any) -> tuple[float, float]:
    began = time.perf_counter()
    found = run()
    return time.perf_counter() - began, float(found)
