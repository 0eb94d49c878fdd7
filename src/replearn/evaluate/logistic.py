"""Many logistic regressions on the same rows, solved at once.

All problems (draws of labels, folds, penalties) advance together by L-BFGS, so that a step is two wide
matrix products, whatever their number. Steps stay few because the caller rotates the columns to their
principal axes, where the Hessian is nearly diagonal and a diagonal makes a good preconditioner. The product
of the rows with a direction serves the whole line search, since logits are linear in the weights.

Single precision is refined from bfloat16 where the processor multiplies that faster: a first descent rounds
all products; a second one sets out from its end, where logits and gradient are computed in full, and rounds
only how they change. What is left of rounding shrinks with the second descent's steps, and these are short.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from replearn.evaluate.curvature import Curvature

STEPS = 500
ROUGH = 3  # times the tolerance, for a descent that another one follows
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
    start: Float[Tensor, "b k c d+1"] | None = None,
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
        start: weights to set out from; zeros when None. The end is the same, up to the tolerance.

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
    quick = rows.bfloat16() if rows.dtype == torch.float32 and fast_bfloat16() else rows
    spread = torch.linalg.vector_norm(rows, dim=1).square() / rows.shape[1]  # (b, d + 1)
    step = max(1, LOGITS // (len(rows) * classes * rows.shape[1]))
    if start is None:
        start = rows.new_zeros(*penalties.shape, classes, rows.shape[2])
    parts = [
        _solve(rows, quick, spread, labels, shares[:, k], penalties[:, k], start[:, k], tolerance)
        for k in (slice(first, first + step) for first in range(0, shares.shape[1], step))
    ]
    return torch.cat(parts, dim=1)


def fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 by instructions of its own, several times as fast."""
    asked = (getattr(torch.cpu, f"_is_{name}_supported", bool) for name in ("avx512_bf16", "amx_tile"))
    return any(supported() for supported in asked)


def _solve(
    rows: Float[Tensor, "b n d"],
    quick: Float[Tensor, "b n d"],
    spread: Float[Tensor, "b d"],
    labels: Int[Tensor, "b n"],
    shares: Float[Tensor, "b k n"],
    penalties: Float[Tensor, "b k"],
    start: Float[Tensor, "b k c d"],
    tolerance: float,
) -> Float[Tensor, "b k c d"]:
    batch = _Batch.start(quick, spread, labels, shares, penalties, start)
    curvature = Curvature.unknown(batch.weights)
    if quick is rows:
        return _descend(batch, curvature, tolerance)[0]
    weights, curvature = _descend(batch, curvature, ROUGH * tolerance)
    return _descend(batch.around(weights, rows), curvature, tolerance)[0]


def _descend(
    batch: "_Batch", known: Curvature, tolerance: float
) -> tuple[Float[Tensor, "b k c d"], Curvature]:
    """Solve from where the batch sets out; return weights, and what was learned of the curvature."""
    solved, curvature = batch.weights.clone(), known.copy()
    active = torch.arange(solved.shape[1])
    calm = torch.zeros(solved.shape[:2], dtype=torch.int64)
    point = batch.at(batch.weights, batch.logits)
    for _ in range(STEPS):
        inverse = 1 / (point.heat * batch.spread + batch.ridge).clamp_min(1e-10)
        after = batch.search(point, curvature.direction(point.gradient, inverse))
        curvature.add(after.weights - point.weights, after.gradient - point.gradient)
        small = point.objective - after.objective <= tolerance * after.objective
        calm, point = torch.where(small, calm + 1, 0), after
        keep = (calm < 2).any(dim=0)
        solved[:, active] = point.weights
        if keep.all():
            continue
        known.put(active, curvature)
        if not keep.any():
            break
        active, calm = active[keep], calm[:, keep]
        batch, point, curvature = batch.only(keep), point.only(keep), curvature.only(keep)
    return solved, known


@dataclass(frozen=True)
class _Point:
    """Where all problems stand."""

    weights: Float[Tensor, "b k c d"]
    logits: Float[Tensor, "b k c n"]
    heat: Float[Tensor, "b k c 1"]  # mean variance of each class's indicator
    objective: Float[Tensor, "b k"]
    gradient: Float[Tensor, "b k c d"]

    def only(self, keep: Tensor) -> "_Point":
        return _Point(*(value[:, keep] for value in vars(self).values()))


