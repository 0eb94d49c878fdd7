"""Heads: small networks between the representation `h` and the embedding `z` that the objective reads."""

from itertools import pairwise

from torch import nn


def mlp(
    in_dim: int, hidden: int, out_dim: int, *, depth: int = 2, norm: bool = True, last_norm: bool = False
) -> nn.Sequential:
    """A chain of linear layers with BatchNorm and ReLU between them.

    The default is SimCLR's head, `linear-BatchNorm-ReLU-linear`; `depth=1` is one linear layer. SimSiam's and MoCo
    v3's heads end in a BatchNorm without weights, `last_norm=True`.

    Args:
        in_dim: numbers per row that come in.
        hidden: width of the layers between.
        out_dim: numbers per row that go out.
        depth: number of linear layers.
        norm: whether BatchNorm follows every linear layer but the last.
        last_norm: whether BatchNorm, without scale and shift of its own, follows the last one.

    Raises:
        ValueError: `depth` is below 1.

    Example:
        >>> import torch
        >>> mlp(512, 2048, 128)(torch.zeros(4, 512)).shape
        torch.Size([4, 128])

    References:
        Chen et al., "A simple framework for contrastive learning", ICML 2020, section 2.1.
        https://arxiv.org/abs/2002.05709
        Chen and He, "Exploring simple Siamese representation learning", CVPR 2021, section 3.
        https://arxiv.org/abs/2011.10566
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
    layers.append(nn.Linear(widths[-1], out_dim, bias=not last_norm))
    if last_norm:
        layers.append(nn.BatchNorm1d(out_dim, affine=False))
    return nn.Sequential(*layers)


def unused_widths(depth: int) -> dict[str, str]:
    """Which of a head's `hidden` and `dim` do nothing, and why, where it has so many linear layers.

    >>> list(unused_widths(2)), list(unused_widths(1)), list(unused_widths(0))
    ([], ['hidden'], ['hidden', 'dim'])
    """
    if depth > 1:
        return {}
    if depth == 1:
        return {"hidden": "one linear layer (depth=1) has no hidden ones"}
    return dict.fromkeys(("hidden", "dim"), "there is no head (depth=0)")


def first_layers(head: nn.Sequential, number: int) -> nn.Sequential:
    """The first `number` linear layers of a head, each with what follows it; the modules are the head's own.

    Raises:
        ValueError: the head has fewer.

    Example:
        >>> head = mlp(512, 2048, 128, depth=3)
        >>> [type(layer).__name__ for layer in first_layers(head, 1)]
        ['Linear', 'BatchNorm1d', 'ReLU']
        >>> len(first_layers(head, 0)), len(first_layers(head, 3)) == len(head)
        (0, True)

    References:
        Chen et al., "Big self-supervised models are strong semi-supervised learners" (SimCLR v2), NeurIPS 2020,
        section 2. https://arxiv.org/abs/2006.10029
    """
    starts = [i for i, layer in enumerate(head) if isinstance(layer, nn.Linear)]
    if not 0 <= number <= len(starts):
        raise ValueError(
            f"layer must be from 0 to {len(starts)}, the linear layers of the head; got {number}. "
            "Use 0 for the encoder's own representation, or a deeper head."
        )
    return head[: [*starts, len(head)][number]]
