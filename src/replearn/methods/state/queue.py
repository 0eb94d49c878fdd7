"""A queue of embeddings of earlier batches: more negatives, or more to assign, than a batch holds."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


class Queue(nn.Module):
    """The last `size` rows that were pushed, the oldest replaced first; random unit rows at the start.

    Its content, position and count are buffers: they are saved, resumed and alike on all processes (push
    gathered rows).

    Args:
        size: rows kept.
        dim: numbers per row.

    Raises:
        ValueError: it would keep no row.

    Example:
        >>> queue = Queue(3, 2)
        >>> queue.push(torch.tensor([[1.0, 1.0], [2.0, 2.0]])), queue.is_full()
        (tensor([0, 1]), False)
        >>> queue.push(torch.tensor([[3.0, 3.0], [4.0, 4.0]])), queue.is_full()
        (tensor([2, 0]), True)
        >>> queue.rows()[:, 0].tolist()
        [4.0, 2.0, 3.0]

    References: He et al., "Momentum contrast", CVPR 2020, section 3.2. https://arxiv.org/abs/1911.05722
    """

    stored: Tensor
    pushed: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        if size < 1:
            raise ValueError(f"queue must be at least 1; got {size}. Leave it out for the default.")
        self.register_buffer("stored", F.normalize(torch.randn(size, dim), dim=1))
        self.register_buffer("pushed", torch.zeros((), dtype=torch.int64))  # rows so far

    def rows(self) -> Float[Tensor, "size dim"]:
        """A copy of what it holds: a later push must not change what a backward pass still needs."""
        return self.stored.clone()

    def is_full(self) -> bool:
        """Whether all random rows have been replaced."""
        return int(self.pushed) >= len(self.stored)

    @torch.no_grad()
    def push(self, rows: Float[Tensor, "n dim"]) -> Int[Tensor, " m"]:
        """Put rows in, over the oldest ones; where the last of them, which fit, are now."""
        size, new = len(self.stored), rows[-len(self.stored) :]
        first = int(self.pushed) + len(rows) - len(new)
        places = (first + torch.arange(len(new), device=new.device)) % size
        self.stored[places] = new.to(self.stored.dtype)
        self.pushed += len(rows)
        return places
