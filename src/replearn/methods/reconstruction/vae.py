"""Variational autoencoder: predict the sample from a code that is drawn, and pay for what the code tells.

    batch --encoder--> mean, log_variance --draw--> z --decoder--> p(x|z) --> -ln p(x|z) + KL( q(z|x) | N(0, I) )

The loss is the negative evidence lower bound in nats, summed over a sample's numbers, by one of three estimators of it
and its gradient. `analytic` (SGVB B) and `sampled` (SGVB A) send the gradient through the draw; `score` holds the draw
fixed and weighs the gradient of its log-density by how good it was, which asks nothing of the decoder and varies far
more. The representation is the mean of the code.

References: Kingma & Welling, ICLR 2014, equations 6 (A), 7 (B) and section 2.2. https://arxiv.org/abs/1312.6114
    Rezende et al., ICML 2014. https://arxiv.org/abs/1401.4082
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.methods.reconstruction.latent import Variational
from replearn.objectives import gaussian_kl, score_function
from replearn.objectives.elbo import log_normal


@dataclass(kw_only=True, eq=False, repr=False)
class VAE(Variational):
    """Variational autoencoder.

    Attributes:
        estimator: `analytic`, `sampled` or `score`.
        draws: codes drawn per sample and step.
        baseline: for `score`: take off each draw's value the mean of the sample's other draws, 2 or more.
    """

    year: ClassVar[int] = 2014
    paper: ClassVar[str] = "https://arxiv.org/abs/1312.6114"

    estimator: Literal["analytic", "sampled", "score"] = "analytic"
    draws: int = 1
    baseline: bool = False

    def build(self, samples: Description) -> None:
        if self.estimator not in ("analytic", "sampled", "score"):
            raise ValueError(f"estimator must be analytic, sampled or score; got {self.estimator!r}.")
        if self.draws < 1 + self.baseline:
            raise ValueError(f"draws must be at least 1, or 2 with a baseline; got {self.draws}. Raise it.")
        super().build(samples)

    def idle(self, samples: Samples) -> Mapping[str, str]:
        found = super().idle(samples)
        if self.estimator == "score":
            return found
        return {**found, "baseline": f"the estimator is {self.estimator}, and only score has one"}

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        x, (mean, log_variance) = self.target(batch), self.posterior(batch)
        z = self.draw(batch, mean, log_variance, draws=self.draws)  # (n, k, dim)
        if self.estimator == "score":
            return self.by_score(x, z.detach(), mean, log_variance)
        distortion = -self.log_conditional(x, z).mean()
        if self.estimator == "sampled":
            return distortion + self.log_ratio(z, mean, log_variance).mean()
        return distortion + gaussian_kl(mean, log_variance)

    def by_score(self, x: Tensor, z: Tensor, mean: Tensor, log_variance: Tensor) -> Float[Tensor, ""]:
        """The value of the bound, with the score function's gradient; the decoder's gradient is the usual one."""
        log_p = self.log_conditional(x, z)  # (n, k)
        reward = log_p - self.log_ratio(z, mean, log_variance)
        log_q = log_normal(z, mean[:, None], log_variance[:, None]).sum(2)  # (n, k)
        by_score = score_function(log_q, reward, baseline=self.baseline) - log_p.mean()
        return by_score - (by_score + reward.mean()).detach()
