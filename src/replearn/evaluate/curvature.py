"""What the last steps of many problems tell of their curvature: L-BFGS in its compact form."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

PAIRS = 8


class Curvature:
    r"""Steps $S$ and changes of gradient $Y$ of each problem, the last `PAIRS` of them.

    With a diagonal $P$ as first guess of the inverse Hessian, $R$ the upper triangle of $S^\top Y$ and $D$
    its diagonal, the direction of descent from gradient $g$ is

    $$-\,(u + S R^{-\top} (D q - Y^\top u)), \qquad q = R^{-1} S^\top g, \qquad u = P (g - Y q)$$

    which equals the two-loop recursion, in a dozen batched products whatever the number of pairs.

    Reference: Byrd, Nocedal & Schnabel, Mathematical Programming 1994, equation 3.5.
    https://doi.org/10.1007/BF01582063
    """

    def __init__(
        self, moved: Float[Tensor, "b k m p"], turned: Float[Tensor, "b k m p"], newest: int
    ) -> None:
        self.moved, self.turned, self.newest = moved, turned, newest

    @staticmethod
    def unknown(weights: Float[Tensor, "b k c d"]) -> "Curvature":
        """Of problems that have not moved yet."""
        empty = weights.new_zeros(*weights.shape[:2], PAIRS, weights[0, 0].numel())
        return Curvature(empty, empty.clone(), 0)

    def add(self, moved: Float[Tensor, "b k c d"], turned: Float[Tensor, "b k c d"]) -> None:
        """Put a pair in the place of the oldest; one of no positive curvature leaves its place empty."""
        self.newest = (self.newest + 1) % PAIRS
        moved, turned = moved.flatten(2), turned.flatten(2)
        convex = (moved * turned).sum(dim=2, keepdim=True) > 0
        self.moved[:, :, self.newest], self.turned[:, :, self.newest] = moved * convex, turned * convex

    def copy(self) -> "Curvature":
        return Curvature(self.moved.clone(), self.turned.clone(), self.newest)

    def put(self, index: Int[Tensor, " j"], other: "Curvature") -> None:
        """Take over what the problems of `other`, here at `index`, have learned."""
        order = other.order()
        self.moved[:, index], self.turned[:, index] = other.moved[:, :, order], other.turned[:, :, order]
        self.newest = PAIRS - 1

    def order(self) -> Int[Tensor, " m"]:
        """Places of the pairs, the oldest first."""
        return torch.arange(self.newest + 1, self.newest + 1 + PAIRS) % PAIRS

    def only(self, keep: Bool[Tensor, " k"]) -> "Curvature":
        return Curvature(self.moved[:, keep], self.turned[:, keep], self.newest)

    def direction(
        self, gradient: Float[Tensor, "b k c d"], inverse: Float[Tensor, "b k c d"]
    ) -> Float[Tensor, "b k c d"]:
        """Descent from `gradient`, given the diagonal guess `inverse`."""
        slope, guess = gradient.flatten(2)[:, :, None], inverse.flatten(2)[:, :, None]  # (b, k, 1, p)
        order = self.order()
        table = (self.turned @ self.moved.mT)[..., order[:, None], order]  # (b, k, m, m)
        bends = table.diagonal(dim1=2, dim2=3)[:, :, None]  # (b, k, 1, m)
        lower = table.tril() + torch.diag_embed((bends[:, :, 0] == 0).to(table.dtype))
        last = self.turned[:, :, self.newest, None]
        size = (last.square() * guess).sum(dim=3, keepdim=True)
        guess = guess * torch.where(size > 0, bends[..., -1:] / size, 1.0)  # of the right size
        back = order.argsort()
        parts = torch.linalg.solve_triangular(
            lower, (slope @ self.moved.mT)[..., order], upper=False, left=False
        )
        start = guess * (slope - parts[..., back] @ self.turned)
        rest = bends * parts - (start @ self.turned.mT)[..., order]
        parts = torch.linalg.solve_triangular(lower.mT, rest, upper=True, left=False)
        descent: Tensor = -(start + parts[..., back] @ self.moved)
        return descent.view_as(gradient)
