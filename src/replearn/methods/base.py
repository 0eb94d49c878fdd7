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

from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch
from replearn.data.processes import collect
from replearn.methods.outline import Outline
from replearn.methods.trained import Trained
from replearn.views import Split, alike


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


@dataclass(kw_only=True, eq=False, repr=False)
class JointEmbedding(Method):
    """A method that has an encoder, a head, and a loss over embeddings of views.

    Attributes:
        views: two views of a batch, or the name of a preset; None takes the default for this kind of samples.
    """

    smallest_batch: ClassVar[int] = 8
    why_not_smaller: ClassVar[str] = "its loss or its heads compare the samples of a batch"
    for_smaller: ClassVar[str] = "Autoencoder, which compares none"

    views: Split | str | None = None

    def embed(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n e"] | None:
        return self.head_(h)  # type: ignore[no-any-return]

    def content(self, batch: Batch) -> Int[Tensor, " m"]:
        """A number per sample of the joined batch that equal ones share: they are no negatives of each other."""
        return collect(batch.ids())

    def same_views(self, batch: Batch) -> bool:
        return alike(self.views_(batch))
