"""`Trained`: a model that learns by gradients, in the engine's loop, whatever its modules are."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replearn.data import Samples
from replearn.engine.history import Past
from replearn.engine.train import train
from replearn.methods.checks import check_batch_size, check_fields, fitting_batches
from replearn.methods.model import Model
from replearn.methods.outline import Training


@dataclass(kw_only=True, eq=False, repr=False)
class Trained(Training, Model):
    """A model that is trained. One with an encoder is a `Method`."""

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        check_fields(self)
        super().check(samples)
        self.check_enough(samples)

    def check_enough(self, samples: Samples) -> None:
        """Raises ValueError where the samples are fewer than the smallest batch."""
        check_batch_size(self, len(samples))

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        """Train the modules."""
        through = self.training_samples(samples)
        self.warn_of_cuts(through)
        with fitting_batches(self, len(through)):
            self.history_: Past = train(self, through, run=run, resume=resume, loggers=loggers)
