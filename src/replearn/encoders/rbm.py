"""Restricted Boltzmann machines: binary units that see a sample, and binary units that explain it."""

from collections.abc import Callable
from math import prod

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.content import as_float
from replearn.data.kinds import KINDS
from replearn.data.samples import Batch
from replearn.encoders.base import Described

Draw = Callable[[int], Tensor]  # from k to uniform numbers (n, k)
WIDE = 2.0  # deviations from a column's mean at which a unit is surely off or on
SCALE = 1.2  # of the first weights: so large that hidden units differ, so small that chains mix
RARE = 0.01  # a unit is taken to be on, or off, at least so often: log-odds stay small


class Units(nn.Module):
    """A sample as one row of numbers in [0, 1], the probabilities that its binary units are on.

    Images are in [0, 1] already, and so may be columns of tables: they stay as they are. A column that cannot be,
    since its variance is larger than that of anything in [0, 1] with its mean, `std² > mean (1 - mean)`, is put
    there linearly: two deviations below its mean are 0, two above are 1. What lies outside is cut off.

    Args:
        samples: give `kind`, `shape` and `statistics`.

    Example:
        >>> from replearn.data import as_samples
        >>> tables = as_samples(torch.tensor([[0.0, -8.0], [1.0, 8.0]]).numpy())
        >>> Units(tables)(tables[torch.arange(2).numpy()]).tolist()
        [[0.0, 0.25], [1.0, 0.75]]

    References: Bhatia & Davis, American Mathematical Monthly 2000 (the bound on the variance).
        https://doi.org/10.2307/2589180
    """

    low: Tensor
    high: Tensor

    def __init__(self, samples: Described) -> None:
        super().__init__()
        self.shape = samples.shape
        self.dim = prod(samples.shape)
        mean, std = samples.statistics  # (c,)
        within = std.square() <= mean * (1 - mean) + 1e-6
        within |= (std == 1) & ((mean == 0) | (mean == 1))  # constant columns, whose deviation is given as 1
        within |= KINDS[samples.kind].bounded
        self.register_buffer("low", torch.where(within, 0.0, mean - WIDE * std))
        self.register_buffer("high", torch.where(within, 1.0, mean + WIDE * std))
        self.mean = (mean - self.low) / (self.high - self.low)

    def forward(self, batch: Batch) -> Float[Tensor, "n d"]:
        x = as_float(batch.x)
        shape = (1, -1, *(1,) * (x.ndim - 2))
        low, high = self.low.view(shape), self.high.view(shape)
        return ((x - low) / (high - low)).clamp(0, 1).flatten(1)  # (n, d)

    def rates(self) -> Float[Tensor, " d"]:
        """How often each unit is on, as far as the samples' statistics tell it."""
        shape = (-1, *(1,) * (len(self.shape) - 1))
        return self.mean.view(shape).expand(self.shape).flatten()

    def back(self, p: Float[Tensor, "n d"]) -> Float[Tensor, "n ..."]:
        """Samples on their own scale."""
        shape = (1, -1, *(1,) * (len(self.shape) - 1))
        x = p.reshape(-1, *self.shape)  # (n, *shape)
        return x * (self.high - self.low).view(shape) + self.low.view(shape)


