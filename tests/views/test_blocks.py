"""Blocks of patches: how large they are, where they lie, and that the context knows nothing of what is told."""

import pytest
import torch

from replearn.data.samples import Batch
from replearn.views.blocks import draw_blocks


def batch(n=6):
    return Batch(None, labels=torch.full((n,), -1), index=torch.arange(n))


@pytest.mark.parametrize("grid", [(7, 7), (14, 14), (5, 9), (12,), (4, 5, 6)])
def test_no_patch_that_is_told_is_in_the_context(grid):
    torch.manual_seed(0)
    patches = torch.Size(grid).numel()
    for _ in range(20):
        blocks = draw_blocks(batch(), grid)
        assert len(blocks.context) == len(blocks.targets) == 6
        assert blocks.targets.shape[1] == 4
        for seen, told in zip(blocks.context, blocks.targets, strict=True):
            assert len(seen.unique()) == len(seen) >= 1
            assert all(len(block.unique()) == len(block) for block in told)
            assert not {*seen.tolist()} & {*told.flatten().tolist()}
            assert max(*seen.tolist(), *told.flatten().tolist()) < patches


def test_blocks_are_as_large_and_as_long_as_the_paper_says_and_lie_everywhere():
    torch.manual_seed(0)
    covered, sizes, large = torch.zeros(20, 20), set(), []
    for _ in range(60):
        blocks = draw_blocks(batch(), (20, 20))
        sizes.add(blocks.targets.shape[2])
        large.append(draw_blocks(batch(), (20, 20), number=1).context.shape[1])
        for block in blocks.targets.flatten(0, 1):
            rows, columns = (block // 20).unique(), (block % 20).unique()
            assert len(rows) * len(columns) == len(block)  # a rectangle
            assert torch.equal(rows, torch.arange(int(rows[0]), int(rows[-1]) + 1))
            assert 0.6 < len(rows) / len(columns) < 1.7
            covered.view(-1)[block] += 1
    assert min(sizes) > 0.13 * 400
    assert max(sizes) < 0.22 * 400
    assert len(sizes) > 5
    assert covered.min() > 0
    assert 0.6 * 400 < sum(large) / len(large) < 0.85 * 400


def test_parts_of_a_batch_see_what_the_whole_sees():
    torch.manual_seed(2)
    whole = draw_blocks(batch(), (7, 7))
    for start, stop in ((0, 2), (2, 6)):
        torch.manual_seed(2)
        part = draw_blocks(_part(start, stop), (7, 7))
        assert torch.equal(part.context, whole.context[start:stop])
        assert torch.equal(part.targets, whole.targets[start:stop])


def _part(start, stop):
    rows = torch.arange(start, stop)
    return Batch(None, labels=torch.full_like(rows, -1), index=rows, start=start, total=6)


def test_of_a_grid_that_blocks_cover_something_is_seen():
    for _ in range(20):
        blocks = draw_blocks(batch(), (2, 2))
        assert blocks.context.shape[1] >= 1
        assert draw_blocks(batch(), (1, 1)).context.shape == (6, 1)
