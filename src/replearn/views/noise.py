"""Views that destroy a part of a sample, which a denoising autoencoder must put back.

Normal noise is `Noise` of images and `Jitter` of tables; features of tables are hidden by `FeatureDrop` and `Swap`.
"""

from dataclasses import dataclass

import torch

from replearn.data.samples import Batch
from replearn.views.base import View, check_probability, images, uniform


@dataclass(frozen=True)
class Masking(View):
    """Each pixel set to zero, in all channels, with some probability.

    References: Vincent et al., ICML 2008, section 2.3. https://doi.org/10.1145/1390156.1390294
    """

    probability: float = 0.25

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        hidden = uniform(batch, 1, *x.shape[2:]) < self.probability  # (n, 1, h, w)
        return batch.with_x(x.masked_fill(hidden, 0.0))


@dataclass(frozen=True)
class SaltAndPepper(View):
    """Each pixel set, with some probability, to black or to white (all channels 0 or 1) by a fair coin.

    References: Vincent et al., JMLR 2010, section 3.3. https://jmlr.org/papers/v11/vincent10a.html
    """

    probability: float = 0.3

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        drawn = uniform(batch, 1, *x.shape[2:])  # (n, 1, h, w)
        x = torch.where(drawn < self.probability, 0.0, x)
        return batch.with_x(torch.where(drawn < self.probability / 2, 1.0, x))
