"""Heads: small networks between the representation `h` and the embedding `z` that the objective reads."""

from itertools import pairwise

from torch import nn


def mlp(in_dim: int, hidden: int, out_dim: int, *, depth: int = 2, norm: bool = True) -> nn.Sequential:
    """A chain of linear layers with BatchNorm and ReLU between them.

    The default is SimCLR's head, `linear-BatchNorm-ReLU-linear`; `depth=1` is one linear layer.

    Args:
        in_dim: numbers per row that come in.
        hidden: width of the layers between.
        out_dim: numbers per row that go out.
        depth: number of linear layers.
        norm: whether BatchNorm follows every linear layer but the last.

    Raises:
        ValueError: `depth` is below 1.

    Example:
        >>> import torch
        >>> mlp(512, 2048, 128)(torch.zeros(4, 512)).shape
        torch.Size([4, 128])

    References:
        Chen et al., "A simple framework for contrastive learning", ICML 2020, section 2.1.
        https://arxiv.org/abs/2002.05709
    """
    if depth < 1:
        raise ValueError(f"depth counts linear layers and must be at least 1; got {depth}.")
    widths = [in_dim, *[hidden] * (depth - 1)]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [
            nn.Linear(before, after, bias=not norm),
            *([nn.BatchNorm1d(after)] if norm else []),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.Linear(widths[-1], out_dim))
