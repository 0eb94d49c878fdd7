"""FactorVAE: a VAE beside a discriminator, which tells its codes from codes whose units were shuffled apart.

    batch --encoder--> mean, log_variance --draw--> z --decoder--> p(x|z) --> -ln p(x|z) + KL + γ mean logit of D(z)
    z, and z with units shuffled over the batch --D--> cross-entropy of which is which

The mean logit estimates the total correlation of the units. Both learn in one step, each its own loss. The paper
shuffles codes of a second batch; here they are those of the same batch.

References: Kim & Mnih, ICML 2018, equation 2 and Algorithm 2. https://arxiv.org/abs/1802.05983
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import collect
from replearn.encoders.frozen import frozen
from replearn.encoders.heads import mlp, unused_widths
from replearn.methods.reconstruction.latent import Variational
from replearn.objectives import density_ratio, gaussian_kl, told_apart
from replearn.objectives.total_correlation import permute_dims


@dataclass(kw_only=True, eq=False, repr=False)
class FactorVAE(Variational):
    """VAE with a weight on total correlation, by the density-ratio trick.

    Attributes:
        gamma: weight of the total correlation; 0 is the VAE.
        hidden: width of the discriminator's hidden layers.
        depth: its linear layers.
        discriminator_rate: its learning rate, as a multiple of `learning_rate`.
    """

    year: ClassVar[int] = 2018
    paper: ClassVar[str] = "https://arxiv.org/abs/1802.05983"
    smallest_batch: ClassVar[int] = 8
    why_not_smaller: ClassVar[str] = "units of codes are shuffled over a batch"
    for_smaller: ClassVar[str] = "BetaVAE, which shuffles none"

    gamma: float = 10.0
    hidden: int = 256
    depth: int = 4
    discriminator_rate: float = 1.0

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.discriminator_ = mlp(self.dim, self.hidden, 1, depth=self.depth, norm=False)

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return {**super().idle(samples), **unused_widths(self.depth)}

    def rates(self) -> dict[str, float]:
        return super().rates() | {"discriminator_": self.discriminator_rate}

    def terms(self, batch: Batch) -> Mapping[str, Callable[[], Tensor]]:
        seen: list[Tensor] = []  # the codes that both players look at
        return {
            "autoencoder": partial(self.autoencoder, batch, seen),
            "discriminator": partial(self.discriminator, seen),
        }

    def autoencoder(self, batch: Batch, seen: list[Tensor]) -> Float[Tensor, ""]:
        """The first player's loss; the codes drawn are left in `seen`."""
        posterior = self.posterior(batch)
        z = self.draw(batch, *posterior)  # (n, 1, dim)
        seen.append(z[:, 0].detach())
        bound = gaussian_kl(*posterior) - self.log_conditional(self.target(batch), z).mean()
        return bound + self.gamma * density_ratio(frozen(self.discriminator_, z[:, 0]))

    def discriminator(self, seen: list[Tensor]) -> Float[Tensor, ""]:
        """The second player's loss, on the first one's codes."""
        z = collect(seen[0])  # (m, dim), of the joined batch
        order = torch.rand(z.shape, device=z.device).argsort(0)
        logits = self.discriminator_(torch.cat([z, permute_dims(z, order)]))  # (2 m, 1)
        return told_apart(*logits.chunk(2))
