"""β-TC-VAE: a VAE that pays more where the units of its code tell of each other, and not for what they tell.

    batch --encoder--> mean, log_variance --draw--> z --decoder--> p(x|z) --> -ln p(x|z) + α MI + β TC + γ KL of units

The KL term is cut in three: what the code tells of which sample it is of (MI), the total correlation of its units (TC),
and how far each unit is from the prior. The mixture of all posteriors, which the parts ask for, is estimated from those
of the batch.

References: Chen et al., NeurIPS 2018, equations 2-4. https://arxiv.org/abs/1802.04942
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch
from replearn.data.processes import gather
from replearn.methods.reconstruction.latent import Variational
from replearn.objectives import decomposed_kl


@dataclass(kw_only=True, eq=False, repr=False)
class BetaTCVAE(Variational):
    """VAE with a weight on total correlation, by minibatch-weighted sampling.

    Attributes:
        alpha: weight of what the code tells of the sample.
        beta: weight of the total correlation.
        gamma: weight of the units' distance from the prior. With all three 1 it is the VAE, with a sampled KL.
    """

    year: ClassVar[int] = 2018
    paper: ClassVar[str] = "https://arxiv.org/abs/1802.04942"
    smallest_batch: ClassVar[int] = 8
    why_not_smaller: ClassVar[str] = "the mixture of posteriors is estimated from those of a batch"
    for_smaller: ClassVar[str] = "BetaVAE, which mixes none"

    alpha: float = 1.0
    beta: float = 6.0
    gamma: float = 1.0

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        posterior = self.posterior(batch)
        z = self.draw(batch, *posterior)  # (n, 1, dim)
        distortion = -self.log_conditional(self.target(batch), z).mean()
        weights = {"alpha": self.alpha, "beta": self.beta, "gamma": self.gamma}
        z, mean, log_variance = (gather(rows) for rows in (z[:, 0], *posterior))
        return distortion + decomposed_kl(z, mean, log_variance, samples=len(self.samples_), **weights)
