"""The compact form of L-BFGS against the recursion."""

import pytest
import torch

from replearn.evaluate.curvature import PAIRS, Curvature

SHAPE = 2, 3, 4, 6  # tables, problems, classes, columns


def dot(a, b):
    return (a * b).sum(dim=(2, 3), keepdim=True)


def recursion(gradient, inverse, pairs):
    """Nocedal & Wright, Numerical Optimization, algorithm 7.4; a pair of no positive curvature is left out."""
    rates = [torch.where(dot(s, y) > 0, 1 / dot(s, y), 0.0) for s, y in pairs]
    descent, pushes = -gradient, []
    for (s, y), rate in zip(reversed(pairs), reversed(rates), strict=True):
        pushes.append(rate * dot(s, descent))
        descent = descent - pushes[-1] * y
    descent = descent * inverse
    if pairs:
        s, y = pairs[-1]
        descent = descent * torch.where(dot(s, y) > 0, dot(s, y) / dot(y * inverse, y), 1.0)
    for (s, y), rate, push in zip(pairs, rates, reversed(pushes), strict=True):
        descent = descent + s * (push - rate * dot(y, descent))
    return descent


@pytest.mark.parametrize("steps", [0, 1, PAIRS, PAIRS + 5])
def test_direction_equals_the_two_loop_recursion(steps):
    random = torch.Generator().manual_seed(steps)
    draw = torch.rand(7, *SHAPE, dtype=torch.float64, generator=random)
    gradient, inverse = draw[0] - 0.5, draw[1] + 0.1
    root = torch.randn(6, 6, dtype=torch.float64, generator=random)
    known, pairs = Curvature.unknown(gradient), []
    for step in range(steps):
        s = torch.randn(*SHAPE, dtype=torch.float64, generator=random)
        y = s @ (root @ root.T + 0.1 * torch.eye(6))
        if step in (2, steps - 1):
            y[0, 1] *= -1  # no convex step of this problem
        known.add(s, y)
        pairs.append((s, y))
    expected = recursion(gradient, inverse, pairs[-PAIRS:])
    torch.testing.assert_close(known.direction(gradient, inverse), expected, rtol=1e-9, atol=1e-9)
    keep = torch.tensor([True, False, True])
    part = known.only(keep).direction(gradient[:, keep], inverse[:, keep])
    torch.testing.assert_close(part, expected[:, keep], rtol=1e-9, atol=1e-9)


def test_what_parts_learn_comes_back():
    """Problems that leave early keep their pairs, in the order in which they came."""
    random = torch.Generator().manual_seed(0)
    whole = Curvature.unknown(torch.zeros(SHAPE))
    working, active = whole.copy(), torch.arange(3)
    pairs = [[], [], []]
    for step in range(PAIRS + 3):
        s = torch.randn(2, len(active), 4, 6, generator=random)
        working.add(s, s * 2)
        for place, problem in enumerate(active.tolist()):
            pairs[problem].append((s[:, place, None], s[:, place, None] * 2))
        if step in (3, PAIRS):
            whole.put(active, working)
            active, working = active[1:], working.only(torch.arange(len(active)) > 0)
    whole.put(active, working)
    gradient = torch.randn(SHAPE, generator=random)
    found = whole.direction(gradient, torch.ones(SHAPE))
    for problem in range(3):
        part = gradient[:, problem, None]
        expected = recursion(part, torch.ones_like(part), pairs[problem][-PAIRS:])
        torch.testing.assert_close(found[:, problem, None], expected, rtol=1e-3, atol=1e-3)
