"""How sure are we of a mean, or of an accuracy: 95 % intervals."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

NO_INTERVAL = (math.nan, math.nan)


def student_interval(values: Sequence[float], *, confidence: float = 0.95) -> tuple[float, float]:
    r"""Interval of the mean of a few independent repetitions (draws of labels, seeds).

    $$\bar v \pm t_{m-1,\,(1+\text{confidence})/2}\; s / \sqrt m$$

    with $s$ the standard deviation with $m - 1$ in the denominator. A single value has no interval: (nan,
    nan).

    >>> low, high = student_interval([0.90, 0.92, 0.94])
    >>> round(low, 3), round(high, 3)
    (0.87, 0.97)
    """
    count = len(values)
    if count < 2:
        return NO_INTERVAL
    mean = float(np.mean(values))
    spread = float(np.std(values, ddof=1)) / math.sqrt(count)
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * spread
    return mean - half, mean + half


def wilson_interval(accuracy: float, samples: int, *, confidence: float = 0.95) -> tuple[float, float]:
    r"""Interval of an accuracy that was measured once, on `samples` test samples (Wilson's score interval).

    $$\frac{a + z^2/2m \pm z \sqrt{a(1-a)/m + z^2/4m^2}}{1 + z^2/m}$$

    Reference: Wilson, JASA 1927. https://doi.org/10.1080/01621459.1927.10502953

    >>> low, high = wilson_interval(0.5, 100)
    >>> round(low, 3), round(high, 3)
    (0.404, 0.596)
    """
    z = float(stats.norm.ppf((1 + confidence) / 2))
    shrink = 1 + z * z / samples
    centre = (accuracy + z * z / (2 * samples)) / shrink
    half = z * math.sqrt(accuracy * (1 - accuracy) / samples + z * z / (4 * samples * samples)) / shrink
    return max(0.0, centre - half), min(1.0, centre + half)
