"""The number of negatives, apart from the batch: the draw, and what objectives make of it."""

from collections import Counter
from math import exp, log, sqrt

import pytest
import torch
from cases_contrast import cosine, slow_info_nce, slow_info_nce_queue
from cases_sphere import slow_uniformity
from jaxtyping import TypeCheckError

from replearn.objectives import info_nce, info_nce_queue, nt_xent, uniformity
from replearn.objectives.contrast import draw_negatives, negative_mask

N, M = 6, 11
REFUSED = (ValueError, TypeCheckError)  # the shape checks under pytest come first


def slow_nt_xent(a, b, keep, temperature):
    n, z, total = len(a), [*a, *b], 0.0
    for i in range(2 * n):
        partner = (i + n) % (2 * n)
        positive = exp(cosine(z[i], z[partner]) / temperature)
        others = [k for k in range(2 * n) if k not in (i, partner) and keep[i][k]]
        whole = positive + sum(exp(cosine(z[i], z[k]) / temperature) for k in others)
        total -= log(positive / whole)
    return total / (2 * n)


SLOW = {nt_xent: slow_nt_xent, info_nce: slow_info_nce, info_nce_queue: slow_info_nce_queue}


def made(objective):
    """Arguments of an objective, and what may be a negative in it."""
    torch.manual_seed(3)
    q, k, queue = (torch.randn(rows, 4, dtype=torch.float64) for rows in (N, N, M))
    if objective is nt_xent:
        return (q, k), negative_mask(q, k)
    if objective is info_nce:
        return (q, torch.cat([k, queue])), torch.cat(
            [negative_mask(k), torch.ones(N, M, dtype=torch.bool)], 1
        )
    return (q, k, queue), torch.ones(N, M, dtype=torch.bool)


@pytest.mark.parametrize("objective", SLOW)
def test_all_kept_is_the_full_loss(objective):
    args, candidates = made(objective)
    assert objective(*args, keep=candidates).item() == pytest.approx(objective(*args).item(), rel=1e-12)
    assert objective(*args, keep=draw_negatives(candidates, None)) == objective(*args, keep=candidates)


@pytest.mark.parametrize("number", [1, 4])
@pytest.mark.parametrize("objective", SLOW)
def test_kept_ones_are_those_of_the_mask(objective, number):
    args, candidates = made(objective)
    keep = draw_negatives(candidates, number)
    loss = objective(*args, temperature=0.3, keep=keep)
    slow = SLOW[objective](*(arg.tolist() for arg in args), keep=keep.tolist(), temperature=0.3)
    assert loss.item() == pytest.approx(slow, rel=1e-12)
    assert loss < objective(*args, temperature=0.3)


def test_rows_that_are_kept_repel_each_other_and_no_others():
    torch.manual_seed(3)
    z = torch.randn(N, 4, dtype=torch.float64, requires_grad=True)
    keep = negative_mask(z, content=torch.tensor([0, 1, 0, 2, 3, 1]))
    assert uniformity(z, scale=0.7, keep=keep).item() == pytest.approx(
        slow_uniformity(z.tolist(), 0.7, keep), rel=1e-12
    )
    assert torch.equal(uniformity(z, keep=negative_mask(z)), uniformity(z))
    assert torch.equal(uniformity(z.float(), keep=negative_mask(z)), uniformity(z.float()))
    assert torch.autograd.gradcheck(lambda rows: uniformity(rows, keep=keep), [z])
    nothing = uniformity(z, keep=torch.zeros(N, N, dtype=torch.bool))
    nothing.backward()
    assert nothing == 0
    assert (z.grad == 0).all()
    with pytest.raises(REFUSED, match="keep"):
        uniformity(z, keep=negative_mask(z, z))


@pytest.mark.parametrize("objective", SLOW)
def test_collapse_and_gradient_with_few(objective):
    args, candidates = made(objective)
    keep = draw_negatives(candidates, 3)
    assert objective(*map(torch.ones_like, args), keep=keep).item() == pytest.approx(log(4), rel=1e-12)
    args = [arg.requires_grad_() for arg in args]
    assert torch.autograd.gradcheck(lambda *rows: objective(*rows, keep=keep), args)


