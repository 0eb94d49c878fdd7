"""`power_law`: how an error falls with what is spent, `error = floor + scale · x^(-exponent)`.

    log(error) |·
               |  ·  .           a straight line where the floor is 0;
               |       ·  .      it bends where there is one
               |            ·
               +---------------- log(x)

Kaplan et al., "Scaling laws for neural language models", 2020, equations 1.1 to 1.3, https://arxiv.org/abs/2001.08361;
with a floor: Rosenfeld et al., "A constructive prediction of the generalization error across scales", ICLR 2020,
equation 2, https://arxiv.org/abs/1909.12673.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares
from scipy.stats import t as student

from replearn.evaluate.checks import Array

POINTS = 3  # values that a law needs
FLOORED = 5  # values from which a floor is looked for: it bends the line, which fewer can't tell from noise


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """A fitted law.

    Attributes:
        floor: the error that is left however much is spent; 0 where the points don't tell one.
        scale: the error above the floor at `centre`.
        exponent: 0.1 say: twice as much leaves 2^-0.1 = 93 % of what lies above the floor.
        low, high: the 95 % interval of the exponent; infinite where there are no more points than unknowns.
        centre: the geometric mean of the x that it was fitted on.
        covariance: of log scale, exponent and floor.
        freedom: points less unknowns.
    """

    floor: float
    scale: float
    exponent: float
    low: float
    high: float
    centre: float
    covariance: Float[np.ndarray, "3 3"]
    freedom: int

    def at(self, x: float) -> tuple[float, float, float]:
        """The mean error that it expects at x, and its 95 % interval.

        The interval is of the law as it is fitted: where the error leaves the law beyond the points, it says nothing.
        """
        steps = np.log(x / self.centre)
        above = self.scale * np.exp(-self.exponent * steps)
        error = self.floor + above
        slopes = np.array([above, -above * steps, 1.0]) / error  # of log error, by each unknown
        spread = float(slopes @ self.covariance @ slopes) ** 0.5
        half = float(student.ppf(0.975, self.freedom)) * spread if self.freedom else np.inf
        return float(error), float(error * np.exp(-half)), float(error * np.exp(half))

    def falls(self) -> bool:
        """Whether the points tell that the error falls: the whole interval of the exponent lies above 0."""
        return self.low > 0


def power_law(x: Array, error: Array) -> PowerLaw:
    """Fit `error = floor + scale · x^(-exponent)` by least squares of log error.

    A floor is fitted to at least five different x, and kept where Akaike's criterion for few points prefers it.

    Args:
        x: what is spent (n,), above 0: samples, parameters, epochs. Repetitions (seeds) are rows of their own.
        error: (n,), above 0.

    Raises:
        ValueError: less than three different x, or numbers that are not finite and above 0.

    >>> x = np.array([1.0, 2, 4, 8])
    >>> law = power_law(x, 0.3 * x**-0.5)
    >>> round(law.exponent, 3), round(law.at(16)[0], 3), law.floor
    (0.5, 0.075, 0.0)
    """
    x, error = np.asarray(x, dtype=np.float64), np.asarray(error, dtype=np.float64)
    if x.shape != error.shape or x.ndim != 1 or not (np.isfinite(x) & np.isfinite(error)).all():
        raise ValueError(
            f"x and error must be rows of as many finite numbers; got {x.shape} and {error.shape}."
        )
    if (x <= 0).any() or (error <= 0).any():
        raise ValueError(
            f"x and error must be above 0, since their logarithms are fitted; got {x.min():g} and {error.min():g}. An "
            "error of 0 says only that the test part is too small to tell it."
        )
    values = len(np.unique(x))
    if values < POINTS:
        raise ValueError(f"a power law needs at least {POINTS} different x; got {values}. Measure more.")
    centre = float(np.exp(np.log(np.unique(x)).mean()))
    plain = _fit(x, error, centre, floored=False)
    if values < FLOORED:
        return plain
    bent = _fit(x, error, centre, floored=True)
    better = bent.floor > 0 and _criterion(bent, x, error, 3) < _criterion(plain, x, error, 2)
    return bent if better else plain


def _fit(
    x: Float[np.ndarray, " n"], error: Float[np.ndarray, " n"], centre: float, *, floored: bool
) -> PowerLaw:
    steps, seen = np.log(x / centre), np.log(error)
    slope, start = np.polyfit(steps, seen, 1)
    found = np.array([start, -slope, 0.0])
    if floored:
        most = float(error.min())
        found = least_squares(
            lambda law: np.log(_errors(law, steps)) - seen,
            [start, -slope, most / 2],
            bounds=([-np.inf, -np.inf, 0.0], [np.inf, np.inf, most]),
        ).x
    unknowns = 3 if floored else 2
    freedom = len(x) - unknowns
    covariance = np.zeros((3, 3))
    if freedom:
        expected = _errors(found, steps)
        above = expected - found[2]
        slopes = np.stack([above, -above * steps, np.ones_like(x)], axis=1) / expected[:, None]  # (n, 3)
        left = np.log(expected) - seen
        slopes = slopes[:, :unknowns]
        spread = left @ left / freedom * np.linalg.pinv(slopes.T @ slopes)
        covariance[:unknowns, :unknowns] = spread
    scale, exponent, floor = (float(value) for value in found)
    half = float(student.ppf(0.975, freedom) * covariance[1, 1] ** 0.5) if freedom else float("inf")
    return PowerLaw(
        floor, float(np.exp(scale)), exponent, exponent - half, exponent + half, centre, covariance, freedom
    )


def _errors(law: Float[np.ndarray, "3"], steps: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """What a law of log scale, exponent and floor expects, so many steps of log x from the centre."""
    return np.asarray(law[2] + np.exp(law[0] - law[1] * steps))


def _criterion(
    law: PowerLaw, x: Float[np.ndarray, " n"], error: Float[np.ndarray, " n"], unknowns: int
) -> float:
    """Akaike's, corrected for few points; the spread is an unknown, too."""
    n, k = len(x), unknowns + 1
    if n <= k + 1:
        return np.inf
    left = np.log(error) - np.log([law.at(float(value))[0] for value in x])
    return float(n * np.log(max(float(left @ left), 1e-300) / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1))
