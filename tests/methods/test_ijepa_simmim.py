"""I-JEPA and SimMIM: what their papers ask for."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from made_methods import few_images
from replearn import IJEPA, SimMIM
from replearn.encoders import ViT
from replearn.encoders.patching import chosen, positions
from replearn.views.blocks import draw_blocks

NET = ViT((1, 14, 14), width=32, depth=2)


def batch(n=8):
    return few_images()[np.arange(n)].floats()


def made(cls, **fields):
    method = cls(epochs=1, batch_size=32, encoder=NET, **fields).prepare(few_images())
    for module in method.modules().values():
        module.double().train()
    return method


def with_noise(method, eight, places):
    patches = method.encoder_.patches(eight)
    noise = torch.rand(*places.shape, patches.shape[2], dtype=patches.dtype)
    changed = patches.scatter(1, places[:, :, None].expand_as(noise), noise)
    return eight.with_x(method.encoder_.assemble(changed, eight))


def test_simmim_is_the_absolute_error_of_hidden_patches_alone():
    simmim, eight = made(SimMIM), batch()
    torch.manual_seed(1)
    view = simmim.view(eight)
    keep, hidden = simmim.hide(view)
    assert hidden.shape[1] == round(0.6 * 49)
    told = simmim.predict(view, keep, hidden).detach().tolist()
    target = chosen(simmim.encoder_.patches(view), hidden).tolist()
    errors = [
        abs(x - y)
        for a, b in zip(told, target, strict=True)
        for p, q in zip(a, b, strict=True)
        for x, y in zip(p, q, strict=True)
    ]
    torch.manual_seed(1)
    assert simmim.loss(eight).item() == pytest.approx(sum(errors) / len(errors), rel=1e-9)


def test_simmim_sees_no_hidden_pixel_and_one_linear_layer_tells():
    simmim, eight = made(SimMIM), batch()
    keep, hidden = simmim.hide(eight)
    with torch.no_grad():
        first, again, other = (
            simmim.predict(with_noise(simmim, eight, places), keep, hidden)
            for places in (hidden, hidden, keep)
        )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert isinstance(simmim.decoder_, torch.nn.Linear)
    simmim.loss(eight).backward()
    assert simmim.token_.weight.grad.abs().sum() > 0


def test_ijepa_tells_the_teachers_states_of_blocks_from_the_context_alone():
    ijepa, eight = made(IJEPA), batch()
    torch.manual_seed(1)
    view = ijepa.view(eight)
    blocks = draw_blocks(view, (7, 7))
    states = ijepa.encoder_.read(view, "states", keep=blocks.context)
    everything = ijepa.teacher_.chain[0].read(view, "states")
    where = positions((7, 7), 96, states).expand(8, -1, -1)
    total, count = 0.0, 0
    for b in range(4):
        told = ijepa.predictor_(states, blocks.context, blocks.targets[:, b], where).detach()
        for n in range(8):
            for place, row in zip(blocks.targets[n, b], told[n], strict=True):
                state = everything[n, place]
                target = (state - state.mean()) / (state.var(correction=0) + 1e-5).sqrt()
                far = (row - target).abs()
                total += float(torch.where(far < 1, far.square() / 2, far - 0.5).sum())
                count += len(row)
    torch.manual_seed(1)
    assert ijepa.loss(eight).item() == pytest.approx(total / count, rel=1e-9)


def test_ijepas_context_knows_no_pixel_of_the_targets():
    ijepa, eight = made(IJEPA), batch()
    blocks = draw_blocks(eight, (7, 7))
    first, again = (
        ijepa.encoder_.read(
            with_noise(ijepa, eight, blocks.targets.flatten(1)), "states", keep=blocks.context
        )
        for _ in range(2)
    )
    assert torch.equal(first, again)


def test_no_gradient_reaches_the_teacher_which_follows():
    ijepa, eight = made(IJEPA, momentum=0.5), batch()
    ijepa.loss(eight).backward()
    assert all(p.grad is None and not p.requires_grad for p in ijepa.teacher_.parameters())
    assert all(p.grad is not None for p in ijepa.encoder_.parameters())
    with torch.no_grad():
        ijepa.encoder_.body.embed.bias.fill_(1.0)
    ijepa.after_step(0.0)
    torch.testing.assert_close(ijepa.teacher_.chain[0].body.embed.bias, torch.full((32,), 0.5).double())
    with torch.no_grad():
        layers = [F.normalize(h, dim=1) for h in ijepa.teacher_.chain[0].layers(eight)]
        torch.testing.assert_close(ijepa.represent(eight), torch.cat(layers, dim=1))


def test_collapsed_targets_are_told_of():
    ijepa, eight = made(IJEPA), batch()
    assert ijepa.measures(eight)["target_spread"] > 0.1
    with torch.no_grad():
        ijepa.teacher_.chain[0].body.embed.weight.zero_()
    assert ijepa.measures(eight)["target_spread"] < 1e-6
