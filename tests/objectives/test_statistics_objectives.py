"""Objectives over a batch's statistics: what leaves them as they are, their edges and what they refuse."""

import math

import pytest
import torch
from cases_kernel import slow_ssl_hsic
from cases_supcon import slow_supervised_contrast, views_and_labels
from jaxtyping import TypeCheckError
from torch import Tensor

from replearn import objectives
from replearn.objectives import (
    alignment,
    barlow_twins,
    nt_xent,
    ssl_hsic,
    supervised_contrast,
    uniformity,
    vicreg,
)
from replearn.objectives.contrast import draw_negatives
from replearn.objectives.supervised_contrast import same_class

REFUSED = (ValueError, TypeCheckError)  # the shape checks under pytest come first
PAIRS = (barlow_twins, vicreg, ssl_hsic)


def rows(n: int = 8, d: int = 4, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rotation(d: int = 4) -> Tensor:
    return torch.linalg.qr(rows(d, d, seed=5))[0]


def test_barlow_twins_knows_no_shift_and_no_scale_of_a_column() -> None:
    a, b, scale = rows(), rows(seed=1), torch.tensor([1.0, 0.1, 30.0, 7.0], dtype=torch.float64)
    torch.testing.assert_close(barlow_twins(a * scale + 3, b - 2), barlow_twins(a, b))
    assert abs(barlow_twins(-a, b) - barlow_twins(a, b)) > 0.1


@pytest.mark.parametrize("value", [0.1, 5.3, 1e4])
def test_barlow_twins_takes_the_rounding_of_a_constant_for_nothing(value: float) -> None:
    z = torch.full((100, 16), value).requires_grad_()
    loss = barlow_twins(z, z * 1.7)
    loss.backward()
    assert loss.item() == pytest.approx(16, rel=1e-2)
    assert z.grad is not None
    assert z.grad.isfinite().all()


def test_vicregs_variance_and_covariance_know_no_common_shift() -> None:
    a, b, shift = rows(), rows(seed=1), 5 * rows(1, seed=2)
    torch.testing.assert_close(vicreg(a + shift, b + shift), vicreg(a, b))
    torch.testing.assert_close(vicreg(a + shift, b, invariance=0.0), vicreg(a, b, invariance=0.0))


def test_vicreg_is_the_sum_of_its_weighted_parts() -> None:
    a, b = rows() / 3, rows(seed=1) / 3
    names = ("invariance", "variance", "covariance")
    parts = [vicreg(a, b, **dict.fromkeys(names, 0.0) | {name: 1.0}) for name in names]
    torch.testing.assert_close(vicreg(a, b), 25 * parts[0] + 25 * parts[1] + parts[2])
    assert all(part > 0 for part in parts)


@pytest.mark.parametrize("name", ["ssl_hsic", "alignment", "uniformity", "supervised_contrast"])
def test_a_rotation_and_the_length_of_rows_change_nothing(name: str) -> None:
    turn, long = rotation(), torch.rand(8, 1, dtype=torch.float64) + 1
    a, b, labels = rows(), rows(seed=1), torch.arange(8) // 2

    def value(turn: Tensor, long: Tensor) -> Tensor:
        u, v = (long * a) @ turn, b @ turn
        if name == "supervised_contrast":
            return supervised_contrast(torch.stack([u, v], 1), labels)
        return uniformity(u) if name == "uniformity" else getattr(objectives, name)(u, v)

    torch.testing.assert_close(value(turn, long), value(torch.eye(4).double(), torch.ones(8, 1).double()))


@pytest.mark.parametrize("objective", [*PAIRS, alignment])
def test_gradients_are_finite_where_all_rows_are_equal(objective) -> None:  # type: ignore[no-untyped-def]
    for a in (torch.ones(6, 3), torch.full((6, 3), 0.3)):
        a.requires_grad_()
        objective(a, a).backward()
        assert a.grad.isfinite().all()
        assert a.grad.abs().max() < 1e3


def test_ssl_hsic_of_a_wide_kernel_is_that_of_nearly_linear_ones() -> None:
    a, b = rows(3), rows(3, seed=1)
    for scale in (0.2, 20.0):
        expected = slow_ssl_hsic(a.tolist(), b.tolist(), scale=scale)
        assert ssl_hsic(a, b, scale=scale).item() == pytest.approx(expected, rel=1e-9)


def test_ssl_hsic_is_least_for_views_that_agree() -> None:
    z = torch.eye(8)
    assert ssl_hsic(z, z) < ssl_hsic(z, z.roll(1, 0)) - 0.3


def test_without_labels_supervised_contrast_is_simclrs() -> None:
    a, b = rows(), rows(seed=1)
    z, unknown = torch.stack([a, b], 1), torch.full((8,), -1)
    for temperature in (0.1, 0.5):
        loss = supervised_contrast(z, unknown, temperature=temperature).item()
        assert loss == pytest.approx(nt_xent(a, b, temperature=temperature).item(), rel=1e-12)
        assert supervised_contrast(z, torch.arange(8), temperature=temperature).item() == loss
    keep = draw_negatives(~same_class(unknown, 2), 5)
    torch.testing.assert_close(
        supervised_contrast(z, unknown, temperature=0.5, keep=keep), nt_xent(a, b, keep=keep)
    )


def test_kept_negatives_are_those_of_the_slow_loop() -> None:
    z, labels = views_and_labels(8, torch.Generator().manual_seed(0))
    keep = draw_negatives(~same_class(labels, 2), 3)
    expected = slow_supervised_contrast(z.tolist(), labels.tolist(), keep=keep)
    assert supervised_contrast(z, labels, keep=keep).item() == pytest.approx(expected, rel=1e-12)
    nothing = torch.zeros_like(keep)
    expected = slow_supervised_contrast(z.tolist(), labels.tolist(), keep=nothing)
    assert supervised_contrast(z, labels, keep=nothing).item() == pytest.approx(expected, rel=1e-12)


def test_a_class_that_lies_together_is_cheap() -> None:
    labels = torch.arange(8) % 2
    z = torch.eye(2)[labels][:, None].expand(8, 2, 2)
    assert supervised_contrast(z, labels).item() == pytest.approx(math.log(7), abs=1e-3)  # of its 7 fellows
    assert supervised_contrast(z, labels.roll(4).sort().values) > 4


def test_uniformity_of_dead_rows_is_that_of_collapse() -> None:
    assert uniformity(torch.zeros(4, 3)).item() == 0
    assert ssl_hsic(torch.zeros(4, 3), torch.zeros(4, 3)).item() == 0


@pytest.mark.parametrize("objective", PAIRS)
def test_pairs_of_two_samples_are_needed(objective) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="at least 2 samples"):
        objective(torch.ones(1, 3), torch.ones(1, 3))
    with pytest.raises(REFUSED):
        objective(torch.ones(3, 3), torch.ones(4, 3))


