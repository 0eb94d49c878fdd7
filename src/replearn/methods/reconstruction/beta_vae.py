"""β-VAE: a VAE that pays more for what its code tells, so that each unit comes to tell one thing.

    batch --encoder--> mean, log_variance --draw--> z --decoder--> p(x|z) --> -ln p(x|z) + β | KL - C |

With `capacity` the code is allowed `C` nats, from none at the start to all of them when `rise` of training is done
(Burgess et al., whose γ is β here). Without, `C` is 0.

References: Higgins et al., ICLR 2017, equation 4. https://openreview.net/forum?id=Sy2fzU9gl
    Burgess et al., 2018, equation 8. https://arxiv.org/abs/1804.03599
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.methods.reconstruction.latent import Variational
from replearn.methods.schedule import Number
from replearn.objectives.elbo import unit_kl


@dataclass(kw_only=True, eq=False, repr=False)
class BetaVAE(Variational):
    """VAE with a weight on the KL term.

    Attributes:
        beta: weight of the KL term; 1 is the VAE.
        capacity: nats that the code may tell at no cost, once it has risen; more or less than `C` costs.
        rise: share of training in which `C` rises to the capacity.
    """

    year: ClassVar[int] = 2017
    paper: ClassVar[str] = "https://openreview.net/forum?id=Sy2fzU9gl"

    beta: float = 4.0
    capacity: float = 0.0
    rise: float = 0.5

    def build(self, samples: Description) -> None:
        if self.beta < 0 or self.capacity < 0 or not 0 < self.rise <= 1:
            raise ValueError(
                "beta and capacity must not be negative, and rise must be a share of training in (0, 1]; got "
                f"{self.beta}, {self.capacity} and {self.rise}. Leave them out for the defaults."
            )
        super().build(samples)
        self.allowed_ = Number()  # C

    def idle(self, samples: Samples) -> Mapping[str, str]:
        found = super().idle(samples)
        return found if self.capacity else {**found, "rise": "the capacity is 0, to which nothing rises"}

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        mean, log_variance = self.posterior(batch)
        z = self.draw(batch, mean, log_variance)  # (n, 1, dim)
        distortion = -self.log_conditional(self.target(batch), z).mean()
        rate = gather(unit_kl(mean, log_variance).sum(1)).mean()  # |KL - C| is of the joined batch
        return distortion + self.beta * (rate - self.allowed_.value).abs()

    def after_step(self, progress: float) -> None:
        self.allowed_.value.fill_(self.capacity * min(1.0, progress / self.rise))
