r"""How sure are we of a mean, or of an accuracy: 95 % intervals.

An accuracy is uncertain for two reasons: another test sample would have given another one, and so would another draw of
labels or another training. With m test samples, k repetitions (draws, or trainings) whose accuracies $a_1 \dots a_k$
have the mean $a$ and the variance $s^2$ (k - 1 in the denominator), the true accuracy $\pi$ is believed to lie where

$$(a - \pi)^2 \le z^2\,\frac{\pi (1 - \pi)}{m} + t_{k-1}^2\,\frac{s^2}{k}$$

z and t are the quantiles of the normal distribution and of Student's. The first term alone is Wilson's interval, which
holds near 0 and 1, too; the second alone is Student's. Two half widths are joined by the root of their squares, as
Howe (1974) does for the mean of X + Y: exact where one term is all there is, a little wide between. The interval is
never narrower than Wilson's, so a row that no seed changes gains nothing by being repeated.

The first term is an upper bound: it takes all errors to be the same in every repetition. Where repetitions err on
different samples, their mean is surer of the test sample than that, and the interval is wide. In simulations with known
truth and errors in common, where draws and trainings deviate by nothing up to thrice as much as test samples, 93 to
98 % of the intervals hold it, and up to 98.5 % with two or three trainings. Where half of the errors are
drawn anew each time, 98 to 99.5 % do.

References:
    Wilson, JASA 1927. https://doi.org/10.1080/01621459.1927.10502953
    Howe, "Approximate confidence limits on the mean of X + Y where X and Y are two tabled independent random
    variables", JASA 1974. https://doi.org/10.1080/01621459.1974.10480206
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Int
from scipy.special import ndtri, stdtrit

NO_INTERVAL = (math.nan, math.nan)
DRAWS = 200  # of test samples, for an interval


def accuracy_interval(
    repetitions: Sequence[float], samples: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of an accuracy that was measured on one test sample, once or several times; see the module.

    Args:
        repetitions: accuracies of independent repetitions, draws of labels or trainings, on the same test sample. One
            alone has Wilson's interval, which says nothing of repetitions.
        samples: in the test sample.
        confidence: how often such intervals are to hold the truth.

    >>> [round(end, 3) for end in accuracy_interval([0.5], 100)]
    [0.404, 0.596]
    >>> [round(end, 3) for end in accuracy_interval([0.48, 0.5, 0.52], 100)]
    [0.392, 0.608]
    """
    mean, count = float(np.mean(repetitions)), len(repetitions)
    z = float(ndtri((1 + confidence) / 2))
    repeated = 0.0
    if count > 1:
        t = float(stdtrit(count - 1, (1 + confidence) / 2))
        repeated = t * t * float(np.var(repetitions, ddof=1)) / count
    shrink = 1 + z * z / samples
    centre = (mean + z * z / (2 * samples)) / shrink
    tested = z * z * (mean * (1 - mean) / samples + z * z / (4 * samples * samples))
    half = math.sqrt(tested + repeated * shrink) / shrink
    return max(0.0, centre - half), min(1.0, centre + half)


def wilson_interval(accuracy: float, samples: int, *, confidence: float = 0.95) -> tuple[float, float]:
    r"""Interval of an accuracy that was measured once, on `samples` test samples (Wilson's score interval).

    $$\frac{a + z^2/2m \pm z \sqrt{a(1-a)/m + z^2/4m^2}}{1 + z^2/m}$$

    Reference: Wilson, JASA 1927. https://doi.org/10.1080/01621459.1927.10502953

    >>> low, high = wilson_interval(0.5, 100)
    >>> round(low, 3), round(high, 3)
    (0.404, 0.596)
    """
    return accuracy_interval([accuracy], samples, confidence=confidence)


def student_interval(values: Sequence[float], *, confidence: float = 0.95) -> tuple[float, float]:
    r"""Interval of the mean of a few independent repetitions, of what is no accuracy.

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
    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * spread
    return mean - half, mean + half


def drawn_intervals(
    scores: Callable[[Int[np.ndarray, " n"]], Mapping[str, float]], index: Int[np.ndarray, " n"]
) -> dict[str, tuple[float, float]]:
    """Interval of each score: where 95 % of its values lie, the test samples being drawn again, with repetition.

    Scores that no draw can tell are left out, and there are none of a single sample.

    Args:
        scores: those of the samples at some positions.
        index: positions of the samples that count.

    Reference: Efron, Annals of Statistics 1979, section 2. https://doi.org/10.1214/aos/1176344552

    >>> low, high = drawn_intervals(lambda index: {"mean": float(index.mean())}, np.arange(101))["mean"]
    >>> low < 50 < high
    True
    """
    draw = np.random.default_rng(0)
    rows = [scores(draw.choice(index, len(index))) for _ in range(DRAWS if len(index) > 1 else 0)]
    drawn = {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}
    known = {name: values[np.isfinite(values)] for name, values in drawn.items()}
    ends = {name: np.percentile(values, [2.5, 97.5]) for name, values in known.items() if len(values)}
    return {name: (float(low), float(high)) for name, (low, high) in ends.items()}
