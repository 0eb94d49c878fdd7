"""How much of the labels can a straight line read off? Logistic probes.

The objective, over weights $W$ (c, d) and biases $\\beta$ (c) of features centred and scaled by the labelled
training rows:

$$\\frac1n \\sum_i -\\ln \\operatorname{softmax}(W x_i + \\beta)_{y_i}
  + \\frac{\\lambda}{2} \\lVert W \\rVert_2^2$$

which is scikit-learn's multinomial `LogisticRegression(C=1 / (n * λ))` on the scaled features. (With two
classes scikit-learn has one weight vector for our two, and the same predictions come from `C=2 / (n * λ)`.)

Two scalings:

* "common" divides all columns by one number, the root of their mean variance, so that rotating or rescaling
  the features changes nothing. This is the default: columns of an embedding share one unit, their variance
  carries meaning, and noise is not blown up. (1 % of 8,000 digits, 64 principal components: accuracy .72;
  with "columns" .59.)
* "columns" divides each column by its own deviation, as `StandardScaler` does: for tables of mixed units.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from replearn.evaluate.basis import Basis
from replearn.evaluate.checks import (
    Array,
    check_classes,
    check_features,
    check_groups,
    check_labelled,
    check_same_columns,
    check_split,
    class_numbers,
)
from replearn.evaluate.folds import stratified_folds
from replearn.evaluate.logistic import solve

REGULARISATIONS = tuple(float(f"{value:.3g}") for value in np.logspace(-5, 1, 9))
FEW = 1000  # below so many labels, one held-out part is too noisy to choose by: cross-validate
SCALINGS = ("common", "columns")


@dataclass(frozen=True)
class LinearScore:
    """What `linear_probe` found.

    Attributes:
        accuracy: on the test set.
        top5: share of test samples whose class is among the 5 likeliest (1.0 with 5 classes or fewer).
        regularisation: the λ chosen.
        regularisations: the λ swept.
        validation_accuracies: of each λ, on training labels held out; empty where nothing could be held out.
        selection: how λ was chosen: "hold-out", "cross-validation" or "default".
        labels: how many training labels were used.
        probe: the fitted classifier.
    """

    accuracy: float
    top5: float
    regularisation: float
    regularisations: tuple[float, ...]
    validation_accuracies: tuple[float, ...]
    selection: str
    labels: int
    probe: "LinearProbe"


class LinearProbe(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Multinomial logistic regression that chooses its own L2 regularisation, as a scikit-learn classifier.

    `fit` sweeps `regularisations` (λ of the module's objective), all in one batched solve, on a stratified
    part of the training labels; then it refits on all of them at the best λ (the strongest of equals):

    * 1,000 labels and more: one part of share `validation` is held out.
    * fewer: cross-validation, every part of share `validation` held out in turn.
      A class with a single label always stays in training.
    * no class with two labels: nothing can be held out; λ is the one nearest to 1/n, scikit-learn's `C=1`.

    Rows labelled -1 are dropped. Constant features get weight 0.

    Attributes:
        classes_: the classes (c,), sorted.
        coef_, intercept_: weights (c, d) and biases (c,), for features as they come.
        regularisation_, validation_accuracies_, selection_: as in `LinearScore`.

    >>> rows = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> LinearProbe().fit(rows, np.array([0, 0, 0, 1, 1, 1])).predict(rows).tolist()
    [0, 0, 0, 1, 1, 1]
    """

    classes_: Array
    coef_: npt.NDArray[np.float64]
    intercept_: npt.NDArray[np.float64]
    regularisation_: float
    validation_accuracies_: tuple[float, ...]
    selection_: str

    def __init__(
        self,
        *,
        regularisations: Sequence[float] | None = None,
        validation: float = 0.2,
        scaling: str = "common",
        random_state: int = 0,
    ) -> None:
        self.regularisations = regularisations
        self.validation = validation
        self.scaling = scaling
        self.random_state = random_state

    def fit(self, X: Array, y: Array, groups: Array | None = None) -> "LinearProbe":
        """Choose λ and fit; X (n, d), y (n,) with -1 for unlabelled, groups (n,) that no part held out cuts."""
        rows, labels = check_labelled(X, y, "train")
        known = check_groups(groups, np.asarray(y))
        fitted = fit_probes(
            [rows],
            [labels],
            groups=None if known is None else [known],
            regularisations=self.regularisations,
            validation=self.validation,
            scaling=self.scaling,
            random_state=self.random_state,
        )[0]
        self.__dict__.update({name: value for name, value in vars(fitted).items() if name.endswith("_")})
        return self

    def decision_function(self, X: Array) -> npt.NDArray[np.float64]:
        """Logits (n, c)."""
        check_is_fitted(self)
        rows = check_features(X)
        check_same_columns(self.coef_, rows, ("training features", "features"))
        return np.asarray(rows @ self.coef_.T + self.intercept_)

    def predict(self, X: Array) -> Array:
        """Likeliest classes (n,)."""
        return np.asarray(self.classes_[self.decision_function(X).argmax(axis=1)])

    def predict_proba(self, X: Array) -> npt.NDArray[np.float64]:
        """Probabilities of the classes (n, c)."""
        return torch.from_numpy(self.decision_function(X)).softmax(dim=1).numpy()


