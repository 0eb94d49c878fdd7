"""What methods share whose code is random: an encoder says where a sample's code lies, and how surely.

q(z|x) = N(mean, diag(exp(log_variance)))        p(z) = N(0, I)        p(x|z) by a likelihood of the decoder's numbers
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders.modes import evaluating
from replearn.engine.machine import random_state_kept
from replearn.methods.checks import samples_like_fit
from replearn.methods.reconstruction.coder import Generator
from replearn.methods.reconstruction.likelihoods import make_likelihood, meant_by
from replearn.objectives.elbo import log_mean_exp, log_normal, unit_kl
from replearn.views.base import normal

ROWS = 4096  # codes decoded at a time where a likelihood is estimated
ACTIVE = 0.01  # variance over samples of a unit that tells something
LARGE = 10.0  # a log-variance that no healthy posterior has


@dataclass(kw_only=True, eq=False, repr=False)
class Variational(Generator):
    """A coder whose code is drawn from `q(z|x)`; its representation is the mean.

    Attributes:
        likelihood: `bernoulli` for samples in [0, 1], `gaussian` for real numbers, `categorical` for choices (axis 1
            holds the classes); `auto` is `bernoulli` for images, `gaussian` for tables.
        variance: of the Gaussian, for samples standardised by channel or column; None: one number, learned.
    """

    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 2e-3
    likelihood: Literal["auto", "bernoulli", "gaussian", "categorical"] = "auto"
    variance: float | None = None

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.log_variance_ = nn.Linear(self.encoder_.dim, self.dim)
        self.likelihood_ = make_likelihood(self.likelihood, samples, variance=self.variance)

    def idle(self, samples: Samples) -> Mapping[str, str]:
        name = meant_by(self.likelihood, samples.kind)
        return {} if name == "gaussian" else {"variance": f"the likelihood is {name}, which has none"}

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        some = samples[np.arange(min(ROWS, len(samples)))]
        self.likelihood_.check(self.likelihood_.target(self.encoder_, some))
        super().learn(samples, run=run, resume=resume, loggers=loggers)

    def rates(self) -> dict[str, float]:
        return {"likelihood_": 10.0}  # one number, which has far to go

    def target(self, batch: Batch) -> Float[Tensor, "n ..."]:
        """What the decoder is to tell: the samples, on the scale of the likelihood."""
        return self.likelihood_.target(self.encoder_, batch)

    def posterior(self, batch: Batch) -> tuple[Float[Tensor, "n dim"], Float[Tensor, "n dim"]]:
        """Mean and log-variance of each sample's code."""
        h = self.encoder_(batch)  # (n, encoder.dim)
        return self.code_(h), slowed(self.log_variance_(h))

    def draw(
        self,
        batch: Batch,
        mean: Float[Tensor, "n dim"],
        log_variance: Float[Tensor, "n dim"],
        *,
        draws: int = 1,
    ) -> Float[Tensor, "n k dim"]:
        """Codes of each sample, through which gradients flow: `mean + deviation · noise`."""
        noise = normal(batch, draws, self.dim)  # (n, k, dim)
        return mean[:, None] + (0.5 * log_variance).exp()[:, None] * noise

    def log_conditional(self, x: Float[Tensor, "n ..."], z: Float[Tensor, "n k dim"]) -> Float[Tensor, "n k"]:
        """`ln p(x|z)` of each sample, for each of its codes."""
        out = self.decoder_(z.flatten(0, 1))  # (n·k, ...)
        told: Tensor = self.likelihood_(out, x.repeat_interleave(z.shape[1], 0))
        return told.view(z.shape[:2])  # (n, k)

    def log_ratio(
        self, z: Float[Tensor, "n k dim"], mean: Float[Tensor, "n dim"], log_variance: Float[Tensor, "n dim"]
    ) -> Float[Tensor, "n k"]:
        """`ln q(z|x) / p(z)`: what each code costs, on average the rate."""
        zero = torch.zeros_like(z)
        return (log_normal(z, mean[:, None], log_variance[:, None]) - log_normal(z, zero, zero)).sum(2)

    def decode(self, code: Float[Tensor, "n dim"]) -> Float[Tensor, "n ..."]:
        return self.likelihood_.on_scale(self.encoder_, self.decoder_(code))

    def log_likelihood(self, X: Any, *, draws: int = 100, random_state: int = 0) -> Float[np.ndarray, " n"]:
        """Importance-weighted bound on `ln p(x)` of each sample, in nats; on average it rises with `draws`.

        It is of the whole sample, on the scale of the likelihood: a Gaussian's is a density of standardised samples.

        References: Burda et al., ICLR 2016, equation 8. https://arxiv.org/abs/1509.00519
        """
        if draws < 1:
            raise ValueError(f"draws must be at least 1; got {draws}. More give a tighter bound.")
        samples = samples_like_fit(self, X)
        own, rows = next(self.decoder_.parameters()), max(1, ROWS // draws)
        found = []
        with random_state_kept(), evaluating(self.modules().values()), torch.inference_mode():
            torch.manual_seed(random_state)
            for start in range(0, len(samples), rows):
                batch = samples[np.arange(start, min(start + rows, len(samples)))].to(own.device)
                posterior = self.posterior(batch)
                z = self.draw(batch, *posterior, draws=draws)
                log_weights = self.log_conditional(self.target(batch), z) - self.log_ratio(z, *posterior)
                found.append(log_mean_exp(log_weights.double()).cpu().numpy())
        return np.concatenate(found)

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        mean, log_variance = self.posterior(batch)
        distortion = -self.log_conditional(self.target(batch), self.draw(batch, mean, log_variance)).mean()
        return {"distortion": distortion} | posterior_measures(mean, log_variance)


def posterior_measures(
    mean: Float[Tensor, "n dim"], log_variance: Float[Tensor, "n dim"]
) -> dict[str, Tensor]:
    """What tells how codes are used: the rate in nats, units that tell something (Burda et al., 2016, section 5)."""
    active = (mean.float().var(0, correction=0) > ACTIVE).float()
    return {
        "rate": unit_kl(mean, log_variance).sum(1).mean(),
        "active_units": active.sum(),
        "dead_units": 1 - active.mean(),
        "log_variance": log_variance.max(),
    }


def slowed(log_variance: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """The same up to `LARGE`; beyond, it grows as a logarithm: an explosion stays finite, and is noticed and named.

    >>> [round(v, 2) for v in slowed(torch.tensor([[-3.0, 9.0, 10.0, 10_000.0]]))[0].tolist()]
    [-3.0, 9.0, 10.0, 19.21]
    """
    return log_variance.clamp_max(LARGE) + (log_variance - LARGE).clamp_min(0).log1p()