def test_what_else_is_refused() -> None:
    z, labels = torch.ones(4, 2, 3), torch.zeros(4, dtype=torch.long)
    with pytest.raises(ValueError, match=r"at least one sample and power >= 1.*power 0.5"):
        alignment(z[:, 0], z[:, 1], power=0.5)
    with pytest.raises(ValueError, match="at least 2 samples"):
        uniformity(torch.ones(1, 3))
    with pytest.raises(ValueError, match=r"scale > 0; got .* scale 0"):
        uniformity(z[:, 0], scale=0.0)
    with pytest.raises(ValueError, match=r"scale > 0; got .* scale -1"):
        ssl_hsic(z[:, 0], z[:, 1], scale=-1.0)
    with pytest.raises(ValueError, match=r"at least 2 views .* got \(4, 1, 3\), 4 labels"):
        supervised_contrast(z[:, :1], labels)
    with pytest.raises(ValueError, match=r"temperature > 0.* temperature 0"):
        supervised_contrast(z, labels, temperature=0.0)
    with pytest.raises(ValueError, match=r"every two views, \(8, 8\); got \(4, 4\)"):
        supervised_contrast(z, labels, keep=torch.ones(4, 4, dtype=torch.bool))
    with pytest.raises(REFUSED):
        supervised_contrast(z, labels[:3])
