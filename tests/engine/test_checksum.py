"""The checksum of tensors, whatever their strides and sizes."""

import pytest
import torch

from replearn.engine.run import checksum


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(3, 0),
        torch.zeros(0, 3).T,
        torch.zeros(1).expand(4),
        torch.zeros(1, 9)[:, ::9],
        torch.arange(6.0).reshape(2, 3).T,
        torch.tensor(2.0),
        torch.zeros(1, 2)[:, 1:],
    ],
)
def test_a_checksum_depends_on_the_numbers_and_not_on_strides(tensor):
    copied = torch.tensor(tensor.tolist()).reshape(tensor.shape)
    assert checksum({"a": tensor}) == checksum({"a": copied})
