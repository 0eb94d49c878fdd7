"""Where a vision transformer looks: the attention of its class token to the patches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.samples import Batch
from replearn.encoders.base import Encoder
from replearn.encoders.modes import evaluating


@torch.no_grad()
def attention_maps(encoder: Encoder, batch: Batch) -> Float[Tensor, "n heads h w"]:
    """The attention of the class token to each patch in the last block, per head, in evaluation mode.

    What a head gives to class and register tokens is left out, so a map sums to 1 at most. The encoder is left
    as it was found.

    Args:
        encoder: with a timm vision transformer inside, by name or given.
        batch: images.

    Returns:
        Maps of `h x w` patches, row by row; of images that were padded to whole patches, with the padding.

    Raises:
        ValueError: the encoder has no attention, or no class token.

    Example:
        >>> import numpy as np
        >>> from replearn.data.samples import ArraySamples
        >>> from replearn.encoders import make_encoder
        >>> samples = ArraySamples(np.zeros((10, 1, 28, 28), dtype=np.uint8))
        >>> encoder = make_encoder("vit_tiny_patch16_224", samples)
        >>> attention_maps(encoder, samples[np.arange(2)]).shape
        torch.Size([2, 3, 7, 7])

    References: Caron et al., ICCV 2021, section 4.2.2. https://arxiv.org/abs/2104.14294
    """
    net = _transformer(encoder)
    found: list[Tensor] = []
    maps: list[tuple[int, ...]] = []
    layer = net.blocks[-1].attn
    hooks = [
        layer.attn_drop.register_forward_hook(lambda _, __, weights: found.append(weights)),
        net.patch_embed.register_forward_hook(lambda _, __, patches: maps.append(tuple(patches.shape))),
    ]
    try:
        with evaluating([encoder]), _unfused(layer):
            encoder(batch)
    finally:
        for hook in hooks:
            hook.remove()
    weights = found[0][:, :, 0, net.num_prefix_tokens :].float()  # (n, heads, h·w)
    height, width = maps[0][1:3] if len(maps[0]) == 4 else net.patch_embed.grid_size
    return weights.reshape(*weights.shape[:2], height, width)


def _transformer(encoder: Encoder) -> Any:
    for net in encoder.modules():
        blocks = getattr(net, "blocks", None)
        if isinstance(blocks, nn.Sequential | nn.ModuleList) and getattr(net, "cls_token", None) is not None:
            attention = getattr(blocks[-1], "attn", None)
            if hasattr(attention, "attn_drop") and hasattr(attention, "fused_attn"):
                return net
    raise ValueError(
        "attention_maps must get a timm vision transformer with a class token; got an encoder without one. "
        "Use vit_tiny_patch16_224, say."
    )


@contextmanager
def _unfused(attention: Any) -> Iterator[None]:
    """While entered, the layer computes its weights in sight; the fused kernel never holds them."""
    fused = attention.fused_attn
    attention.fused_attn = False
    try:
        yield
    finally:
        attention.fused_attn = fused
