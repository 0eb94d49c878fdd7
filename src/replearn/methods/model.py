"""`Model`: hyperparameters before `fit`, modules after; what all methods of ours share, however they learn.

One that learns by gradients is a `Method` (see `replearn.methods.base`). One with a closed form, or whose learner is a
class of scikit-learn, is a `Model` and no more: it writes `build(samples)` (modules whose buffers hold what is learned,
in attributes that end in `_`), `learn(samples)` and `represent(batch)`.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError

from replearn.data import Description, Samples, as_samples, describe
from replearn.data.kinds import KINDS, WORDS
from replearn.data.processes import process
from replearn.encoders import Encoder
from replearn.encoders.kinds import NETWORKS
from replearn.engine.embed import embed_parts
from replearn.engine.extension import Extension
from replearn.engine.machine import choose_for_inference, join_processes, random_state_kept
from replearn.engine.train import seed_of
from replearn.methods.checks import check_refused, check_samples, check_seed, samples_like_fit
from replearn.methods.needs import kinds_served
from replearn.methods.neighbours import nearest_rows
from replearn.methods.outline import Outline
from replearn.methods.ranges import check_ranges, check_sizes
from replearn.methods.started import mark, run_standing_in, started_from
from replearn.methods.store import begun, drop_state, end_run, has_ended, restore, to_json
from replearn.views.choose import make_views

log = logging.getLogger("replearn")


@dataclass(kw_only=True, eq=False, repr=False)
class Model(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Outline):  # type: ignore[misc]
    """A scikit-learn estimator and transformer of samples, kept in a run folder."""

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        run: str | Path | None = None,
        resume: bool = False,
        loggers: Iterable[Any] = (),
    ) -> "Model":
        """Learn from samples.

        Args:
            X: anything that `replearn.data.as_samples` takes: arrays, tensors, folders, names of built-in data; or what
                the class says.
            y: labels, -1 or None where unknown; most methods look at none.
            run: a folder for checkpoints, history and weights; None keeps all in memory.
            resume: go on with the run in that folder, bit by bit as if it had not been interrupted (on CPUs, and where
                no `max_minutes` cuts it). One that has ended is extended where more epochs are asked for than it had:
                from its weights, with a new schedule, which is another training than one of all the epochs.
            loggers: Lightning Fabric loggers, TensorBoard's for instance.

        Raises:
            ValueError: a field or the data is not as it must be.
        """
        check_sizes(self)
        join_processes(self.device)
        samples = self._prepare(self.given(X, y))
        if run is None:
            self.learn(samples, run=None, resume=resume, loggers=loggers)
        else:
            self._learn_into(run, samples, resume=resume, loggers=loggers)
        self.forget()
        return self

    def _learn_into(self, run: str | Path, samples: Samples, *, resume: bool, loggers: Iterable[Any]) -> None:
        """Learn, and keep what is learned in a run folder; one that has ended is read."""
        with begun(self, run, resume=resume) as folder:
            if resume and has_ended(folder):
                if process() == 0:
                    drop_state(self, folder)  # where a kill came between the weights and this
                epochs = f", after {self.epochs} epochs" if getattr(self, "epochs", None) else ""
                log.info("the run in %s has ended already%s: nothing to do", folder, epochs)
                restore(self, folder)
                return
            self.learn(samples, run=folder, resume=resume, loggers=loggers)
            end_run(self, folder)

    def prepare(self, X: Any, y: Any = None) -> "Model":
        """Check fields and samples and make the modules, untrained: `fit` without learning.

        Raises:
            ValueError: a field or the data is not as it must be.
        """
        check_sizes(self)
        self._prepare(self.given(X, y))
        self.forget()
        return self

    def given(self, X: Any, y: Any) -> Samples:
        """The samples in what `fit` is given.

        Raises:
            ValueError: it is not as it must be.
        """
        return as_samples(X, y)

    def forget(self) -> None:
        """Drop what was kept of `given` to learn from."""

    def _prepare(self, given: Samples) -> Samples:
        """Make the modules for samples, and return these as the method reads them."""
        spec = getattr(self, "encoder", None)
        self.extensions_: list[Extension] = []
        with run_standing_in(spec, given, whole=self.asks_rows):
            self._started = started_from(spec, given)
            samples = self.reading(given)
            self.check(samples)
            self.samples_ = describe(samples)
            with random_state_kept():
                torch.manual_seed(seed_of(self.random_state, 0))
                if hasattr(self, "views") and not (self.views is None and self.views_optional):
                    self.views_ = make_views(self.views, samples, self.split)
                try:
                    self.build(self.samples_)
                except (RuntimeError, TypeError, LookupError, ArithmeticError, UserWarning):
                    check_ranges(self)  # which is why, if it says so
                    raise
            check_ranges(self)
        mark(self, to_json(self))
        return samples

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        check_refused(self, samples)
        check_seed(self.random_state)
        check_samples(self, samples)

    def transform(self, X: Any) -> Float[np.ndarray, "n d"]:
        """The representation of each sample, float32.

        Args:
            X: samples like those of `fit`. Files of images are made so (size, grey or colour, levels), with a line;
                of arrays and samples, grey ones get the channels of colour ones, and nothing else is changed.

        Raises:
            ValueError: they are of another kind or shape.
        """
        parts = list(self.transform_parts(X))
        return np.concatenate(parts)

    def transform_parts(
        self, X: Any, *, rows: int = 512, first: int = 0
    ) -> Iterator[Float[np.ndarray, "n d"]]:
        """Like `transform`, `rows` samples at a time: memory does not grow with the number of samples.

        Args:
            X: samples.
            rows: at a time.
            first: the number of the first sample, by which messages count.

        Raises:
            ValueError: the samples are not like those of `fit`, or representations are not finite.
        """
        if not self.modules():
            raise NotFittedError(
                f"{type(self).__name__} must be fitted before transform. Call fit, or load a run."
            )
        samples = samples_like_fit(self, X)
        self.warn_of_cuts(samples)
        machine = choose_for_inference(self.device, self.precision)
        modules = list(self.modules().values())
        return embed_parts(self.represent, modules, samples, machine, rows=rows, first=first)

    def neighbours(
        self, query: Any, among: Any, k: int = 5
    ) -> tuple[Int[np.ndarray, "q _"], Float[np.ndarray, "q _"]]:
        """The samples whose representations are nearest to those of others, exactly, by cosine.

        Args:
            query: samples to ask about, as `transform` takes them; one text may stand alone.
            among: samples to find.
            k: how many for each query; at most as many as there are.

        Returns:
            Positions in `among` and cosines, `(queries, k)` each, the nearest first. A query that is in `among` finds
            itself first.

        Raises:
            ValueError: k is less than 1, or samples are not like those of `fit`.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1; got {k}. Leave it out for 5.")
        asked = [query] if isinstance(query, str) and WORDS in KINDS[self.samples_.kind].offers else query
        return nearest_rows(self.transform(asked), self.transform(among), k)

    def warn_of_cuts(self, samples: Samples, length: int | None = None) -> None:
        """A `DataWarning` where the encoder doesn't read some of these texts to their end, or not beyond `length`."""
        encoder = getattr(self, "encoder_", None)
        if isinstance(encoder, Encoder):
            NETWORKS[samples.kind].warn_of_cuts(encoder, samples, length)

    def save(self, path: str | Path) -> None:
        """Write fields and weights into the run folder `path`; `replearn.load` reads them back."""
        with begun(self, path) as folder:
            end_run(self, folder)

    # What scikit-learn asks for besides.

    @property
    def n_features_in_(self) -> int:
        """Numbers per row of the table that it was fitted on."""
        fitted_on: Description | None = getattr(self, "samples_", None)
        if fitted_on is None or not KINDS[fitted_on.kind].scaled:
            raise AttributeError(
                f"{type(self).__name__} was fitted on no table, so its rows have no number of columns"
            )
        return int(fitted_on.shape[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]  # what `transform` returns, whatever came
        tags.target_tags.required = self.needs_labels
        served = kinds_served(type(self))
        tags.input_tags.two_d_array = "table" in served
        tags.input_tags.string = "text" in served
        return tags

    @property
    def _n_features_out(self) -> int:  # scikit-learn names output columns by it
        return self.representation_dim
