"""`Method`: a model with an encoder that learns by gradients, in the engine's loop.

A method writes `build(samples)` (make the modules; what is learned ends in `_`) and `loss(batch)` (the algorithm as in
the paper), sometimes `represent(batch)`, `terms(batch)` and `after_step(progress)`. Everything else comes from here and
from `Model`: it is a scikit-learn estimator and transformer, trains by `replearn.engine`, saves and loads.

    Outline    what every method says and writes         Model(Outline)             an estimator, kept in a run folder
    Training   fields of a training, and its loss        Trained(Training, Model)   goes through the training
    Encoded    the field `encoder`                       Method(Trained, Encoded)   represents by an encoder
                                                         JointEmbedding(Method)     compares views
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch
from replearn.methods.outline import Outline
from replearn.methods.trained import Trained


@dataclass(kw_only=True, eq=False, repr=False)
class Encoded(Outline):
    """The field of what has an encoder.

    Attributes:
        encoder: a name (see `replearn.encoders`) or a module, which is copied; `auto` fits the kind of data.
    """

    encoder: str | nn.Module = "auto"


@dataclass(kw_only=True, eq=False, repr=False)
class Method(Trained, Encoded):
    """What all methods share that train an encoder."""

    needs: ClassVar[tuple[str, ...]] = ("encoder",)

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        """The representation h of a batch."""
        return self.encoder_(batch)  # type: ignore[no-any-return]

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        return int(self.encoder_.dim)
