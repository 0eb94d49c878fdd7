"""What came so far, summed up, and what is to come: causal networks over rows of latents."""

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

PLACES = 16  # of a grid that are kept apart


class Context(nn.Module):
    """A recurrent network down the rows of a grid; a row of latents first looks at its neighbours to both sides.

        c_r = GRU(mix(z_r), c_{r-1})

    With one column it is the recurrent network of CPC for sound and text; columns make it one for pictures, in
    the place of a PixelCNN, whose contexts see the same rows.

    Args:
        dim: numbers per latent.
        hidden: numbers per context.

    References: van den Oord et al., 2018, sections 2.2 and 3.2. https://arxiv.org/abs/1807.03748

    >>> import torch
    >>> z = torch.randn(2, 5, 3, 8)
    >>> Context(8, 16)(z).shape
    torch.Size([2, 5, 3, 16])
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Conv1d(dim, hidden, 3, padding=1), nn.ReLU())
        self.recurrent = nn.GRU(hidden, hidden, batch_first=True)

    def forward(self, z: Float[Tensor, "n r w dim"]) -> Float[Tensor, "n r w hidden"]:
        n, rows, columns, _ = z.shape
        mixed = self.mix(z.flatten(0, 1).mT)  # (n·r, hidden, w)
        lines = mixed.view(n, rows, -1, columns).permute(0, 3, 1, 2).flatten(0, 1)  # (n·w, r, hidden)
        context: Tensor = self.recurrent(lines)[0]
        return context.view(n, columns, rows, -1).transpose(1, 2)  # (n, r, w, hidden)


class Forecast(nn.Module):
    """From the context of each row, a guess of the latents of those that follow: `W_k c_r` is that of `z_{r+k}`.

    Args:
        dim: numbers per latent.
        hidden: numbers per context.
        steps: how many rows ahead.

    References: van den Oord et al., 2018, equation 3. https://arxiv.org/abs/1807.03748
    """

    def __init__(self, dim: int, hidden: int, steps: int) -> None:
        super().__init__()
        self.context = Context(dim, hidden)
        self.ahead = nn.ModuleList([nn.Linear(hidden, dim) for _ in range(steps)])

    def forward(self, z: Float[Tensor, "n r w dim"]) -> list[Float[Tensor, "n _ w dim"]]:
        """For k = 1, 2, ...: guesses of the rows from k on, `(n, r - k, w, dim)`."""
        context = self.context(z)
        return [linear(context[:, :-k]) for k, linear in enumerate(self.ahead, start=1)]


def directions(z: Float[Tensor, "n r w d"]) -> Sequence[Float[Tensor, "n _ _ d"]]:
    """A grid as read down, up, to the right and to the left; ways on which nothing follows are left out.

    References: Hénaff et al., ICML 2020, section 3.1. https://arxiv.org/abs/1905.09272
    """
    ways = [z, z.flip(1), z.transpose(1, 2), z.flip(2).transpose(1, 2)]
    return [way for way in ways if way.shape[1] > 1]


def in_parts(z: Float[Tensor, "n r w d"]) -> Float[Tensor, "n _ _ d"]:
    """A grid as it is, where it has at most 16 places; else means over at most 4 x 4 (of a sequence, 16) parts of it.

    >>> import torch
    >>> [tuple(in_parts(torch.zeros(2, *size, 8)).shape[1:3]) for size in ((4, 4), (7, 7), (30, 1))]
    [(4, 4), (4, 4), (16, 1)]
    """
    width = min(z.shape[2], 4)
    height = min(z.shape[1], PLACES // width)
    return F.adaptive_avg_pool2d(z.permute(0, 3, 1, 2), (height, width)).permute(0, 2, 3, 1)
