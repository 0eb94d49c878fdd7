"""RBM: hidden units explain a sample; the model's own states tell what else they would explain, and should not.

    batch --units--> v in {0, 1}   --W--> F(v) --,
                                                 |--contrastive_divergence--> loss
    chain --Gibbs--> u, of the model --W--> F(u) --'

The chain goes on from step to step (Tieleman, ICML 2008), or starts at the batch each time (Hinton, Neural Computation
2002; `persistent=False`). The representation is the mean of the hidden units.

References:
    Tieleman, ICML 2008. https://www.cs.toronto.edu/~tijmen/pcd/pcd.pdf
    Salakhutdinov & Murray, ICML 2008 (likelihood). https://homepages.inf.ed.ac.uk/imurray2/pub/08dbn_ais/
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch
from replearn.encoders.rbm import RARE, switched
from replearn.methods.checks import samples_like_fit
from replearn.methods.reconstruction.boltzmann import BoltzmannMachine, energy
from replearn.objectives.elbo import log_mean_exp
from replearn.objectives.partition import annealed_partitions

ROWS = 512  # samples whose likelihood is computed at a time


@dataclass(kw_only=True, eq=False, repr=False)
class RBM(BoltzmannMachine):
    """Restricted Boltzmann machine of binary units, trained by (persistent) contrastive divergence."""

    year: ClassVar[int] = 2008
    paper: ClassVar[str] = "https://www.cs.toronto.edu/~tijmen/pcd/pcd.pdf"

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        return self.layer_loss(self.machines[0], self.units_(batch), batch)

    def log_partition(
        self, *, chains: int = 100, temperatures: int = 1000, random_state: int = 0
    ) -> Float[Tensor, " m"]:
        """Logs of independent estimates of Z, by annealed importance sampling from how often units are on for data.

        How sure they are together, `replearn.evaluate.log_partition` says.
        """
        layer = self.machines[0]
        return annealed_partitions(
            layer.weight,
            layer.visible_bias,
            layer.hidden_bias,
            base=layer.visible_mean.clamp(RARE, 1 - RARE).logit(),
            chains=chains,
            temperatures=temperatures,
            generator=torch.Generator().manual_seed(random_state),
        )

    def log_likelihood(
        self, X: Any, *, chains: int = 100, temperatures: int = 1000, random_state: int = 0
    ) -> Float[np.ndarray, " n"]:
        """ln p(v) of each sample in nats, by an estimate of Z; grey values are probabilities that v is drawn by.

        Args:
            X: samples like those of `fit`.
            chains, temperatures: of annealed importance sampling; more are surer.
            random_state: seed.
        """
        samples, layer = samples_like_fit(self, X), self.machines[0]
        log_z = log_mean_exp(
            self.log_partition(chains=chains, temperatures=temperatures, random_state=random_state)
        )
        generator, found = torch.Generator().manual_seed(random_state), []
        for start in range(0, len(samples), ROWS):
            rows = np.arange(start, min(start + ROWS, len(samples)))
            with torch.inference_mode():
                p = self.units_(samples[rows].to(layer.weight.device))
                v = switched(p, torch.rand(p.shape, generator=generator).to(p.device))
                found.append((-energy(layer, v).double() - log_z).cpu())
        return torch.cat(found).numpy()
