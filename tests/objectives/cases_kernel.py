"""Cases of SSL-HSIC."""

from math import sqrt

import torch
from cases_basic import two_views
from objective_case import Case

Rows = list[list[float]]


def slow_ssl_hsic(a: Rows, b: Rows, gamma: float = 3.0, scale: float = 1.0) -> float:
    """The paper's estimators for M = 2 views, with the trace as a sum over four indices."""
    views = [[[s / sqrt(sum(t * t for t in row)) for s in row] for row in view] for view in (a, b)]
    n, m = len(a), len(views)

    def kernel(u: list[float], v: list[float]) -> float:
        return scale / sqrt(scale**2 + sum((s - t) ** 2 for s, t in zip(u, v, strict=True)))

    z = [row for view in views for row in view]
    own = sum(kernel(left[i], right[i]) for i in range(n) for left in views for right in views)
    everyone = sum(kernel(u, v) for u in z for v in z)
    on_identity = own / (n * m * (m - 1)) - everyone / (n * m) ** 2 - 1 / (m - 1)

    size = n * m
    k = [[kernel(u, v) for v in z] for u in z]
    h = [[(i == j) - 1 / size for j in range(size)] for i in range(size)]
    kh = times(k, h)
    on_itself = sum(times(kh, kh)[i][i] for i in range(size)) / (size - 1) ** 2
    return -on_identity + gamma * sqrt(on_itself)


def times(x: Rows, y: Rows) -> Rows:
    return [[sum(x[i][k] * y[k][j] for k in range(len(y))) for j in range(len(y[0]))] for i in range(len(x))]


ONES = torch.ones(6, 4, dtype=torch.float64)
# Two samples at opposite points, both views alike: K is 1 within and e without, HKH is ±(1 - e)/2.
OPPOSITE = torch.tensor([[1, 0], [-1, 0]], dtype=torch.float64)
FAR = 1 / sqrt(5)  # the kernel at distance 2

CASES = [
    Case("ssl_hsic", two_views, slow_ssl_hsic, ((ONES, 3 * ONES), 0.0), (0, 1), True, {}),
    Case(
        "ssl_hsic",
        two_views,
        slow_ssl_hsic,
        ((OPPOSITE, 7 * OPPOSITE), (1 - FAR) * (-1 / 2 + 1.5 * 2 / 3)),
        (0, 1),
        True,
        {"gamma": 1.5},
    ),
    Case(
        "ssl_hsic", two_views, slow_ssl_hsic, ((ONES, ONES), 0.0), (0, 1), True, {"gamma": 0.5, "scale": 0.3}
    ),
]
