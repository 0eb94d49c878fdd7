"""Views made of views, and splits."""

import pytest
import torch

from replearn.views import (
    Chain,
    Colour,
    Crop,
    Flip,
    Grey,
    Maybe,
    MultiCrop,
    Noise,
    Pair,
    Resize,
    Rotate,
    Same,
)
from replearn.views import compose as compose_module
from replearn.views.compose import check_view


def test_chain_resamples_and_recolours_once_for_neighbours(make_batch, monkeypatch):
    calls = []
    for name in ("geometry", "colour"):
        fused = compose_module._FUSED[name]

        def count(batch, views, name=name, fused=fused):
            calls.append((name, len(views)))
            return fused(batch, views)

        monkeypatch.setitem(compose_module._FUSED, name, count)
    chain = Chain(Crop(), Chain(Flip(), Rotate()), Colour(), Grey(), Noise(), Flip())
    chain(make_batch(3, 3, 8, 8))
    assert calls == [("geometry", 3), ("colour", 2), ("geometry", 1)]


def test_chains_are_laid_flat():
    assert Chain(Chain(Flip(), Chain(Grey())), Noise()) == Chain(Flip(), Grey(), Noise())


def test_same_and_an_empty_chain_only_make_floats(make_batch):
    batch = make_batch(3, 1, 4, 4, bytes_=True)
    for view in (Same(), Chain()):
        torch.testing.assert_close(view(batch).x, batch.x / 255)


def test_pair_draws_apart_and_takes_another_view(make_batch):
    batch = make_batch(8, 3, 8, 8)
    a, b = Pair(Crop(0.2, 0.5))(batch)
    assert (a.x != b.x).flatten(1).any(1).all()
    a, b = Pair(Crop(0.2, 0.5), Same())(batch)
    assert torch.equal(b.x, batch.x)
    assert not torch.equal(a.x, batch.x)


def test_multi_crop_gives_large_then_small_views(make_batch):
    seen = MultiCrop(Crop(0.5, 1.0), Crop(0.1, 0.5, size=5), 3)(make_batch(4, 3, 12, 10))
    assert [tuple(view.x.shape[2:]) for view in seen] == [(12, 10)] * 2 + [(5, 5)] * 3
    assert not torch.equal(seen[0].x, seen[1].x)
    assert not torch.equal(seen[2].x, seen[3].x)


def test_maybe_keeps_some_samples_as_they_are(make_batch):
    batch = make_batch(800, 1, 2, 2)
    kept = (Maybe(Noise(0.5), 0.25)(batch).x == batch.x).flatten(1).all(1).float().mean()
    assert abs(kept - 0.75) < 0.06


def test_maybe_must_keep_the_shape(make_batch):
    with pytest.raises(ValueError, match=r"must keep the shape of samples; Resize\(size=3\) made"):
        Maybe(Resize(3))(make_batch(2, 1, 8, 8))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: check_view(Flip, "Chain"), r"Chain is made of views, such as Flip\(\); got <class"),
        (lambda: check_view(Pair(Flip()), "Chain"), "Chain is made of views"),
        (lambda: Maybe(Flip(), 1.5), "probability of Maybe"),
        (
            lambda: MultiCrop(Flip(), Flip(), -1),
            "n_small of MultiCrop must be a whole number, at least 0; got -1",
        ),
        (lambda: MultiCrop(Flip(), Flip(), 1, 0), "n_large of MultiCrop"),
    ],
)
def test_bad_fields(make, message):
    with pytest.raises(ValueError, match=message):
        make()
