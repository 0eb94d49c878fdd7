"""What every method says of itself and writes (`Outline`), and what one writes that learns by gradients (`Training`).

`Model` makes an estimator of the one, kept in a run folder; `Trained` goes through the training of the other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from jaxtyping import Float
from sklearn.base import BaseEstimator
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders.kinds import NETWORKS
from replearn.engine.orders import Order, Shuffled
from replearn.methods.exhibit import Exhibit


@dataclass(kw_only=True, eq=False, repr=False)
class Outline(BaseEstimator):  # type: ignore[misc]
    """Fields that all methods have, and what each of them writes.

    Attributes:
        random_state: seed of all that is drawn: weights, order and views.
        device: `auto`, `cpu`, `cuda`, ...
        precision: `auto` (training: bfloat16 where the processor has it, else 32 bits; what is fitted: always 32
            bits), `32-true`, `bf16-mixed`, ...
    """

    family: ClassVar[str]
    # What kinds of samples must offer that it learns from: see `replearn.methods.needs`.
    needs: ClassVar[tuple[str, ...]] = ()
    year: ClassVar[int]
    paper: ClassVar[str]
    needs_labels: ClassVar[bool] = False
    refused: ClassVar[Mapping[str, str]] = {}  # fields that would do nothing; completes "..., since"
    split: ClassVar[str] = "pair"  # what the default views give: see `replearn.views.defaults.SPLITS`
    views_optional: ClassVar[bool] = False  # whether views=None means none, in place of the default ones
    keeps_state: ClassVar[bool] = False  # whether weights alone are too little to extend a run that has ended
    why_not_extended: ClassVar[str] = "since it is not learned in epochs"
    sees: ClassVar[str] = ""  # what its network is shown of a sample, where that isn't the sample as it is
    why_not_judged: ClassVar[str] = ""  # by probes, as a representation

    random_state: int = 0
    device: str = "auto"
    precision: str = "auto"

    def reading(self, samples: Samples) -> Samples:
        """The samples as this method reads them: texts by a tokenizer of its own, or by one that its encoder has."""
        return NETWORKS[samples.kind].reading(getattr(self, "encoder", None), samples)

    def has_labels(self, samples: Samples) -> bool:
        """Whether samples have what a method learns from that needs labels."""
        return samples.labels is not None and len(set(samples.labels[samples.labels >= 0])) > 1

    def build(self, samples: Description) -> None:
        """Make the modules for such samples."""
        raise NotImplementedError

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        """Learn from samples, into the modules; a run folder keeps what a resumption needs."""
        raise NotImplementedError

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        """The representation h of a batch."""
        raise NotImplementedError

    def exhibit(self, batch: Batch) -> Exhibit | None:
        """What it was asked of some samples and what it answered, for a report; None where that shows nothing."""
        return None

    def schedule_again(self) -> str | None:
        """With what schedule a run that has ended goes on if more epochs are asked for; None: it can't."""
        return None

    def idle(self, samples: Samples) -> Mapping[str, str]:
        """Fields that would do nothing for such samples as the other fields are, like `refused`."""
        return {}

    @property
    def asks_rows(self) -> bool:
        """Whether its encoder is asked for rows and no more, so that any fitted method will do."""
        return False

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        raise NotImplementedError

    def modules(self) -> dict[str, nn.Module]:
        """The modules by name: all attributes that end in `_` and are modules."""
        return {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and isinstance(value, nn.Module)
        }


@dataclass(kw_only=True, eq=False, repr=False)
class Training(Outline):
    """What a method writes that learns by gradients, and the fields of its training.

    Attributes:
        epochs: passes over the samples.
        batch_size: samples per step, over all processes; of fewer samples, all.
        accumulate: batches whose gradients are added up for a step. The gradient is that of one batch of all their
            samples, unless the loss compares samples of a batch with each other: these stay those of one batch.
        slice_size: the encoder works on so many samples at a time, in less memory, or None. The gradient is the same,
            except that batch normalisation sees a slice at a time.
        optimizer: `adamw`, `sgd` or `lars`.
        learning_rate: its peak.
        weight_decay: for weight matrices; biases and normalisation are spared.
        warmup: share of training in which the learning rate rises; after it, it falls as a cosine.
        max_minutes: end after so many minutes with the whole schedule drawn together, or None.
        checkpoint_minutes: minutes between checkpoints of a run.
        compile: compile the networks (worth it for long trainings).
        fsdp: each of several processes holds a part of all weights, gradients and the optimizer's state (fully sharded
            data parallel): for networks that are too large for one. It learns the same.
    """

    smallest_batch: ClassVar[int] = 1
    beta1: ClassVar[float] = 0.9  # how much of the last gradients AdamW keeps
    why_not_smaller: ClassVar[str] = ""  # completes "..., since"
    for_smaller: ClassVar[str] = ""  # completes "Use ..."
    # What else to look at when all embeddings become one, as a question; None: that is no trouble here.
    why_collapse: ClassVar[str | None] = ""
    watched_samples: ClassVar[int] = 256  # samples by which training is watched

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
    compile: bool = False
    fsdp: bool = False

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """The loss of a batch, alike on all processes where rows are gathered."""
        raise NotImplementedError

    def terms(self, batch: Batch) -> Sequence[Callable[[], Tensor]] | Mapping[str, Callable[[], Tensor]]:
        """The loss as a sum of terms, computed when called: the memory of one term is needed at a time.

        What they share is computed here, without a gradient (a teacher's embeddings of all crops, say). Terms with
        names are recorded one by one: the losses of players that learn against each other, say. That each has its own
        parameters is seen to by the method, which detaches what is not a player's own (`replearn.encoders.frozen`).
        """
        return [partial(self.loss, batch)]

    def loss_count(self, batch: Batch) -> float | Mapping[str, float]:
        """How many things the loss of a batch is the mean of: its samples, unless it is of labelled ones only, say; or
        each of its terms that have names, where they are means over unlike numbers.

        By it, batches whose gradients are added up for a step have their share.
        """
        return len(batch)

    def after_step(self, progress: float) -> None:
        """Called after each update (teachers, queues, centres); `progress` is the share of training done."""

    def should_stop(self) -> bool:
        """Whether to end the training here, asked after each step, alike on all processes."""
        return False

    def schedule_again(self) -> str | None:
        """With what schedule a run that has ended goes on if more epochs are asked for."""
        return f"a new schedule of the learning rate ({self.learning_rate:g} to 0)"

    def embed(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n e"] | None:
        """The embedding z that the loss compares, of a representation; None where there is none.

        It is looked at during training, as `assign` is: see `replearn.engine.health`.
        """
        return None

    def assign(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n k"] | None:
        """Each sample's probabilities of prototypes; None where there are none."""
        return None

    def training_samples(self, samples: Samples) -> Samples:
        """What a training goes through: the samples, or what they are cut into."""
        return samples

    def order(self, samples: Samples) -> Order:
        """In which order the training goes through what `training_samples` gave."""
        return Shuffled(len(samples), self.random_state)

    def same_views(self, batch: Batch) -> bool:
        """Whether the method compares views of these samples, and they do not differ."""
        return False

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """Numbers by name that tell how training goes, of some samples; recorded, and watched by
        `replearn.engine.health` where it knows the name.
        """
        return {}

    def rates(self) -> dict[str, float]:
        """Learning rates of modules, or parts of them, that have their own, by name, as multiples of
        `learning_rate`: see `replearn.engine.optimizers.make_optimizer`.
        """
        return {}

    def loss_at_collapse(self) -> float | None:
        """The loss of embeddings that tell nothing apart, or None where it says nothing."""
        return None
