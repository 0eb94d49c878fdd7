"""Many logistic regressions on the same rows, solved at once.

All problems (draws of labels, folds, penalties) advance together by L-BFGS, so that a step is two wide
matrix products, whatever their number. Steps stay few because the caller rotates the columns to their
principal axes, where the Hessian is nearly diagonal and a diagonal makes a good preconditioner. The product
of the rows with a direction serves the whole line search, since logits are linear in the weights.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

STEPS = 500
MEMORY = 8  # pairs of L-BFGS
LOGITS = 2**26  # held at once (and a few copies): problems beyond are solved after one another
ABSENT = -1e4  # logit of a class that a problem does not hold: probability 0, yet finite


def solve(
    rows: Float[Tensor, "b n d"],
    labels: Int[Tensor, "b n"],
    shares: Float[Tensor, "b k n"],
    penalties: Float[Tensor, "b k"],
    *,
    classes: int,
    tolerance: float | None = None,
) -> Float[Tensor, "b k c d+1"]:
    r"""Minimise, for problem k of table b, over weights $W$ (c, d) and biases $\beta$ (c),

    $$\sum_i s_i \Bigl(\ln \sum_c e^{w_c x_i + \beta_c} - w_{y_i} x_i - \beta_{y_i}\Bigr)
      + \frac{\lambda}{2} \lVert W \rVert_2^2$$

    Args:
        rows: b tables, their columns uncorrelated (for speed only).
        labels: class numbers.
        shares: s, the weight of each row in each problem; they sum to 1, and 0 leaves a row out.
        penalties: λ.
        classes: c. A class without a row in a problem gets probability 0 in it.
        tolerance: a problem is solved when two steps in a row lower its objective by less than this share;
            None is 1e-5 in single and 1e-9 in double precision.

    Returns:
        Weights, the bias as their last column.

    Reference: Liu & Nocedal, Mathematical Programming 1989 (L-BFGS). https://doi.org/10.1007/BF01589116
    """
    if tolerance is None:
        tolerance = 1e-9 if rows.dtype == torch.float64 else 1e-5
    used = (shares > 0).any(dim=1).any(dim=0)
    if not used.all():  # rows that no problem holds
        rows, labels, shares = rows[:, used], labels[:, used], shares[..., used]
    rows = torch.cat([rows, torch.ones_like(rows[..., :1])], dim=2)  # (b, n, d + 1)
    step = max(1, LOGITS // (len(rows) * classes * rows.shape[1]))
    parts = zip(torch.split(shares, step, dim=1), torch.split(penalties, step, dim=1), strict=True)
    return torch.cat(
        [_solve(rows, labels, share, penalty, classes, tolerance) for share, penalty in parts], 1
    )


def _solve(
    rows: Float[Tensor, "b n d"],
    labels: Int[Tensor, "b n"],
    shares: Float[Tensor, "b k n"],
    penalties: Float[Tensor, "b k"],
    classes: int,
    tolerance: float,
) -> Float[Tensor, "b k c d"]:
    spread = rows.square().mean(dim=1)[:, None, None]  # (b, 1, 1, d)
    batch = _Batch.start(rows, labels, shares, penalties, classes)
    solved = torch.zeros_like(batch.weights)
    active, calm = torch.arange(shares.shape[1]), torch.zeros_like(penalties, dtype=torch.int64)
    point = batch.at(batch.weights, batch.logits)
    history: list[tuple[Tensor, Tensor, Tensor]] = []
    for _ in range(STEPS):
        heat = (batch.shares * point.chances * (1 - point.chances)).sum(dim=3, keepdim=True)  # (b, k, c, 1)
        inverse = 1 / (heat * spread + batch.ridge).clamp_min(1e-10)
        direction = _direction(point.gradient, inverse, history)
        after = batch.search(point, direction)
        moved, turned = after.weights - point.weights, after.gradient - point.gradient
        bend = _dot(moved, turned)
        history = [*history[1 - MEMORY :], (moved, turned, torch.where(bend > 0, 1 / bend, 0.0))]
        small = point.objective - after.objective <= tolerance * after.objective
        calm, point = torch.where(small, calm + 1, 0), after
        solved[:, active] = point.weights
        keep = (calm < 2).any(dim=0)
        if not keep.any():
            break
        if not keep.all():
            active, calm = active[keep], calm[:, keep]
            batch, point = batch.only(keep), point.only(keep)
            history = [(s[:, keep], y[:, keep], r[:, keep]) for s, y, r in history]
    return solved


@dataclass(frozen=True)
class _Point:
    """Where all problems stand."""

    weights: Float[Tensor, "b k c d"]
    logits: Float[Tensor, "b k c n"]
    chances: Float[Tensor, "b k c n"]
    objective: Float[Tensor, "b k"]
    gradient: Float[Tensor, "b k c d"]

    def only(self, keep: Tensor) -> "_Point":
        return _Point(*(value[:, keep] for value in vars(self).values()))


@dataclass(frozen=True)
class _Batch:
    """The problems: what does not change while they are solved."""

    rows: Float[Tensor, "b n d"]
    labels: Int[Tensor, "b n"]
    shares: Float[Tensor, "b k 1 n"]
    ridge: Float[Tensor, "b k 1 d"]
    target: Float[Tensor, "b k c d"]
    weights: Float[Tensor, "b k c d"]
    logits: Float[Tensor, "b k c n"]

    @staticmethod
    def start(rows: Tensor, labels: Tensor, shares: Tensor, penalties: Tensor, classes: int) -> "_Batch":
        """Set out from zero weights."""
        true = torch.nn.functional.one_hot(labels, classes).mT.to(rows.dtype)[:, None]  # (b, 1, c, n)
        weighted = true * shares[:, :, None]
        ridge = penalties[..., None, None].repeat(1, 1, 1, rows.shape[2])
        ridge[..., -1] = 0  # the bias is free
        target = _backward(weighted, rows)
        absent = weighted.sum(dim=3, keepdim=True) == 0
        logits = torch.zeros_like(weighted).masked_fill(absent, ABSENT)
        return _Batch(rows, labels, shares[:, :, None], ridge, target, torch.zeros_like(target), logits)

    def only(self, keep: Tensor) -> "_Batch":
        parts = (self.shares, self.ridge, self.target, self.weights, self.logits)
        return _Batch(self.rows, self.labels, *(part[:, keep] for part in parts))

    def value(self, weights: Tensor, logits: Tensor) -> tuple[Float[Tensor, "b k"], Tensor]:
        """Objectives and probabilities."""
        top = logits.amax(dim=2, keepdim=True)
        chances = (logits - top).exp_()
        total = chances.sum(dim=2, keepdim=True)
        true = logits.gather(2, self.labels[:, None, None].expand(-1, logits.shape[1], 1, -1))
        loss = (self.shares * (total.log() + top - true)).sum(dim=(2, 3))
        return loss + 0.5 * (self.ridge * weights.square()).sum(dim=(2, 3)), chances.div_(total)

    def at(self, weights: Tensor, logits: Tensor) -> _Point:
        objective, chances = self.value(weights, logits)
        return _Point(weights, logits, chances, objective, self.slope(weights, chances))

    def slope(self, weights: Tensor, chances: Tensor) -> Float[Tensor, "b k c d"]:
        return _backward(self.shares * chances, self.rows) - self.target + self.ridge * weights

    def search(self, point: _Point, direction: Float[Tensor, "b k c d"]) -> _Point:
        """Halve the step until the objective falls enough (Armijo); stay where it never does."""
        image = (direction.flatten(1, 2) @ self.rows.mT).view_as(point.logits)
        before = point.objective[..., None, None]  # (b, k, 1, 1)
        fall = 1e-4 * _dot(point.gradient, direction)
        slack = 4 * torch.finfo(before.dtype).eps * (1 + before)  # what rounding may add
        length = torch.ones_like(before)
        for _ in range(20):
            weights, logits = point.weights + length * direction, point.logits + length * image
            objective, chances = self.value(weights, logits)
            good = objective[..., None, None] <= before + length * fall + slack
            if good.all():
                break
            length = torch.where(good, length, length / 2)
        return _Point(weights, logits, chances, objective, self.slope(weights, chances))


def _direction(
    gradient: Float[Tensor, "b k c d"],
    inverse: Float[Tensor, "b k c d"],
    history: list[tuple[Tensor, Tensor, Tensor]],
) -> Float[Tensor, "b k c d"]:
    """Two-loop recursion of L-BFGS; returns a direction of descent."""
    descent, pushes = -gradient, []
    for moved, turned, rate in reversed(history):
        push = rate * _dot(moved, descent)
        descent = descent - push * turned
        pushes.append(push)
    descent = descent * inverse
    if history:
        moved, turned, rate = history[-1]
        grown = _dot(turned * inverse, turned) * rate  # 1 where the preconditioner has the right size
        descent = descent / torch.where(grown > 0, grown, 1.0)
    for (moved, turned, rate), push in zip(history, reversed(pushes), strict=True):
        descent = descent + moved * (push - rate * _dot(turned, descent))
    return descent


def _backward(slopes: Float[Tensor, "b k c n"], rows: Float[Tensor, "b n d"]) -> Float[Tensor, "b k c d"]:
    return torch.matmul(slopes.flatten(1, 2), rows).view(*slopes.shape[:3], -1)


def _dot(a: Float[Tensor, "b k c d"], b: Float[Tensor, "b k c d"]) -> Float[Tensor, "b k 1 1"]:
    return (a * b).sum(dim=(2, 3), keepdim=True)
