"""A bank with one embedding for each training sample, of when it was last seen."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


class Bank(nn.Module):
    """One unit row for each of `n` samples, found by its position `Batch.index`; random at the start.

    The rows are a buffer: they are saved, resumed and alike on all processes (store gathered rows).

    Args:
        n: samples.
        dim: numbers per row.

    Example:
        >>> bank = Bank(10, 2)
        >>> bank.store(torch.tensor([3]), torch.tensor([[0.0, 2.0]]), momentum=0.0)
        >>> bank(torch.tensor([3])).tolist()
        [[0.0, 1.0]]

    References: Wu et al., "Unsupervised feature learning via non-parametric instance discrimination", CVPR 2018,
        section 3.1. https://arxiv.org/abs/1805.01978
    """

    stored: Tensor

    def __init__(self, n: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("stored", F.normalize(torch.randn(n, dim), dim=1))

    def forward(self, index: Int[Tensor, " *k"]) -> Float[Tensor, "*k dim"]:
        """The rows of the samples at `index`; a copy, whatever is stored later."""
        return self.stored[index]

    @torch.no_grad()
    def store(self, index: Int[Tensor, " n"], rows: Float[Tensor, "n dim"], *, momentum: float) -> None:
        """Replace rows by `normalise(momentum * old + (1 - momentum) * normalise(new))`."""
        new = F.normalize(rows.to(self.stored.dtype), dim=1)
        self.stored[index] = F.normalize(torch.lerp(new, self.stored[index], momentum), dim=1)


class Constant(nn.Module):
    """A number that is estimated once, from the first batch, and kept: NaN until then.

    It is a buffer: saved, resumed and alike on all processes (estimate from gathered rows).

    Example:
        >>> constant = Constant()
        >>> [constant(torch.tensor(first)).item() for first in (2.5, 9.0)]
        [2.5, 2.5]
    """

    value: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("value", torch.tensor(torch.nan))

    @torch.no_grad()
    def forward(self, first: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """The number kept; `first` where there was none."""
        self.value.copy_(torch.where(self.value.isnan(), first.to(self.value.dtype), self.value))
        return self.value
