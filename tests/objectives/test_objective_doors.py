"""Inputs that objectives refuse, and edges that they must handle."""

import pytest
import torch
from jaxtyping import TypeCheckError

from replearn.objectives import bernoulli_error, cross_entropy, nt_xent, squared_error

REFUSED = (ValueError, TypeCheckError)  # the shape checks under pytest come first


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_nt_xent_needs_a_positive_temperature(temperature: float) -> None:
    with pytest.raises(ValueError, match=r"temperature > 0; got \(3, 2\) and \(3, 2\), temperature"):
        nt_xent(torch.ones(3, 2), torch.ones(3, 2), temperature=temperature)


def test_nt_xent_needs_negatives() -> None:
    with pytest.raises(ValueError, match="at least 2 samples"):
        nt_xent(torch.ones(1, 2), torch.ones(1, 2))


def test_nt_xent_needs_pairs() -> None:
    with pytest.raises(REFUSED):
        nt_xent(torch.ones(3, 2), torch.ones(4, 2))


def test_nt_xent_is_small_when_pairs_agree_and_differ_from_the_rest() -> None:
    z = torch.eye(8)
    assert nt_xent(z, z, temperature=0.05) < 1e-6
    assert nt_xent(z, z.roll(1, 0), temperature=0.05) > 10


@pytest.mark.parametrize("objective", [squared_error, bernoulli_error])
def test_reconstructions_are_never_broadcast(objective) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(REFUSED):
        objective(torch.ones(3, 2), torch.ones(3, 1))
    with pytest.raises(ValueError, match="at least one sample"):
        objective(torch.ones(0, 2), torch.ones(0, 2))


@pytest.mark.parametrize("objective", [squared_error, bernoulli_error])
def test_numbers_of_a_sample_are_summed_whatever_its_shape(objective) -> None:  # type: ignore[no-untyped-def]
    x, y = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(objective(x, y), objective(x.flatten(1), y.flatten(1)))
    torch.testing.assert_close(objective(x.repeat(3, 1, 1, 1), y.repeat(3, 1, 1, 1)), objective(x, y))


def test_no_labelled_row_gives_zero_and_no_gradient() -> None:
    logits = torch.randn(3, 4, requires_grad=True)
    loss = cross_entropy(logits, torch.full((3,), -1), smoothing=0.1)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert logits.grad.abs().sum() == 0
    assert cross_entropy(torch.ones(0, 4), torch.ones(0, dtype=torch.long)).item() == 0


def test_unlabelled_rows_do_not_count() -> None:
    logits, labels = torch.randn(5, 4), torch.tensor([3, -1, 0, -1, 1])
    known = labels != -1
    torch.testing.assert_close(cross_entropy(logits, labels), cross_entropy(logits[known], labels[known]))


@pytest.mark.parametrize("label", [4, -2])
def test_labels_must_be_columns(label: int) -> None:
    with pytest.raises(ValueError, match=rf"labels from 0 to 3, or -1 where unknown.*got labels .*{label}"):
        cross_entropy(torch.ones(2, 4), torch.tensor([0, label]))


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_smoothing_is_a_part(smoothing: float) -> None:
    with pytest.raises(ValueError, match=r"smoothing in \[0, 1\)"):
        cross_entropy(torch.ones(2, 4), torch.tensor([0, 1]), smoothing=smoothing)