@dataclass(frozen=True)
class _Batch:
    """The problems: what does not change while they are solved."""

    rows: Shaped[Tensor, "b n d"]
    spread: Float[Tensor, "b 1 1 d"]  # mean square of each column
    labels: Int[Tensor, "b 1 1 n"]
    shares: Float[Tensor, "b k 1 n"]
    ridge: Float[Tensor, "b k 1 d"]
    absent: Float[Tensor, "b k c 1"]  # added to the logits
    weights: Float[Tensor, "b k c d"]  # where to set out
    logits: Float[Tensor, "b k c n"]  # there
    residuals: Float[Tensor, "b k c n"] | None = None  # there, once `around` has set `slope`,
    slope: Float[Tensor, "b k c d"] | None = None  # the exact gradient of the loss there

    @staticmethod
    def start(
        rows: Tensor, spread: Tensor, labels: Tensor, shares: Tensor, penalties: Tensor, weights: Tensor
    ) -> "_Batch":
        """Set out from `weights`."""
        truth = labels[:, None].expand(-1, shares.shape[1], -1)
        held = shares.new_zeros(weights.shape[:3]).scatter_add(2, truth, shares)[..., None]
        absent = torch.where(held > 0, 0.0, ABSENT).to(shares.dtype)  # (b, k, c, 1)
        ridge = penalties[..., None, None].repeat(1, 1, 1, rows.shape[2])
        ridge[..., -1] = 0  # the bias is free
        logits = _forward(weights, rows) + absent
        spread, labels, shares = spread[:, None, None], labels[:, None, None], shares[:, :, None]
        return _Batch(rows, spread, labels, shares, ridge, absent, weights, logits)

    def around(self, weights: Float[Tensor, "b k c d"], rows: Float[Tensor, "b n d"]) -> "_Batch":
        """Set out from `weights`, with all products exact there: only what changes is rounded."""
        logits = self.absent + _forward(weights, rows)
        residuals = self.minus_truth(self.shares * self.value(weights, logits)[1])
        return replace(
            self, weights=weights, logits=logits, residuals=residuals, slope=_backward(residuals, rows)
        )

    def only(self, keep: Tensor) -> "_Batch":
        around = (part if part is None else part[:, keep] for part in (self.residuals, self.slope))
        return _Batch(
            self.rows,
            self.spread,
            self.labels,
            self.shares[:, keep],
            self.ridge[:, keep],
            self.absent[:, keep],
            self.weights[:, keep],
            self.logits[:, keep],
            *around,
        )

    def value(self, weights: Tensor, logits: Tensor) -> tuple[Float[Tensor, "b k"], Tensor]:
        """Objectives and probabilities."""
        top = logits.amax(dim=2, keepdim=True)
        chances = (logits - top).exp_()
        total = chances.sum(dim=2, keepdim=True)
        true = logits.gather(2, self.labels.expand(-1, logits.shape[1], -1, -1))
        loss = (self.shares * (total.log() + top - true)).sum(dim=(2, 3))
        return loss + 0.5 * (self.ridge * weights.square()).sum(dim=(2, 3)), chances.div_(total)

    def at(self, weights: Tensor, logits: Tensor) -> _Point:
        return self.point(weights, logits, *self.value(weights, logits))

    def point(self, weights: Tensor, logits: Tensor, objective: Tensor, chances: Tensor) -> _Point:
        residuals = self.shares * chances
        heat = residuals.sum(dim=3) - torch.linalg.vecdot(residuals, chances)
        residuals = self.minus_truth(residuals)
        if self.residuals is None or self.slope is None:
            slope = _backward(residuals, self.rows)
        else:
            slope = self.slope + _backward(residuals - self.residuals, self.rows)
        return _Point(weights, logits, heat[..., None], objective, slope + self.ridge * weights)

    def minus_truth(self, shares: Float[Tensor, "b k c n"]) -> Float[Tensor, "b k c n"]:
        """Take from the share of every row that falls to its own class the whole of it, in place."""
        truth = self.labels.expand(-1, shares.shape[1], -1, -1)
        return shares.scatter_add_(2, truth, -self.shares)

    def search(self, point: _Point, direction: Float[Tensor, "b k c d"]) -> _Point:
        """Halve the step until the objective falls enough (Armijo); stay where it never does."""
        image = _forward(direction, self.rows)
        before = point.objective[..., None, None]  # (b, k, 1, 1)
        fall = 1e-4 * (point.gradient * direction).sum(dim=(2, 3), keepdim=True)
        slack = 4 * torch.finfo(before.dtype).eps * (1 + before)  # what rounding may add
        length = torch.ones_like(before)
        for _ in range(20):
            weights, logits = point.weights + length * direction, torch.addcmul(point.logits, length, image)
            objective, chances = self.value(weights, logits)
            good = objective[..., None, None] <= before + length * fall + slack
            if good.all():
                break
            length = torch.where(good, length, length / 2)
        return self.point(weights, logits, objective, chances)


def _forward(weights: Float[Tensor, "b k c d"], rows: Float[Tensor, "b n d"]) -> Float[Tensor, "b k c n"]:
    """Logits, in the precision of `weights`; the product in that of `rows`."""
    return (
        _product(weights.flatten(1, 2).to(rows.dtype), rows.mT).to(weights.dtype).view(*weights.shape[:3], -1)
    )


def _backward(residuals: Float[Tensor, "b k c n"], rows: Float[Tensor, "b n d"]) -> Float[Tensor, "b k c d"]:
    return (
        _product(residuals.flatten(1, 2).to(rows.dtype), rows)
        .to(residuals.dtype)
        .view(*residuals.shape[:3], -1)
    )


def _product(left: Float[Tensor, "b m n"], right: Float[Tensor, "b n p"]) -> Float[Tensor, "b m p"]:
    if left.dtype != torch.bfloat16:
        return left @ right
    if len(left) == 1:
        return (left[0] @ right[0])[None]
    return torch.stack([one @ other for one, other in zip(left, right, strict=True)])  # batched is far slower
