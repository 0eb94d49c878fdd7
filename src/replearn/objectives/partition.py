"""The partition function of a restricted Boltzmann machine: what turns free energies into likelihoods."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

# Share of the inverse temperatures up to each bound: they lie densest where the model is nearly itself.
DENSITY = ((0.0, 0.5, 1 / 29), (0.5, 0.9, 8 / 29), (0.9, 1.0, 20 / 29))


@torch.no_grad()
def annealed_partitions(
    weight: Float[Tensor, "k d"],
    visible_bias: Float[Tensor, " d"],
    hidden_bias: Float[Tensor, " k"],
    *,
    base: Float[Tensor, " d"],
    chains: int = 100,
    temperatures: int = 1000,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " m"]:
    r"""Logs of independent unbiased estimates of Z, by annealed importance sampling; float64.

    Each chain starts at a sample of a model whose visible units are independent with biases `a`, and walks by one
    Gibbs step at a time through

        p_t(v) ∝ exp( (1 - t) a·v + t b·v ) Π_j (1 + exp( t (c_j + W_j·v) )),    t from 0 to 1

    multiplying up `p_t(v) / p_s(v)` (unnormalised) at each change from `s` to `t`. The mean of the estimates, not of
    their logs, is Z: see `log_mean_exp`.

    Args:
        weight, visible_bias, hidden_bias: W, b and c of the machine.
        base: a, log-odds of the visible units in the first model; those of the data are good.
        chains: how many estimates, m.
        temperatures: how many values of t. More make the estimates agree better.
        generator: of random numbers, on the CPU; None takes torch's own.

    Raises:
        ValueError: there are fewer than 1 chain or 2 temperatures.

    References:
        Salakhutdinov & Murray, "On the quantitative analysis of deep belief networks", ICML 2008, sections 3 and 4.
        https://homepages.inf.ed.ac.uk/imurray2/pub/08dbn_ais/
    """
    if chains < 1 or temperatures < 2:
        raise ValueError(
            f"there must be at least 1 chain and 2 temperatures; got {chains} and {temperatures}. Ask for more."
        )
    weight, b, c, a = (part.double() for part in (weight, visible_bias, hidden_bias, base))
    hidden, visible = weight.shape

    def on(odds: Tensor) -> Tensor:
        drawn = torch.rand(odds.shape, generator=generator, dtype=torch.float64).to(odds.device)
        return (drawn < odds.sigmoid()).double()

    v = on(a.expand(chains, visible))  # (m, d)
    log_weight = v.new_full((chains,), float(F.softplus(a).sum() + hidden * torch.log(v.new_tensor(2.0))))
    steps = inverse_temperatures(temperatures).tolist()
    for before, t in pairwise(steps):
        inputs = F.linear(v, weight, c)  # (m, k)
        log_weight += (t - before) * (v @ (b - a))
        log_weight += (F.softplus(t * inputs) - F.softplus(before * inputs)).sum(1)
        h = on(t * inputs)
        v = on((1 - t) * a + t * F.linear(h, weight.T, b))
    return log_weight


def inverse_temperatures(number: int) -> Float[Tensor, " t"]:
    """So many numbers from 0 to 1, spaced as in the paper's experiments.

    >>> steps = inverse_temperatures(14500)
    >>> [int((steps < bound).sum()) for bound in (0.5, 0.9, 1.0)]
    [500, 4500, 14499]
    """
    places = torch.linspace(0, 1, number, dtype=torch.float64)
    done, out = 0.0, torch.zeros_like(places)
    for low, high, share in DENSITY:
        out += (high - low) * ((places - done) / share).clamp(0, 1)
        done += share
    out[-1] = 1.0
    return out
