"""Views of tables."""

import pytest
import torch

from replearn.data.samples import Batch
from replearn.views import FeatureDrop, Jitter, Swap


def test_jitter_has_its_standard_deviation(make_batch):
    batch = make_batch(4000, 5)
    added = Jitter(0.3)(batch).x - batch.x
    torch.testing.assert_close(added.std(0), torch.full((5,), 0.3), rtol=0.05, atol=0)
    assert added.mean().abs() < 0.01


def test_feature_drop_sets_some_features_to_zero(make_batch):
    batch = make_batch(4000, 5)
    seen = FeatureDrop(0.3)(batch).x
    dropped = seen == 0
    assert abs(dropped.float().mean() - 0.3) < 0.02
    assert torch.equal(seen[~dropped], batch.x[~dropped])
    # Features are dropped apart: neither whole rows nor whole columns.
    assert abs((dropped[:, 0] & dropped[:, 1]).float().mean() - 0.09) < 0.02


def test_swap_takes_values_of_the_same_feature_from_rows_drawn_apart(make_batch):
    table = torch.arange(400.0)[:, None] + 1000 * torch.arange(6.0)
    batch = Batch(table, torch.zeros(400, dtype=torch.long), torch.arange(400))
    seen = Swap(0.4)(batch).x
    assert torch.equal(seen // 1000, table // 1000)
    donor = seen % 1000
    swapped = donor != torch.arange(400.0)[:, None]
    assert abs(swapped.float().mean() - 0.4) < 0.04
    assert len(donor[swapped].unique()) > 300
    rows = swapped.sum(1) >= 2
    assert any(len(d[s].unique()) > 1 for d, s in zip(donor[rows], swapped[rows], strict=True))


def test_swap_of_a_part_replaces_the_features_that_the_whole_replaces(make_batch):
    whole = make_batch(10, 6)
    torch.manual_seed(0)
    mask = Swap(0.5)(whole).x != whole.x
    part = Batch(whole.x[4:], whole.labels[4:], whole.index[4:], start=4, total=10)
    torch.manual_seed(0)
    seen = Swap(0.5)(part).x != part.x
    # A value may be replaced by itself, so either mask may lack a little.
    assert (seen == mask[4:]).float().mean() > 0.75


def test_swap_of_one_row_is_that_row(make_batch):
    batch = make_batch(1, 6)
    assert torch.equal(Swap(1.0)(batch).x, batch.x)


@pytest.mark.parametrize("make", [lambda: Jitter(-1.0), lambda: FeatureDrop(1.5), lambda: Swap(-0.5)])
def test_bad_fields(make):
    with pytest.raises(ValueError, match=r"(std|probability) of (Jitter|FeatureDrop|Swap)"):
        make()
