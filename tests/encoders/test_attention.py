"""Attention of the class token: what the last block computes, and the encoder left as it was."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from replearn.data.samples import Batch
from replearn.encoders import Encoder, make_encoder
from replearn.encoders.attention import attention_maps


def images(height: int, width: int, n: int = 2) -> Batch:
    x = torch.rand(n, 1, height, width, generator=torch.Generator().manual_seed(0))
    return Batch(x=x, labels=torch.full((n,), -1), index=torch.arange(n))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    samples = SimpleNamespace(kind="image", shape=(1, 28, 28), statistics=(torch.zeros(1), torch.ones(1)))
    return make_encoder("vit_tiny_patch16_224", samples)


def test_maps_are_softmax_of_queries_and_keys(encoder: Encoder) -> None:
    inputs = []
    block = encoder.body.net.blocks[-1]
    hook = block.attn.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    maps = attention_maps(encoder, images(28, 28))
    hook.remove()
    n, t, dim = inputs[0].shape
    heads = block.attn.num_heads
    query, key, _ = block.attn.qkv(inputs[0]).view(n, t, 3, heads, dim // heads).unbind(2)
    scores = torch.einsum("nhd,nkhd->nhk", query[:, 0], key) / (dim // heads) ** 0.5
    expected = scores.softmax(2)[:, :, 1:].view(n, heads, 7, 7)
    torch.testing.assert_close(maps, expected.detach())
    assert not maps.requires_grad
    assert (maps.sum((2, 3)) < 1).all()


@pytest.mark.parametrize(("size", "patches"), [((16, 16), (4, 4)), ((28, 14), (7, 4))])
def test_maps_of_crops_have_their_patches(encoder: Encoder, size: tuple, patches: tuple) -> None:
    assert attention_maps(encoder, images(*size)).shape == (2, 3, *patches)


def test_the_encoder_is_left_as_it_was(encoder: Encoder) -> None:
    encoder.train()
    encoder.body.net.blocks[0].eval()
    modes = [layer.training for layer in encoder.modules()]
    layer = encoder.body.net.blocks[-1].attn
    for fused in (True, False):
        layer.fused_attn = fused
        attention_maps(encoder, images(28, 28))
        assert layer.fused_attn is fused
    with pytest.raises(RuntimeError):
        attention_maps(encoder, images(28, 28).with_x(torch.rand(2, 5, 28, 28)))
    assert layer.fused_attn is False
    assert not layer.attn_drop._forward_hooks
    assert not encoder.body.net.patch_embed._forward_hooks
    assert [part.training for part in encoder.modules()] == modes


def test_other_encoders_are_refused_in_one_line() -> None:
    other = Encoder(nn.Flatten(), dim=4, mean=torch.zeros(1), std=torch.ones(1))
    with pytest.raises(
        ValueError, match=r"vision transformer with a class token; got .* Use vit_tiny"
    ) as error:
        attention_maps(other, images(2, 2))
    assert len(str(error.value).splitlines()) == 1
