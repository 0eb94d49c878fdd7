"""Features made ready for a logistic probe: scaled, and turned to their principal axes."""

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from replearn.evaluate.checks import Array
from replearn.evaluate.logistic import solve

DOUBLE = 2**17  # tables of fewer numbers are solved in double precision, which costs them nothing


class Basis:
    """Scaled rows, turned to their principal axes; the L2 norm of weights is the same in both."""

    def __init__(self, tables: Shaped[np.ndarray, "b n d"], scaling: str) -> None:
        rows = torch.from_numpy(tables).to(torch.float64 if tables[0].size <= DOUBLE else torch.float32)
        self.mean = rows.mean(dim=1, keepdim=True, dtype=torch.float64)  # (b, 1, d)
        rows = rows - self.mean.to(rows.dtype)
        length = torch.linalg.vector_norm(rows, dim=1, keepdim=True).double()
        self.scale = length / rows.shape[1] ** 0.5  # (b, 1, d)
        flat = self.scale <= 10 * torch.finfo(rows.dtype).eps * self.mean.abs()
        flat |= self.scale == 0
        if scaling == "common":
            self.scale = self.scale.square().mean(dim=2, keepdim=True).sqrt().expand_as(flat).clone()
        self.scale[flat] = torch.inf  # a constant feature becomes 0
        rows = rows.div_(self.scale.to(rows.dtype))
        self.axes = _principal_axes(rows)
        self.rows: Float[Tensor, "b n r"] = rows @ self.axes

    def refit(
        self,
        truth: Int[Tensor, "b n"],
        penalties: npt.NDArray[np.float64],
        start: Float[Tensor, "b c p"] | None,
    ) -> tuple[Array, Array]:
        """Fit each table at its penalty, and return weights and biases for the features as they came."""
        batch, count = truth.shape
        shares = self.rows.new_full((batch, 1, count), 1 / count)
        strength = torch.from_numpy(penalties).to(self.rows.dtype)[:, None]
        first = None if start is None else start[:, None]
        weights = solve(self.rows, truth, shares, strength, classes=int(truth.max()) + 1, start=first)[:, 0]
        slopes = (weights[..., :-1] @ self.axes.mT).double() / self.scale  # (b, c, d)
        biases = weights[..., -1].double() - (slopes * self.mean).sum(dim=2)
        return slopes.numpy(), biases.numpy()


def _principal_axes(rows: Float[Tensor, "b n d"]) -> Float[Tensor, "b d r"]:
    count, dim = rows.shape[1:]
    if count >= dim:  # any rotation is right, only slower to solve in: a part of many rows will do
        part = rows[:, :: max(1, count // (4 * dim))]
        return _eigh(part.mT @ part)[1]
    values, vectors = _eigh(rows @ rows.mT)
    noise = values[:, -1:] * count * torch.finfo(rows.dtype).eps
    scale = torch.where(values > noise, values, torch.inf).rsqrt()  # directions of no variance become 0
    return torch.matmul(rows.mT, vectors * scale[:, None])


def _eigh(table: Float[Tensor, "b n n"]) -> tuple[Float[Tensor, "b n"], Float[Tensor, "b n n"]]:
    """Eigenvalues and vectors of symmetric tables; in double precision where single does not converge.

    So it is where many columns are constant: their eigenvalue 0 is repeated.
    """
    try:
        values, vectors = torch.linalg.eigh(table)
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        values, vectors = (found.to(table.dtype) for found in torch.linalg.eigh(table.double()))
    return values, vectors
