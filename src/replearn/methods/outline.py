"""`Outline`: what every method says of itself and writes. `Model` makes an estimator of it, kept in a run folder."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jaxtyping import Float
from sklearn.base import BaseEstimator
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders.kinds import NETWORKS
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
