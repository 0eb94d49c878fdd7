"""Codes of vectors by atoms: which atom is nearest, or how near each one is; at every place of a map at once.

References: Coates, Lee & Ng, AISTATS 2011, section 3.2. https://proceedings.mlr.press/v15/coates11a.html
    Coates & Ng, ICML 2011, section 3.2. https://icml.cc/2011/papers/485_icmlpaper.pdf
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class Atoms(nn.Module):
    """Vectors in a buffer, by which vectors at the places of a map are coded: `(n, d, i, j) -> (n, k, i, j)`.

    Args:
        count: k, how many.
        dim: d, numbers of each.

    Example:
        >>> atoms = Atoms(2, 3)
        >>> _ = atoms.vectors.copy_(torch.tensor([[1.0, 0, 0], [0, 2.0, 0]]))
        >>> z = torch.tensor([0.75, 0.5, 0.0]).view(1, 3, 1, 1)
        >>> atoms.one_hot(z).flatten().tolist()
        [1.0, 0.0]
        >>> atoms.threshold(z, 0.25).flatten().tolist()
        [0.5, 0.75, 0.0, 0.0]
    """

    vectors: Tensor

    def __init__(self, count: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(count, dim))

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        """Of few samples fewer atoms were learned than was asked for."""
        stored = state_dict.get(f"{prefix}vectors")
        if stored is not None and stored.ndim == 2 and 1 <= len(stored) < len(self.vectors):
            self.vectors = self.vectors[: len(stored)].clone()
        super()._load_from_state_dict(state_dict, prefix, *args)

    def one_hot(self, z: Float[Tensor, "n d i j"]) -> Float[Tensor, "n k i j"]:
        """1 for the nearest atom, 0 for all others."""
        near = self._products(z, -0.5 * self.vectors.square().sum(1))
        return torch.zeros_like(near).scatter_(1, near.argmax(1, keepdim=True), 1.0)

    def triangle(self, z: Float[Tensor, "n d i j"]) -> Float[Tensor, "n k i j"]:
        """`max(0, mean_j |z - a_j| - |z - a_k|)`: about half of the atoms, those that are nearer than the mean."""
        lengths = self.vectors.square().sum(1)
        squares = z.square().sum(1, keepdim=True) - 2 * self._products(z, -0.5 * lengths)
        distances = squares.clamp(min=0).sqrt()
        return (distances.mean(1, keepdim=True) - distances).clamp(min=0)

    def threshold(self, z: Float[Tensor, "n d i j"], alpha: float) -> Float[Tensor, "n k2 i j"]:
        """`max(0, a·z - alpha)` and `max(0, -a·z - alpha)`: atoms found, then atoms found with the other sign."""
        found = self._products(z)
        return torch.cat([(found - alpha).clamp(min=0), (-found - alpha).clamp(min=0)], dim=1)

    def _products(self, z: Tensor, bias: Tensor | None = None) -> Tensor:
        return F.conv2d(z, self.vectors[:, :, None, None], bias)


def pooled_parts(codes: Float[Tensor, "n k i j"], parts: int) -> Float[Tensor, "n d"]:
    """The mean code of each of `parts` by `parts` parts of the image, side by side; d = k parts²."""
    return F.adaptive_avg_pool2d(codes, parts).flatten(1)
