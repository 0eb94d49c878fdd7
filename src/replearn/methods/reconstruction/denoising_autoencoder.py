"""Denoising autoencoder: predict the sample from what is left of it.

    batch --views--> seen, target
    seen --encoder--> h --linear--> code --decoder--> reconstruction --squared_error(target)--> loss

The representation is the code of the whole sample. By default images lose pixels at random, and tables get features of
other rows; the code may have more numbers than the sample, since copying what is seen is no solution.

References: Vincent et al., ICML 2008, section 2.3. https://doi.org/10.1145/1390156.1390294
    Vincent et al., JMLR 2010 (other ways to destroy a sample). https://jmlr.org/papers/v11/vincent10a.html
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch
from replearn.methods.reconstruction.coder import Coder
from replearn.objectives import squared_error
from replearn.views import Split, alike


@dataclass(kw_only=True, eq=False, repr=False)
class DenoisingAutoencoder(Coder):
    """Autoencoder that is given a part of a sample's numbers and must return all of them.

    Attributes:
        views: what is seen and what is to be predicted, in this order, `Pair(SaltAndPepper(0.3), Same())` say; None
            takes the default for this kind of samples.
    """

    year: ClassVar[int] = 2008
    paper: ClassVar[str] = "https://doi.org/10.1145/1390156.1390294"
    split: ClassVar[str] = "corrupted"

    learning_rate: float = 3e-3
    views: Split | str | None = None

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        seen, target = self.views_(batch)
        return squared_error(self.decoder_(self.represent(seen)), self.encoder_.standardise(target))

    def same_views(self, batch: Batch) -> bool:
        return alike(self.views_(batch))
