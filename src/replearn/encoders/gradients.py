"""Edges: where brightness changes, how fast, and in which direction."""

import torch
from jaxtyping import Float
from torch import Tensor


def gradients(x: Float[Tensor, "n c h w"]) -> tuple[Float[Tensor, "n h w"], Float[Tensor, "n h w"]]:
    """Differences of brightness downwards and to the right, of each pixel's strongest channel.

        down(r, s) = x(r + 1, s) - x(r - 1, s),   right(r, s) = x(r, s + 1) - x(r, s - 1)

    A difference that would need a pixel outside of the image is 0. Of several channels, each pixel takes both
    differences from the one where their norm is largest.

    Args:
        x: images, in [0, 1].

    References: Dalal & Triggs, CVPR 2005, section 6.2. https://doi.org/10.1109/CVPR.2005.177

    >>> down, right = gradients(torch.arange(4.0).expand(1, 1, 4, 4))
    >>> down.abs().max().item(), right[0, 0].tolist()
    (0.0, [0.0, 2.0, 2.0, 0.0])
    """
    down, right = torch.zeros_like(x), torch.zeros_like(x)
    down[:, :, 1:-1] = x[:, :, 2:] - x[:, :, :-2]
    right[:, :, :, 1:-1] = x[:, :, :, 2:] - x[:, :, :, :-2]
    if x.shape[1] == 1:
        return down[:, 0], right[:, 0]
    strongest = (down.square() + right.square()).argmax(dim=1, keepdim=True)  # (n, 1, h, w)
    return down.gather(1, strongest)[:, 0], right.gather(1, strongest)[:, 0]


def edges(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n h w"]:
    """How strong the edge at each pixel is: the norm of `gradients`.

    >>> edges(torch.arange(4.0).expand(1, 1, 3, 4))[0, 1].tolist()
    [0.0, 2.0, 2.0, 0.0]
    """
    return torch.hypot(*gradients(x))
