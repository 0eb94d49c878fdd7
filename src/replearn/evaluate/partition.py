"""How likely does a Boltzmann machine hold samples for? Its partition function, estimated or summed up exactly."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from replearn.evaluate.checks import Array
from replearn.objectives.partition import annealed_partitions

MOST_UNITS = 20  # of the smaller side, whose 2^20 states are summed over
STATES = 2**12  # summed at a time


@dataclass(frozen=True)
class LogPartition:
    """An estimate of ln Z.

    Attributes:
        value: ln of the mean of the chains' estimates of Z.
        low, high: ln of that mean less and plus three of its standard errors; `low` is -inf where these are larger.
        chains: how many estimates there are. Where `high - low` is more than about 1, ask for more temperatures.
    """

    value: float
    low: float
    high: float
    chains: int


def log_partition(
    weight: Array,
    visible_bias: Array,
    hidden_bias: Array,
    *,
    rates: Array | None = None,
    chains: int = 100,
    temperatures: int = 1000,
    random_state: int = 0,
) -> LogPartition:
    r"""ln Z of a restricted Boltzmann machine of binary units, by annealed importance sampling.

    $$Z = \sum_{v, h} \exp(b \cdot v + c \cdot h + h^\top W v)$$

    The mean log-likelihood of binary samples is minus the mean of their free energies less ln Z.

    Args:
        weight: W (k, d), of k hidden and d visible units.
        visible_bias, hidden_bias: b (d,) and c (k,).
        rates: how often each visible unit is on for data (d,), where sampling begins; half of the time by default.
        chains: independent estimates.
        temperatures: steps from the first model to this one.
        random_state: seed.

    Raises:
        ValueError: shapes do not fit, numbers are not finite, or there are too few chains or temperatures.

    Reference: Salakhutdinov & Murray, ICML 2008. https://homepages.inf.ed.ac.uk/imurray2/pub/08dbn_ais/

    >>> found = log_partition(np.zeros((3, 2)), np.zeros(2), np.zeros(3), temperatures=10)
    >>> round(found.value / math.log(2), 6)
    5.0
    """
    weight, visible_bias, hidden_bias = check_machine(weight, visible_bias, hidden_bias)
    if chains < 2:
        raise ValueError(
            f"chains must be at least 2, or nothing tells how sure they are; got {chains}. Try 100."
        )
    odds = np.zeros(weight.shape[1])
    if rates is not None:
        if np.shape(rates) != odds.shape or not np.all((np.asarray(rates) >= 0) & (np.asarray(rates) <= 1)):
            raise ValueError(
                f"rates must be {len(odds)} numbers in [0, 1], one for each visible unit; "
                f"got shape {np.shape(rates)}. Give the mean of binary samples."
            )
        kept = np.clip(np.asarray(rates, dtype=np.float64), 0.01, 0.99)
        odds = np.log(kept / (1 - kept))
    logs = annealed_partitions(
        torch.from_numpy(weight),
        torch.from_numpy(visible_bias),
        torch.from_numpy(hidden_bias),
        base=torch.from_numpy(odds),
        chains=chains,
        temperatures=temperatures,
        generator=torch.Generator().manual_seed(random_state),
    ).numpy()
    return summarise(logs)


def summarise(logs: npt.NDArray[np.float64]) -> LogPartition:
    """The estimate that independent ones make together, given by their logs.

    >>> found = summarise(np.log([1.0, 3.0, 2.0, 2.0]))
    >>> [round(math.exp(x), 3) for x in (found.value, found.low, found.high)]
    [2.0, 0.775, 3.225]
    """
    top = float(logs.max())
    ratios = np.exp(logs - top)
    mean = float(ratios.mean())
    error = 3 * float(ratios.std(ddof=1)) / math.sqrt(len(logs))
    low = top + math.log(mean - error) if mean > error else -math.inf
    return LogPartition(top + math.log(mean), low, top + math.log(mean + error), len(logs))


def exact_log_partition(weight: Array, visible_bias: Array, hidden_bias: Array) -> float:
    """ln Z of a small machine, summed over all states of its smaller side.

    Args:
        weight: W (k, d); k or d must be at most 20.
        visible_bias, hidden_bias: b (d,) and c (k,).

    Raises:
        ValueError: both sides are larger, shapes do not fit, or numbers are not finite.

    >>> round(math.exp(exact_log_partition(np.zeros((3, 2)), np.zeros(2), np.zeros(3))))
    32
    """
    weight, visible_bias, hidden_bias = check_machine(weight, visible_bias, hidden_bias)
    if weight.shape[0] > weight.shape[1]:  # the roles of the two sides are alike
        weight, visible_bias, hidden_bias = weight.T, hidden_bias, visible_bias
    units = len(weight)
    if units > MOST_UNITS:
        raise ValueError(
            f"at most {MOST_UNITS} units on one side can be summed over; got {weight.shape}. Use log_partition."
        )
    parts = []
    for start in range(0, 2**units, STATES):
        numbers = np.arange(start, min(start + STATES, 2**units))
        states = (numbers[:, None] >> np.arange(units)) & 1  # (s, k)
        others = np.logaddexp(0, visible_bias + states @ weight).sum(1)
        parts.append(np.logaddexp.reduce(states @ hidden_bias + others))
    return float(np.logaddexp.reduce(parts))


def check_machine(weight: Array, visible_bias: Array, hidden_bias: Array) -> tuple[Array, Array, Array]:
    """The three as float64, after checks that they are of one machine."""
    weight, visible_bias, hidden_bias = (
        np.ascontiguousarray(part, dtype=np.float64) for part in (weight, visible_bias, hidden_bias)
    )
    if weight.ndim != 2 or weight.shape != (*hidden_bias.shape, *visible_bias.shape):
        raise ValueError(
            "weight must be (k, d) for k hidden and d visible biases; got shapes "
            f"{weight.shape}, {hidden_bias.shape} and {visible_bias.shape}. Transpose the weight?"
        )
    if not all(np.isfinite(part).all() for part in (weight, visible_bias, hidden_bias)):
        raise ValueError("weight and biases must be finite; some are not. Look for a training that diverged.")
    return weight, visible_bias, hidden_bias