@pytest.mark.parametrize("objective", SLOW)
def test_partner_counts_and_a_view_itself_never_whatever_the_mask(objective):
    args, candidates = made(objective)
    torch.testing.assert_close(objective(*args, keep=torch.ones_like(candidates)), objective(*args))
    assert objective(*args, keep=torch.zeros_like(candidates)) == 0


@pytest.mark.parametrize("number", [1, 2, 7, 10])
def test_exactly_so_many_are_drawn_for_each_row(number):
    a = torch.zeros(6, 3)
    keep = draw_negatives(negative_mask(a, a), number)
    assert keep.sum(1).tolist() == [number] * 12
    assert not (keep & ~negative_mask(a, a)).any()


def test_rows_with_few_candidates_keep_those_that_they_have():
    candidates = torch.tensor([[True, True, True, True], [False, True, False, False], [False] * 4])
    assert draw_negatives(candidates, 2).sum(1).tolist() == [2, 1, 0]
    assert torch.equal(draw_negatives(candidates, 4), candidates)


def test_every_choice_is_drawn_equally_often():
    torch.manual_seed(0)
    draws, row = 12_000, torch.tensor([True, False, True, True, True])
    keep = draw_negatives(row.expand(draws, -1), 2)
    counts = Counter(tuple(kept.nonzero().flatten().tolist()) for kept in keep)
    assert set(counts) == {(0, 2), (0, 3), (0, 4), (2, 3), (2, 4), (3, 4)}
    deviation = sqrt(draws * (1 / 6) * (5 / 6))
    assert all(abs(count - draws / 6) < 5 * deviation for count in counts.values())


def test_the_draw_is_of_torchs_generator_and_apart_for_each_row():
    candidates = negative_mask(torch.zeros(64, 2))
    torch.manual_seed(5)
    first = draw_negatives(candidates, 20)
    assert not torch.equal(first, draw_negatives(candidates, 20))
    torch.manual_seed(5)
    assert torch.equal(first, draw_negatives(candidates, 20))
    assert len({tuple(kept) for kept in first.tolist()}) == 64


@pytest.mark.parametrize("number", [0, -1, 13])
def test_what_can_not_be_drawn_is_refused(number):
    with pytest.raises(ValueError, match=f"negatives must be from 1 to 12, .* got {number}. Use fewer"):
        draw_negatives(torch.ones(5, 12, dtype=torch.bool), number)


def test_a_mask_of_another_size_is_refused():
    z = torch.ones(4, 2)
    with pytest.raises(REFUSED, match=r"\(8, 8\); got \(4, 4\)|keep"):
        nt_xent(z, z, keep=negative_mask(z))
    with pytest.raises(REFUSED):
        info_nce(z, z, keep=negative_mask(z, z))


def test_views_of_different_lengths_are_refused():
    with pytest.raises(REFUSED):
        negative_mask(torch.ones(4, 2), torch.ones(3, 2))


def test_info_nce_takes_further_negatives_after_the_keys():
    (q, keys), _ = made(info_nce)
    torch.testing.assert_close(
        info_nce(q[:1], keys), info_nce_queue(q[:1], keys[:1], keys[1:], temperature=0.2)
    )


@pytest.mark.parametrize(
    ("objective", "sizes"),
    [
        (info_nce, [(1, 2), (1, 2)]),
        (info_nce, [(3, 2), (2, 2)]),
        (info_nce_queue, [(3, 2), (4, 2), (5, 2)]),
        (info_nce_queue, [(3, 2), (3, 2), (0, 2)]),
    ],
)
def test_what_does_not_pair_up_or_has_no_negatives_is_refused(objective, sizes):
    with pytest.raises(REFUSED):
        objective(*(torch.ones(size) for size in sizes))


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_temperatures_are_positive(temperature):
    z = torch.ones(3, 2)
    with pytest.raises(ValueError, match=f"> 0; got .*temperature {temperature}"):
        info_nce(z, z, temperature=temperature)
    with pytest.raises(ValueError, match=f"> 0; got .*temperature {temperature}"):
        info_nce_queue(z, z, z, temperature=temperature)
