"""Attention over short rows by plain matrix products, in our networks and those of the `transformers` library.

On CPUs the kernel behind `scaled_dot_product_attention` takes two to three times as long for rows of 64 to 256 tokens,
backward above all. On GPUs, and for longer rows, whose products would fill memory, that kernel is taken.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

NAME = "replearn"
SHORT = 256  # tokens


def attention(
    query: Float[Tensor, "n h t d"], key: Float[Tensor, "n h t d"], value: Float[Tensor, "n h t d"]
) -> Float[Tensor, "n h t d"]:
    """What each place takes from all: softmax(q kᵀ / sqrt(d)) v."""
    if query.device.type != "cpu" or query.shape[2] > SHORT:
        return F.scaled_dot_product_attention(query, key, value)
    return _products(query, key, value, query.shape[-1] ** -0.5, None)


def use_short_attention(net: nn.Module) -> None:
    """Let a network of the library attend this way, causal or not."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)  # None where nothing but the future is hidden
    net.set_attn_implementation(NAME)  # type: ignore[operator]


def _attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **rest: Any
) -> tuple[Tensor, None]:
    """Attention as the library calls it: `(n, h, t, d)` in, `(n, t, h, d)` out."""
    t, k = query.shape[2], key.shape[2]
    if query.device.type != "cpu" or not t == k <= SHORT or rest.get("dropout"):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        found, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **rest)
        return found, None
    scale = rest.get("scaling") or query.shape[-1] ** -0.5
    hidden = None
    if attention_mask is not None or module.is_causal:
        hidden = _hidden(attention_mask, t, query).expand(len(query), query.shape[1], t, t)
    return _products(query, key, value, scale, hidden).transpose(1, 2).contiguous(), None


def _products(query: Tensor, key: Tensor, value: Tensor, scale: float, hidden: Tensor | None) -> Tensor:
    with torch.autocast("cpu", enabled=False):  # the softmax would be widened, for nothing
        rows, columns = query.flatten(0, 1), key.flatten(0, 1).transpose(1, 2)
        if hidden is None:
            scores = torch.bmm(rows * scale, columns)  # (n * h, t, t)
        else:
            scores = torch.baddbmm(hidden.flatten(0, 1), rows, columns, alpha=scale)  # (n * h, t, t)
        return (scores.softmax(-1) @ value.flatten(0, 1)).view(*query.shape[:3], -1)  # (n, h, t, d)


def _hidden(mask: Tensor | None, t: int, like: Tensor) -> Tensor:
    """What is added to scores: nothing where a token may look, else very little; `(t, t)` or `(n, 1, t, t)`."""
    if mask is not None and mask.is_floating_point():
        return mask.to(like.dtype)
    seen = torch.ones(t, t, dtype=torch.bool, device=like.device).tril() if mask is None else mask
    return torch.zeros_like(seen, dtype=like.dtype).masked_fill_(~seen, torch.finfo(like.dtype).min)
