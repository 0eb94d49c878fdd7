"""The transformer over patches, and reading some patches alone."""

import math

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from replearn.data import as_samples
from replearn.encoders import Encoder, PatchPredictor, ViT, make_encoder
from replearn.encoders.patching import chosen, grid_of, patchify, positions, side_for, unpatchify
from replearn.encoders.vit import Block
from replearn.engine.slices import in_slices


def images(n=4, shape=(3, 10, 14)):
    return as_samples(np.random.default_rng(0).integers(0, 255, (n, *shape), dtype=np.uint8))


def encoder(shape=(3, 10, 14), name=None, **sizes) -> Encoder:
    torch.manual_seed(0)
    return make_encoder(name or ViT(shape, side=4, width=24, depth=2, **sizes), images(shape=shape)).eval()


def batch(n=4, shape=(3, 10, 14)):
    return images(n, shape)[np.arange(n)]


NETS = {"vit": encoder, "timm": lambda: encoder(name="vit_tiny_patch16_224")}


@pytest.mark.parametrize("sizes", [(12,), (7, 9), (4, 5, 6)])
def test_patches_of_any_grid_are_put_together_again(sizes):
    x = torch.randn(2, 3, *sizes)
    patches = patchify(x, 4)
    assert patches.shape == (2, math.prod(grid_of(sizes, 4)), 3 * 4 ** len(sizes))
    assert torch.equal(unpatchify(patches, sizes, 4), x)


def test_a_patch_holds_its_own_pixels_and_zeros_behind_the_end():
    x = torch.randn(2, 3, 7, 9)
    patches = patchify(x, 4)
    second, last = x[:, :, :4, 4:8], torch.zeros(2, 3, 4, 4)
    last[:, :, :3, :1] = x[:, :, 4:, 8:]
    assert torch.equal(patches[:, 1], second.permute(0, 2, 3, 1).flatten(1))
    assert torch.equal(patches[:, -1], last.permute(0, 2, 3, 1).flatten(1))


def test_about_eight_patches_lie_along_a_side():
    assert [side_for((side, side)) for side in (8, 14, 28, 32, 64, 224)] == [1, 2, 4, 4, 8, 16]


def test_positions_are_those_of_the_formula():
    found = positions((3, 5), 12, torch.zeros((), dtype=torch.float64))
    for row in range(3):
        for column in range(5):
            expected = []
            for place in (row, column):
                angles = [place / 10_000 ** (i / 3) for i in range(3)]
                expected += [math.sin(angle) for angle in angles] + [math.cos(angle) for angle in angles]
            torch.testing.assert_close(found[row * 5 + column], torch.tensor(expected).double())
    assert positions((2, 2, 2), 20).shape == (8, 20)
    assert len(positions((7, 7), 64).unique(dim=0)) == 49


def test_attention_is_that_of_the_formula():
    block = Block(64).double()
    x = torch.randn(2, 5, 64, dtype=torch.float64)
    q, k, v = block.qkv(x).split(64, dim=2)
    expected = torch.zeros_like(x)
    for n in range(2):
        for head in (slice(0, 32), slice(32, 64)):
            for i in range(5):
                scores = torch.stack([q[n, i, head] @ k[n, j, head] / math.sqrt(32) for j in range(5)])
                expected[n, i, head] = sum(w * v[n, j, head] for j, w in enumerate(scores.softmax(0)))
    torch.testing.assert_close(block.attend(x), block.proj(expected))


@pytest.mark.parametrize("net", NETS)
def test_all_patches_kept_give_the_states_of_all_and_in_any_order(net):
    net, four = NETS[net](), batch()
    whole = net.read(four, "states")
    assert whole.shape == (4, math.prod(net.grid(four)), net.dim)
    torch.testing.assert_close(whole, net.tokens(four))
    order = torch.rand(whole.shape[:2]).argsort(1)
    torch.testing.assert_close(
        net.read(four, "states", keep=order), chosen(whole, order), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("net", NETS)
def test_hidden_pixels_reach_no_state(net):
    net, four = NETS[net](), batch()
    keep = torch.rand(4, math.prod(net.grid(four))).argsort(1)[:, :4]
    patches = net.patches(four)
    other = torch.randn_like(patches).scatter(1, keep[:, :, None].expand(-1, -1, patches.shape[2]), 0)
    seen = torch.zeros_like(patches).scatter(1, keep[:, :, None].expand(-1, -1, patches.shape[2]), 1)
    changed = four.with_x(net.assemble(torch.where(seen.bool(), patches, other), four))
    same = four.with_x(net.assemble(patches, four))
    assert not torch.equal(changed.x, same.x)
    a, b = (net.read(one, "states", keep=keep) for one in (same, changed))
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)  # pixels go to [0, 1] and back
    hidden = ~seen[:, :, 0].bool()
    a, b = (
        net.read(one, "states", hidden=hidden, token=torch.arange(net.dim) / 10) for one in (same, changed)
    )
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(
        a, net.read(same, "states", hidden=hidden, token=torch.zeros(net.dim)), atol=1e-2
    )


def test_the_work_falls_with_the_patches_that_are_hidden():
    net, four = encoder((3, 32, 32)), batch(shape=(3, 32, 32))

    def operations(kept):
        keep = torch.arange(kept).expand(4, kept)
        with FlopCounterMode(display=False) as counter:
            net.read(four, "states", keep=keep)
        return counter.get_total_flops()

    embedding = 2 * 4 * 64 * 48 * 24
    assert operations(16) - embedding < 0.25 * (operations(64) - embedding)


@pytest.mark.parametrize("chosen_by", ["keep", "hidden"])
def test_slices_give_the_gradient_of_the_whole_batch(chosen_by):
    net, six = encoder().double().train(), batch(6)
    token = torch.nn.Parameter(torch.randn(24, dtype=torch.float64))
    order = torch.rand(6, 12).argsort(1)
    how = {"keep": order[:, :5]} if chosen_by == "keep" else {"hidden": order < 5, "token": token}
    found = []
    for size in (None, 4):
        net.zero_grad()
        token.grad = None
        with in_slices(net, size):
            (net.read(six, "states", **how) ** 3).sum().backward()
        found.append([p.grad.clone() for p in (*net.parameters(), token) if p.grad is not None])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_predictions_of_places_follow_from_states_and_places_alone():
    torch.manual_seed(0)
    predictor = PatchPredictor(24, width=32, depth=2, out=7).double()
    states, order = torch.randn(3, 5, 24).double(), torch.rand(3, 12).argsort(1)
    seen, asked = order[:, :5], order[:, 5:9]
    where = positions((3, 4), 32, states).expand(3, -1, -1)
    told = predictor(states, seen, asked, where)
    assert told.shape == (3, 4, 7)
    turned = predictor(states.flip(1), seen.flip(1), asked.flip(1), where).flip(1)
    torch.testing.assert_close(turned, told)
    assert not torch.allclose(predictor(states, seen, order[:, 6:10], where), told)


@pytest.mark.parametrize("name", ["cnn", "mlp", "resnet18"])
def test_encoders_without_patches_say_so(name):
    with pytest.raises(ValueError, match=r"needs an encoder of patches, and .* has none\. Use vit") as error:
        encoder(name=name).patches(batch())
    assert len(str(error.value).splitlines()) == 1
    with pytest.raises(ValueError, match="needs an encoder of patches"):
        encoder(name=name).read(batch(), "states", keep=torch.zeros(4, 1, dtype=torch.int64))
