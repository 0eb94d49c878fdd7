"""What methods share that learn classes from labels: they answer, too."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from scipy.special import softmax
from sklearn.exceptions import NotFittedError
from torch import Tensor

from replearn.data import Batch, Samples
from replearn.data.labels import UNLABELLED, WHOLE, encode_labels
from replearn.engine.embed import embed_parts
from replearn.engine.machine import choose_for_inference
from replearn.engine.orders import Mixed, Order, Shuffled
from replearn.methods.base import Method
from replearn.methods.checks import samples_like_fit


@dataclass(kw_only=True, eq=False, repr=False)
class Classifier(Method):
    """A method with a layer of logits, `logits_`, on its encoder."""

    family: ClassVar[str] = "labelled"
    needs_labels: ClassVar[bool] = True

    def logits(self, batch: Batch) -> Float[Tensor, "n c"]:
        """The logits of the classes."""
        return self.logits_(self.represent(batch))  # type: ignore[no-any-return]

    @property
    def classes_(self) -> np.ndarray:
        """The classes, in the order of `predict_proba`'s columns: their numbers, or where they have names, these."""
        names = self.samples_.classes
        return np.array([int(name) for name in names] if all(map(WHOLE.fullmatch, names)) else names)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each sample, `(n,)`.

        Raises:
            ValueError: samples are not like those of `fit`.
        """
        likeliest = self.predict_proba(X).argmax(1)
        answers: np.ndarray = self.classes_[likeliest]
        return answers

    def predict_proba(self, X: Any) -> Float[np.ndarray, "n c"]:
        """The probabilities of the classes, in the order of `classes_`.

        Raises:
            ValueError: samples are not like those of `fit`.
        """
        if not self.modules():
            raise NotFittedError(
                f"{type(self).__name__} must be fitted before predict. Call fit, or load a run."
            )
        samples = samples_like_fit(self, X)
        machine = choose_for_inference(self.device, self.precision)
        rows = list(embed_parts(self.logits, list(self.modules().values()), samples, machine))
        probabilities: np.ndarray = softmax(np.concatenate(rows), axis=1)
        return probabilities

    def score(self, X: Any, y: Any = None) -> float:
        """The share of labelled samples whose class is predicted; a class that `fit` had not seen counts as wrong.

        Args:
            X: samples like those of `fit`.
            y: their labels, -1 or None where unknown; None takes the samples' own.

        Raises:
            ValueError: there are no labels, or samples are not like those of `fit`.
        """
        samples = samples_like_fit(self, X)
        labels, classes = (samples.labels, samples.classes) if y is None else encode_labels(y, len(samples))
        known = np.empty(0) if labels is None else np.flatnonzero(labels != UNLABELLED)
        if labels is None or not len(known):
            raise ValueError("y must hold at least one label to score by; got none. Label some samples.")
        told = self.predict(samples)[known]
        return float(np.mean(told.astype(str) == np.array(classes)[labels[known]]))


def labelled_rows(samples: Samples) -> np.ndarray:
    """Positions of the samples that have a label."""
    return (
        np.flatnonzero(samples.labels != UNLABELLED) if samples.labels is not None else np.empty(0, np.int64)
    )


def labelled_order(method: Any, samples: Samples, *, ratio: int | None) -> Order:
    """Batches in which `ratio` samples without a label come to each with one; None: all have one.

    The labelled ones are gone through again and again: an epoch is as many batches as all samples would fill.
    """
    labelled = labelled_rows(samples)
    if len(labelled) == len(samples):
        return Shuffled(len(samples), method.random_state)
    size = method.batch_size
    return Mixed(
        labelled,
        np.setdiff1d(np.arange(len(samples)), labelled),
        batch_size=size,
        few_in_batch=size if ratio is None else max(1, size // (1 + ratio)),
        per_epoch=len(samples) // size,
        random_state=method.random_state,
    )