def linear_probe(
    train: Array,
    train_labels: Array,
    test: Array,
    test_labels: Array,
    *,
    regularisations: Sequence[float] | None = None,
    validation: float = 0.2,
    scaling: str = "common",
    groups: Array | None = None,
    random_state: int = 0,
) -> LinearScore:
    """Test accuracy of a `LinearProbe`; the test set takes no part in choosing the regularisation.

    Args:
        train, test: features (n, d) and (m, d).
        train_labels, test_labels: classes (n,) and (m,). Rows labelled -1 are dropped; a test label that
            training does not hold counts as an error.
        regularisations: λ to try; 9 values from 1e-5 to 10 when None.
        validation: share of the training labels held out to choose λ.
        scaling: "common", or "columns" for columns of different units; see the module.
        groups: of each training row (n,), copies of a sample or rows of one patient: a group is held out as a whole.
        random_state: seed of the split.

    Raises:
        ValueError: for features that are not finite tables of the same columns, labels of another length, a
            single class, regularisations that are not positive, or a validation share outside (0, 0.5].

    >>> rows = np.random.default_rng(0).normal(size=(200, 3))
    >>> score = linear_probe(rows[:100], rows[:100, 0] > 0, rows[100:], rows[100:, 0] > 0)
    >>> score.accuracy > 0.9, score.selection
    (True, 'cross-validation')
    """
    groups = check_groups(groups, np.asarray(train_labels))
    train, train_labels, test, test_labels = check_split(train, train_labels, test, test_labels)
    probe = LinearProbe(
        regularisations=regularisations, validation=validation, scaling=scaling, random_state=random_state
    )
    return score_probe(probe.fit(train, train_labels, groups), test, test_labels, labels=len(train))


def score_probe(probe: LinearProbe, test: Array, test_labels: Array, *, labels: int) -> LinearScore:
    """Score a fitted probe on labelled rows."""
    logits = probe.decision_function(test)
    truth = class_numbers(test_labels, probe.classes_)
    best = np.argsort(-logits, axis=1, kind="stable")[:, :5]
    return LinearScore(
        accuracy=float((best[:, 0] == truth).mean()),
        top5=float((best == truth[:, None]).any(axis=1).mean()),
        regularisation=probe.regularisation_,
        regularisations=_regularisations(probe.regularisations),
        validation_accuracies=probe.validation_accuracies_,
        selection=probe.selection_,
        labels=labels,
        probe=probe,
    )


