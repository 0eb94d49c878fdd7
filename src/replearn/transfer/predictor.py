"""`Predictor`: what a fitted model of a task tells of samples: answers, probabilities, scores, what its head reads."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Samples, TextSamples
from replearn.encoders import TextEncoder
from replearn.engine.machine import choose_for_inference
from replearn.methods.checks import check_same_kind, samples_like_fit
from replearn.transfer.checks import check_fitted
from replearn.transfer.features import MIXTURE, Features, features_of
from replearn.transfer.in_batches import predict_rows
from replearn.transfer.reading import PairTexts, token_samples
from replearn.transfer.task_data import read_answers, read_samples
from replearn.transfer.tuning import Tuning


@dataclass(kw_only=True, eq=False, repr=False)
class Predictor(Tuning):
    """An encoder with a head that answers."""

    def predict(self, X: Any) -> Any:
        """Answers, one per sample: an array of classes or numbers, or lists of tags, or of spans."""
        check_fitted(self)
        return self._predicted(self._samples(X))

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes `(n, c)` in the order of `classes_`; of tags, a table per sentence.

        Raises:
            ValueError: answers are not classes.
        """
        check_fitted(self)
        return self.task_.probabilities(*self._told(self._samples(X)))

    def scores(self, X: Any, y: Any = None) -> dict[str, float]:
        """How good answers are, by name; a label that was never seen counts as wrong.

        Classes: `accuracy`, `macro_f1`. Numbers: `r2`, `pearson`, `spearman`. Tags: `accuracy` of words and, of
        entities, `entity_f1`, `entity_precision`, `entity_recall`. Spans: `f1`, `precision`, `recall`.

        Raises:
            ValueError: answers are missing, or not as they must be.
        """
        check_fitted(self)
        samples = self._samples(X)
        _, truth = read_answers(self.task, y, samples, known=self.task_)
        if all(answer is None for answer in truth):
            raise ValueError("y must hold at least one answer to score by; got none. Label some samples.")
        found: dict[str, float] = self.task_.scores(truth, self._predicted(samples))
        return found

    def score(self, X: Any, y: Any = None) -> float:
        """The score that counts: `accuracy`, `r2`, `entity_f1` (of tags that are of no entities, `accuracy`), `f1`."""
        return self.scores(X, y)[self.task_.main]

    def transform(self, X: Any) -> Float[np.ndarray, "n d"]:
        """What the head reads of each sample; of tokens, their mean."""
        check_fitted(self)
        inputs = self.inputs(self._samples(X))
        rows = predict_rows(
            self.represent, self._parts(), inputs, self._machine(), index=np.arange(len(inputs))
        )
        return np.stack(rows)

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        """What the head reads."""
        h: Tensor = self.head_.pooled(self._features(batch))
        return h

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        return int(self.head_.dim)

    @property
    def classes_(self) -> np.ndarray:
        """The classes, in the order of `predict_proba`'s columns."""
        return np.array(getattr(self.task_, "values", ()))

    def _samples(self, X: Any) -> Samples:
        if self.task in ("classify", "regress"):
            return samples_like_fit(self, X)
        samples = read_samples(self.task, X)
        check_same_kind(self, samples)
        return samples

    def inputs(self, samples: Samples) -> Samples:
        """Samples as the encoder reads them."""
        if not self.task_.tokenwise and not isinstance(samples, PairTexts):
            self.warn_of_cuts(samples)
            return samples
        encoder = self.encoder_
        assert isinstance(encoder, TextEncoder)
        assert isinstance(samples, TextSamples)
        return token_samples(samples, encoder.vocabulary, encoder.length, joined=not self.head_.apart)

    def _features(self, batch: Batch) -> Features:
        mixed = self.pooling == MIXTURE
        return features_of(self.encoder_, batch, mixed=mixed, tokenwise=self.task_.tokenwise)

    def _read(self, batch: Batch) -> Tensor:
        rows: Tensor = self.head_.mixed(self._features(batch))
        return rows

    def _outputs(self, batch: Batch) -> Tensor:
        return self.head_(self._features(batch))  # type: ignore[no-any-return]

    def _told(self, samples: Samples) -> tuple[list[np.ndarray], Samples]:
        inputs = self.inputs(samples)
        rows = predict_rows(
            self._outputs, self._parts(), inputs, self._machine(), index=np.arange(len(inputs))
        )
        return rows, inputs

    def _predicted(self, samples: Samples) -> Any:
        rows, inputs = self._told(samples)
        return self.task_.answers(rows, inputs, np.arange(len(inputs)))

    def _parts(self) -> list[nn.Module]:
        return [self.encoder_, self.head_]

    def _machine(self) -> Any:
        return choose_for_inference(self.device, self.precision)
