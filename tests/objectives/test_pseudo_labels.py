"""Guesses that are taken for labels."""

import pytest
import torch

from replearn.objectives.classification import pseudo_labels


@pytest.mark.parametrize("threshold", [0.0, 0.4, 0.95])
def test_as_a_loop(threshold):
    logits = 3 * torch.randn(40, 5, dtype=torch.float64)
    expected = []
    for row in logits.tolist():
        weights = [2.718281828459045**value for value in row]
        best = max(range(5), key=row.__getitem__)
        expected.append(best if weights[best] / sum(weights) >= threshold else -1)
    assert pseudo_labels(logits, threshold=threshold).tolist() == expected
    assert threshold < 0.5 or -1 in expected


def test_no_gradient_passes():
    logits = torch.randn(4, 3, requires_grad=True)
    assert not pseudo_labels(logits).requires_grad


def test_a_threshold_is_a_probability():
    with pytest.raises(ValueError, match=r"threshold must lie in \[0, 1\]; got 1.5"):
        pseudo_labels(torch.zeros(1, 2), threshold=1.5)