class Boltzmann(nn.Module):
    """One restricted Boltzmann machine of binary units.

        p(v, h) = exp(b·v + c·h + h·W v) / Z,    b = b' - Wᵀ λ,    c = c' - W μ

    W, b' and c' are learned: so the gradient of W is that of units less their means μ and λ on data, and is not mixed
    up with that of the biases. Wherever μ and λ are, the same distributions can be learned.

    Args:
        visible: units that see, d.
        hidden: units that explain, k.
        chains: states v that Gibbs sampling goes on from at each step of training, m; a buffer.
        rates: how often each visible unit is on, as far as known; half of the time by default.

    Attributes:
        weight: W, `(k, d)`.
        visible_mean, hidden_mean: μ `(d,)` and λ `(k,)`, how often units are on for data; buffers.

    Example:
        >>> layer = Boltzmann(6, 4, chains=10)
        >>> layer(torch.ones(2, 6)).shape, layer.back(torch.ones(2, 4)).shape
        (torch.Size([2, 4]), torch.Size([2, 6]))

    References:
        Hinton, Neural Computation 2002. https://doi.org/10.1162/089976602760128018
        Melchior, Fischer & Wiskott, JMLR 2016 (the means taken off). https://jmlr.org/papers/v17/14-237.html
    """

    chain: Tensor
    visible_mean: Tensor
    hidden_mean: Tensor

    def __init__(
        self, visible: int, hidden: int, *, chains: int, rates: Float[Tensor, " d"] | None = None
    ) -> None:
        super().__init__()
        self.dim = hidden
        on = torch.full((visible,), 0.5) if rates is None else rates.clamp(RARE, 1 - RARE)
        few = max(1.0, (visible / hidden / 4) ** 0.5)  # fewer units that explain as much have larger weights
        bound = SCALE * few * (6 / (visible + hidden)) ** 0.5
        self.weight = nn.Parameter(torch.empty(hidden, visible).uniform_(-bound, bound))
        self.centred_visible_bias = nn.Parameter(on.logit() + 0.5 * self.weight.detach().sum(0))  # b'
        self.centred_hidden_bias = nn.Parameter(torch.zeros(hidden))  # c'
        self.register_buffer("chain", (torch.rand(chains, visible) < on).float())
        self.register_buffer("visible_mean", on)
        self.register_buffer("hidden_mean", torch.full((hidden,), 0.5))

    @property
    def visible_bias(self) -> Float[Tensor, " d"]:
        """b."""
        return self.centred_visible_bias - self.hidden_mean @ self.weight

    @property
    def hidden_bias(self) -> Float[Tensor, " k"]:
        """c."""
        return self.centred_hidden_bias - self.weight @ self.visible_mean

    def forward(self, v: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """p(h = 1 | v), the mean of each hidden unit."""
        return self.inputs(v).sigmoid()

    def inputs(self, v: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """c + W v, the log-odds of each hidden unit; in full precision, since free energies are sums of many."""
        with torch.autocast(v.device.type, enabled=False):
            return F.linear(v.to(self.weight.dtype), self.weight, self.hidden_bias)

    def back(self, h: Float[Tensor, "n k"]) -> Float[Tensor, "n d"]:
        """p(v = 1 | h), the mean of each visible unit."""
        with torch.autocast(h.device.type, enabled=False):
            return F.linear(h.to(self.weight.dtype), self.weight.T, self.visible_bias).sigmoid()

    @torch.no_grad()
    def gibbs(self, v: Float[Tensor, "n d"], *, steps: int, draw: Draw) -> Float[Tensor, "n d"]:
        """States after so many steps v -> h -> v of Gibbs sampling.

        Args:
            v: binary states.
            steps: how many.
            draw: gives uniform numbers, as many as asked for per row.
        """
        for _ in range(steps):
            h = switched(self(v), draw(self.dim))
            v = switched(self.back(h), draw(v.shape[1]))
        return v

    @torch.no_grad()
    def advance(self, steps: int) -> Float[Tensor, "m d"]:
        """Go on with the chain, alike on all processes; its new states."""
        rows = len(self.chain)
        after = self.gibbs(
            self.chain, steps=steps, draw=lambda k: torch.rand(rows, k, device=self.chain.device)
        )
        self.chain.copy_(after)
        return after

    @torch.no_grad()
    def follow(
        self, visible: Float[Tensor, " d"], hidden: Float[Tensor, " k"], *, momentum: float = 0.95
    ) -> None:
        """Let the means follow those of a batch; the biases b' and c' move so that b and c stay."""
        b, c = self.visible_bias, self.hidden_bias
        self.visible_mean.lerp_(visible.to(b.dtype), 1 - momentum)
        self.hidden_mean.lerp_(hidden.to(c.dtype), 1 - momentum)
        self.centred_visible_bias.copy_(b + self.hidden_mean @ self.weight)
        self.centred_hidden_bias.copy_(c + self.weight @ self.visible_mean)


def switched(p: Float[Tensor, "n k"], uniform: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """Units that are on (1) with probability p, given uniform numbers; off (0) else."""
    return (uniform < p).to(p.dtype)
