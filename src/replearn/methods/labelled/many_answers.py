"""What methods share that learn several targets of each sample: they answer all of them."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import softmax
from sklearn.exceptions import NotFittedError
from torch import Tensor

from replearn.data import Batch, Samples, Target, Targets, read_targets, targets_of
from replearn.data.processes import collect, process
from replearn.engine.embed import embed_parts
from replearn.engine.machine import choose_for_inference
from replearn.methods.base import Method
from replearn.methods.checks import samples_like_fit

if TYPE_CHECKING:
    from pandas import DataFrame

log = logging.getLogger("replearn")


@dataclass(kw_only=True, eq=False, repr=False)
class ManyAnswers(Method):
    """A method with a layer, `heads_`, that gives the logits or the number of each target, one after another.

    Attributes:
        tasks: names of the targets to learn; none: all.
        numbers: names of targets that are numbers though all of them are whole, which are taken for classes else.
    """

    family: ClassVar[str] = "labelled"
    needs_labels: ClassVar[bool] = True

    tasks: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    def reading(self, samples: Samples) -> Samples:
        for name in ("tasks", "numbers"):
            if isinstance(getattr(self, name), str):
                raise ValueError(
                    f"{name} must be names of targets; got {getattr(self, name)!r}. Put it in brackets."
                )
        targets = targets_of(samples)
        read = super().reading(samples)
        return read if targets is None else read.with_targets(self._asked(targets))

    def _asked(self, targets: Targets) -> Targets:
        """The targets that are to be learned, as what they are to be."""
        chosen = targets.only(self.tasks) if self.tasks else targets
        return chosen.as_numbers(self.numbers)

    def has_labels(self, samples: Samples) -> bool:
        return samples.targets is not None

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        super().check(samples)
        for target in samples.targets.describe() if samples.targets else ():
            _check_learnable(target, samples.targets.column(target.name))  # type: ignore[union-attr]

    def _prepare(self, given: Samples) -> Samples:
        samples = super()._prepare(given)
        assert samples.targets is not None
        self._truth = torch.from_numpy(self._standardised(samples.targets))
        self._known = ~self._truth.isnan()  # which stays here
        if process() == 0:
            log.info("targets: %s", ", ".join(map(str, self.samples_.targets)))
        return samples

    def _standardised(self, targets: Targets) -> Float[np.ndarray, "n t"]:
        """Positions of classes, and numbers in units of the deviation of those of `fit`, around their mean."""
        told = self.samples_.targets
        columns = [(targets.column(one.name) - one.mean) / one.deviation for one in told]
        return np.stack(columns, axis=1).astype(np.float32)

    def truth(self, batch: Batch) -> Float[Tensor, "m t"]:
        """The targets of a batch, of all processes, NaN where unknown: classes, and standardised numbers."""
        if self._truth.device != batch.index.device:
            self._truth = self._truth.to(batch.index.device)
        return self._truth[collect(batch.index)]

    def each(self, out: Float[Tensor, "n o"]) -> tuple[Float[Tensor, "n _"], ...]:
        """What the heads say of each target."""
        return torch.split(out, [target.outputs for target in self.samples_.targets], dim=1)

    def predict(self, X: Any) -> "DataFrame":
        """Of each sample the likeliest class, or the number, of each target; a column each.

        Raises:
            ValueError: samples are not like those of `fit`.
        """
        from pandas import DataFrame

        out = self._said(X)
        return DataFrame(
            {
                target.name: out[target.name][:, 0].astype(np.float64) * target.deviation + target.mean
                if target.classes is None
                else target.named[out[target.name].argmax(1)]
                for target in self.samples_.targets
            }
        )

    def predict_proba(self, X: Any) -> dict[str, Float[np.ndarray, "n _"]]:
        """The probabilities of the classes of each target that has classes, in the order of `classes_`.

        Raises:
            ValueError: samples are not like those of `fit`.
        """
        out = self._said(X)
        return {name: softmax(out[name], axis=1) for name in self.classes_}

    @property
    def classes_(self) -> dict[str, np.ndarray]:
        """The classes of each target that has classes."""
        return {target.name: target.named for target in self.samples_.targets if target.classes is not None}

    def scores(self, X: Any, y: Any = None) -> dict[str, float]:
        """Of each target the share of classes that are right, or the share of the numbers' variance explained (R²).

        A class that `fit` had not seen counts as wrong. NaN where nothing is known of a target, and where numbers are
        all alike.

        Args:
            X: samples like those of `fit`.
            y: their targets, as `fit` takes them, more of them or fewer; None takes the samples' own.

        Raises:
            ValueError: there are no such targets, or samples are not like those of `fit`.
        """
        samples = samples_like_fit(self, X)
        given = targets_of(samples) if y is None else read_targets(y, len(samples))
        told = [target for target in self.samples_.targets if given and target.name in given.names]
        if not told or given is None:
            names = ", ".join(target.name for target in self.samples_.targets)
            raise ValueError(
                f"y must hold one of the targets of fit, {names}; got none. Name its columns so."
            )
        truth = given.only([target.name for target in told])
        truth = truth.as_numbers([target.name for target in told if target.classes is None])
        found = self.predict(samples)
        return {target.name: _score(target, truth, found[target.name].to_numpy()) for target in told}

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of `scores`, accuracies and R² alike: by which a search may choose.

        Raises:
            ValueError: as `scores`.
        """
        return float(np.mean(list(self.scores(X, y).values())))

    def _said(self, X: Any) -> dict[str, Float[np.ndarray, "n _"]]:
        """What the head of each target says of samples."""
        if not self.modules():
            raise NotFittedError(
                f"{type(self).__name__} must be fitted before predict. Call fit, or load a run."
            )
        samples = samples_like_fit(self, X)
        machine = choose_for_inference(self.device, self.precision)
        heads = lambda batch: self.heads_(self.represent(batch))  # noqa: E731
        rows = np.concatenate(list(embed_parts(heads, list(self.modules().values()), samples, machine)))
        ends = np.cumsum([target.outputs for target in self.samples_.targets])
        parts = np.split(rows, ends[:-1], axis=1)
        return {target.name: part for target, part in zip(self.samples_.targets, parts, strict=True)}


def _check_learnable(target: Target, values: Float[np.ndarray, " n"]) -> None:
    """Raises ValueError where there is nothing to learn of a target."""
    there = np.unique(values[~np.isnan(values)])
    what = "numbers that differ" if target.classes is None else "classes"
    if len(there) < 2:
        raise ValueError(
            f"targets must hold at least two {what}; {target.name!r} holds {len(there)}. Leave it out, or give more "
            "samples."
        )
    if not (np.isfinite(target.deviation) and target.deviation > 0):
        raise ValueError(
            f"targets must be numbers whose squares are finite and not 0; {target.name!r} is too large or too small. "
            "Rescale it."
        )


def _score(target: Target, truth: Targets, found: np.ndarray) -> float:
    """Accuracy, or R²."""
    values = truth.column(target.name)
    known = np.flatnonzero(~np.isnan(values))
    values, found = values[known], found[known]
    if not len(known):
        return float("nan")
    if target.classes is not None:
        names = truth.classes[truth.names.index(target.name)]
        if names is None:
            raise ValueError(
                f"targets must be classes as in fit; {target.name!r} holds numbers. Give the same column."
            )
        return float(np.mean(found.astype(str) == np.array(names)[values.astype(np.int64)]))
    spread = float(((values - values.mean()) ** 2).sum())
    return 1 - float(((values - found) ** 2).sum()) / spread if spread > 0 else float("nan")
