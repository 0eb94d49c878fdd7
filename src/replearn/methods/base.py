"""`Method`: hyperparameters before `fit`, modules after.

A method writes `build(samples)` (make the modules; what is learned ends in `_`) and `loss(batch)` (the algorithm as in
the paper), sometimes `represent(batch)`, `terms(batch)` and `after_step(progress)`. Everything else comes from here: it
is a scikit-learn estimator and transformer, trains by `replearn.engine`, saves and loads.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples, as_samples, describe
from replearn.engine.embed import embed_parts
from replearn.engine.history import History, Past
from replearn.engine.machine import choose, join_processes, random_state_kept
from replearn.engine.run import STATE, remove
from replearn.engine.train import seed_of, train
from replearn.methods.checks import check_fields, check_same_kind, check_training_samples
from replearn.methods.store import end_run, has_ended, restore, start_run
from replearn.views.choose import make_views


@dataclass(kw_only=True, eq=False, repr=False)
class Method(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What all learned methods share.

    Attributes:
        encoder: a name (see `replearn.encoders`) or a module, which is copied; `auto` fits the kind of data.
        epochs: passes over the samples.
        batch_size: samples per step, over all processes.
        accumulate: batches whose gradients are added up for a step.
        slice_size: the encoder works on so many samples at a time, in less memory, or None. The gradient is the same,
            except that batch normalisation sees a slice at a time.
        optimizer: `adamw`, `sgd` or `lars`.
        learning_rate: its peak.
        weight_decay: for weight matrices; biases and normalisation are spared.
        warmup: share of training in which the learning rate rises; after it, it falls as a cosine.
        max_minutes: end after so many minutes with the whole schedule drawn together, or None.
        checkpoint_minutes: minutes between checkpoints of a run.
        random_state: seed of weights, order and views.
        device: `auto`, `cpu`, `cuda`, ...
        precision: `auto`, `32-true`, `bf16-mixed`, ...
        compile: compile the networks (worth it for long trainings).
    """

    family: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]
    year: ClassVar[int]
    paper: ClassVar[str]
    smallest_batch: ClassVar[int] = 1
    why_not_smaller: ClassVar[str] = ""  # completes "..., since"
    for_smaller: ClassVar[str] = ""  # completes "Use ..."
    why_collapse: ClassVar[str] = ""  # what else to look at when all embeddings become one, as a question
    needs_labels: ClassVar[bool] = False
    split: ClassVar[str] = "pair"  # what the default views give: see `replearn.views.defaults.SPLITS`

    encoder: str | nn.Module = "auto"
    epochs: int = 100
    batch_size: int = 256
    accumulate: int = 1
    slice_size: int | None = None
    optimizer: Literal["adamw", "sgd", "lars"] = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup: float = 0.1
    max_minutes: float | None = None
    checkpoint_minutes: float = 1.0
    random_state: int = 0
    device: str = "auto"
    precision: str = "auto"
    compile: bool = False

    # What a method writes.

    def build(self, samples: Description) -> None:
        """Make the modules for such samples."""
        raise NotImplementedError

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """The loss of a batch, alike on all processes where rows are gathered."""
        raise NotImplementedError

    def terms(self, batch: Batch) -> Sequence[Callable[[], Tensor]]:
        """The loss as a sum of terms, computed when called: the memory of one term is needed at a time.

        What they share is computed here, without a gradient (a teacher's embeddings of all crops, say).
        """
        return [partial(self.loss, batch)]

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        """The representation h of a batch."""
        return self.encoder_(batch)  # type: ignore[no-any-return]

    def after_step(self, progress: float) -> None:
        """Called after each update (teachers, queues, centres); `progress` is the share of training done."""

    def embed(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n e"] | None:
        """The embedding z that the loss compares, of a representation; None where there is none.

        It is looked at during training, as `assign` is: see `replearn.engine.health`.
        """
        return None

    def assign(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n k"] | None:
        """Each sample's probabilities of prototypes; None where there are none."""
        return None

    def same_views(self, batch: Batch) -> bool:
        """Whether the method compares views of these samples, and they do not differ."""
        return False

    def loss_at_collapse(self) -> float | None:
        """The loss of embeddings that tell nothing apart, or None where it says nothing."""
        return None

    # What comes with it.

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        run: str | Path | None = None,
        resume: bool = False,
        loggers: Iterable[Any] = (),
    ) -> "Method":
        """Learn from samples.

        Args:
            X: anything that `replearn.data.as_samples` takes: arrays, tensors, folders, names of built-in data.
            y: labels, -1 or None where unknown; most methods look at none.
            run: a folder for checkpoints, history and weights; None keeps all in memory.
            resume: go on with the run in that folder, bit by bit as if it had not been interrupted (on CPUs, and where
                no `max_minutes` cuts it).
            loggers: Lightning Fabric loggers, TensorBoard's for instance.

        Raises:
            ValueError: a field or the data is not as it must be.
        """
        join_processes(self.device)
        samples = as_samples(X, y)
        self.prepare(samples)
        folder = start_run(self, run, resume=resume) if run is not None else None
        if folder and resume and has_ended(folder):
            remove(folder / STATE)  # where a kill came between the weights and this
            return restore(self, folder)
        self.learn(samples, run=folder, resume=resume, loggers=loggers)
        if folder:
            end_run(self, folder)
        return self

    def prepare(self, X: Any, y: Any = None) -> "Method":
        """Check fields and samples and make the modules, untrained: `fit` without learning.

        Raises:
            ValueError: a field or the data is not as it must be.
        """
        check_fields(self)
        samples = as_samples(X, y)
        check_training_samples(self, samples)
        self.samples_ = describe(samples)
        with random_state_kept():
            torch.manual_seed(seed_of(self.random_state, 0))
            if hasattr(self, "views"):
                self.views_ = make_views(self.views, samples, self.split)
            self.build(self.samples_)
        return self

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        """Train the modules; methods with a closed form override it."""
        self.history_: History | Past = train(self, samples, run=run, resume=resume, loggers=loggers)

    def transform(self, X: Any) -> Float[np.ndarray, "n d"]:
        """The representation of each sample, float32."""
        parts = list(self.transform_parts(as_samples(X)))
        return np.concatenate(parts)

    def transform_parts(self, X: Any, *, rows: int = 512) -> Iterator[Float[np.ndarray, "n d"]]:
        """Like `transform`, `rows` samples at a time: memory does not grow with the number of samples."""
        if not self.modules():
            raise NotFittedError(
                f"{type(self).__name__} must be fitted before transform. Call fit, or load a run."
            )
        samples = as_samples(X)
        check_same_kind(self, samples)
        machine = choose(self.device, self.precision)
        return embed_parts(self.represent, list(self.modules().values()), samples, machine, rows=rows)

    def modules(self) -> dict[str, nn.Module]:
        """The modules by name: all attributes that end in `_` and are modules."""
        return {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and isinstance(value, nn.Module)
        }

    def save(self, path: str | Path) -> None:
        """Write fields and weights into the run folder `path`; `replearn.load` reads them back."""
        end_run(self, start_run(self, path))

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        return int(self.encoder_.dim)

    @property
    def _n_features_out(self) -> int:  # scikit-learn names output columns by it
        return self.representation_dim
