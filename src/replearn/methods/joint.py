"""What methods share that compare embeddings of views of one sample."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch
from replearn.data.processes import collect
from replearn.methods.base import Method
from replearn.views import Split, alike


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
