"""The bank of embeddings, and the constant that is estimated once."""

import pytest
import torch

from replearn.methods.state.bank import Bank, Constant


def test_a_bank_starts_with_random_unit_rows():
    torch.manual_seed(0)
    rows = Bank(500, 16)(torch.arange(500))
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(500))
    assert rows.mean(0).abs().max() < 0.05


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_rows_are_mixed_on_the_sphere(momentum):
    bank = Bank(5, 2)
    bank.stored[:] = torch.tensor([1.0, 0.0])
    bank.store(torch.tensor([3, 1]), torch.tensor([[0.0, 7.0], [2.0, 0.0]]), momentum=momentum)
    mixed = torch.tensor([momentum, 1 - momentum])
    torch.testing.assert_close(bank(torch.tensor([3]))[0], mixed / mixed.norm())
    assert bank(torch.tensor([0, 1, 2, 4])).tolist() == [[1.0, 0.0]] * 4


def test_what_was_read_does_not_change_when_more_is_stored():
    bank = Bank(5, 2)
    rows = bank(torch.tensor([2]))
    before = rows.clone()
    bank.store(torch.tensor([2]), torch.tensor([[5.0, 5.0]]), momentum=0.0)
    assert torch.equal(rows, before)
    assert not bank.stored.requires_grad


def test_a_constant_is_kept_through_a_restart():
    constant, other = Constant(), Constant()
    assert constant(torch.tensor(3.0)) == 3.0
    other.load_state_dict(constant.state_dict())
    assert other(torch.tensor(8.0)) == 3.0
