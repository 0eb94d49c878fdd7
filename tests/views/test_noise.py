"""Views that destroy a part of an image."""

import pytest
import torch

from replearn.views import Masking, SaltAndPepper


def test_masking_blackens_whole_pixels_at_its_rate(make_batch):
    batch = make_batch(50, 3, 20, 20)
    seen = Masking(0.3)(batch).x
    hidden = (seen == 0).all(1)  # (n, h, w)
    assert abs(hidden.float().mean() - 0.3) < 0.01
    kept = ~hidden[:, None].expand_as(seen)
    assert torch.equal(seen[kept], batch.x[kept])


def test_salt_and_pepper_is_half_white_half_black(make_batch):
    batch = make_batch(50, 3, 20, 20)
    seen = SaltAndPepper(0.4)(batch).x
    changed = (seen != batch.x).any(1)
    assert abs(changed.float().mean() - 0.4) < 0.01
    values = seen.transpose(0, 1)[:, changed]  # (c, k)
    assert set(values.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(values.amin(0), values.amax(0))  # alike in all channels
    assert abs(values.mean() - 0.5) < 0.02


@pytest.mark.parametrize("view", [Masking, SaltAndPepper])
def test_none_and_all(view, make_batch):
    batch = make_batch(4, 1, 6, 6)
    assert torch.equal(view(0.0)(batch).x, batch.x)
    assert set(view(1.0)(batch).x.unique().tolist()) <= {0.0, 1.0}
    with pytest.raises(ValueError, match="is a probability, from 0 to 1"):
        view(1.5)