def fit_probes(
    tables: Sequence[Array],
    labels: Sequence[Array],
    *,
    groups: Sequence[Array] | None = None,
    regularisations: Sequence[float] | None = None,
    validation: float = 0.2,
    scaling: str = "common",
    random_state: int = 0,
) -> list[LinearProbe]:
    """Fit one `LinearProbe` to each of several labelled tables (n, d) of the same shape, all at once.

    Each equals the probe fitted to its table alone. All tables must hold the same classes. Groups are held
    out as a whole.
    """
    penalties = _regularisations(regularisations)
    if not 0 < validation <= 0.5:
        raise ValueError(
            f"validation must be a share above 0 and up to 0.5; got {validation}. 0.2 holds out a fifth."
        )
    if scaling not in SCALINGS:
        raise ValueError(f"scaling must be one of {', '.join(SCALINGS)}; got {scaling!r}.")
    classes = check_classes(labels[0])
    numbers = np.stack([class_numbers(part, classes) for part in labels])  # (b, n)
    whole = [None] * len(numbers) if groups is None else list(groups)
    folds = np.stack(
        [
            stratified_folds(part, round(1 / validation), random_state, together)
            for part, together in zip(numbers, whole, strict=True)
        ]
    )
    basis = Basis(np.stack(tables), scaling)
    truth = torch.from_numpy(numbers)
    held = 1 if len(tables[0]) >= FEW else round(1 / validation)
    swept = _validate(basis, truth, torch.from_numpy(folds), held, penalties)
    accuracies, start = (None, None) if swept is None else swept
    selection = "hold-out" if held == 1 else "cross-validation"
    if accuracies is None or start is None:
        nearest = np.abs(np.log(np.array(penalties) * numbers.shape[1])).argmin()
        chosen, selection = np.full(len(tables), nearest), "default"
    else:  # the strongest of equals
        chosen = len(penalties) - 1 - accuracies.flip(1).argmax(dim=1).numpy()
        start = start[torch.arange(len(tables)), torch.from_numpy(chosen)]  # near where the refit ends
    best = np.array(penalties)[chosen]
    coefficients, intercepts = basis.refit(truth, best, start)
    probes = []
    for index in range(len(tables)):
        probe = LinearProbe(
            regularisations=regularisations, validation=validation, scaling=scaling, random_state=random_state
        )
        probe.classes_, probe.selection_ = classes, selection
        probe.coef_, probe.intercept_ = coefficients[index], intercepts[index]
        probe.regularisation_ = float(best[index])
        probe.validation_accuracies_ = () if accuracies is None else tuple(accuracies[index].tolist())
        probes.append(probe)
    return probes


def _regularisations(given: Sequence[float] | None) -> tuple[float, ...]:
    values = REGULARISATIONS if given is None else tuple(sorted(float(value) for value in given))
    if not values or not all(0 < value < np.inf for value in values):
        raise ValueError(f"regularisations must be positive numbers, at least one; got {values}. Try 1e-3.")
    return values


def _validate(
    basis: Basis, truth: Int[Tensor, "b n"], folds: Int[Tensor, "b n"], held: int, penalties: Sequence[float]
) -> tuple[Float[Tensor, "b l"], Float[Tensor, "b l c p"]] | None:
    """Accuracy of every penalty on rows held out, over the first `held` folds; None where there are none.

    With it, the weights fitted when the first fold was held out.
    """
    out = torch.stack([folds == fold for fold in range(held)], dim=1)  # (b, f, n)
    out = out[:, out.any(dim=(0, 2))]
    if out.shape[1] == 0 or not out.any(dim=(1, 2)).all():
        return None
    shares = (~out).to(basis.rows.dtype)
    shares = (shares / shares.sum(dim=2, keepdim=True)).repeat_interleave(
        len(penalties), dim=1
    )  # (b, f l, n)
    strength = torch.tensor(penalties, dtype=shares.dtype).repeat(len(out), out.shape[1])
    weights = solve(basis.rows, truth, shares, strength, classes=int(truth.max()) + 1)
    flat = weights.flatten(1, 2)  # (b, f l c, r + 1)
    some = out.any(dim=1).any(dim=0)  # rows held out anywhere
    truth, out = truth[:, some], out[..., some]
    logits = flat[..., :-1] @ basis.rows[:, some].mT + flat[..., -1:]
    guess = logits.view(len(out), out.shape[1], len(penalties), -1, out.shape[2]).argmax(
        dim=3
    )  # (b, f, l, n)
    right = (guess == truth[:, None, None]) & out[:, :, None]
    accuracies: Tensor = right.sum(dim=(1, 3)) / out.sum(dim=(1, 2))[:, None]
    return accuracies, weights[:, : len(penalties)]
