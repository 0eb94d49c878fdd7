"""SimCLR's ablations: depth of the head, the layer that is the representation, LARS, fewer negatives."""

from math import log

import numpy as np
import pytest
import torch

import replearn
from replearn.evaluate import knn_probe

QUICK = {"encoder": "cnn", "batch_size": 32, "hidden": 48, "dim": 24, "epochs": 1, "device": "cpu"}


def with_head(depth, **given):
    """A method whose head has so many layers, and only the widths that it reads."""
    idle = {0: ("hidden", "dim"), 1: ("hidden",)}.get(depth, ())
    return replearn.SimCLR(
        **{name: value for name, value in QUICK.items() if name not in idle}, depth=depth, **given
    )


@pytest.fixture(scope="module")
def digits():
    return replearn.load_data("digits", split="train").subset(np.arange(2000))


@pytest.fixture(scope="module")
def few(digits):
    return digits.subset(np.arange(96))


@pytest.mark.parametrize(
    ("depth", "layer", "dim"),
    [(0, 0, 128), (1, 0, 128), (1, 1, 24), (2, 1, 48), (2, 2, 24), (3, 0, 128), (3, 1, 48), (3, 3, 24)],
)
def test_the_representation_is_what_comes_out_of_a_layer(depth, layer, dim, few, tmp_path):
    method = with_head(depth, layer=layer, precision="32-true").fit(few)
    h = method.transform(few)
    assert h.shape == (96, dim)
    assert method.representation_dim == dim == len(method.get_feature_names_out())
    with torch.no_grad():
        expected = method.encoder_(few[np.arange(96)])
        linear = 0
        for module in method.head_:
            linear += isinstance(module, torch.nn.Linear)
            if linear > layer:
                break
            expected = module(expected)
    np.testing.assert_allclose(h, expected.numpy(), rtol=1e-4, atol=1e-5)
    method.save(tmp_path / "run")
    np.testing.assert_array_equal(replearn.load(tmp_path / "run").transform(few), h)


@pytest.mark.parametrize(("depth", "number"), [(0, 0), (1, 1), (2, 2), (3, 3)])
def test_depth_counts_linear_layers(depth, number, few):
    method = with_head(depth).prepare(few)
    assert sum(isinstance(module, torch.nn.Linear) for module in method.head_) == number


@pytest.mark.parametrize(("depth", "layer"), [(0, 1), (2, 3), (2, -1)])
def test_a_layer_that_there_is_not_is_refused(depth, layer, few):
    with pytest.raises(ValueError, match=f"layer must be from 0 to {depth}, .*; got {layer}. Use 0"):
        with_head(depth, layer=layer).prepare(few)


def test_without_a_head_the_loss_is_of_the_representation(few):
    method = with_head(0, precision="32-true").prepare(few)
    batch = few[np.arange(32)].part_of(32, start=0)
    torch.manual_seed(0)
    a, b = (method.encoder_(view) for view in method.views_(batch))
    torch.manual_seed(0)
    torch.testing.assert_close(method.loss(batch), replearn.objectives.nt_xent(a, b))


def test_fewer_negatives_lower_the_loss_and_all_of_them_leave_it(few):
    losses = []
    for negatives in (None, 62, 10):
        method = replearn.SimCLR(**QUICK, negatives=negatives, precision="32-true").prepare(few)
        torch.manual_seed(0)
        losses.append(method.loss(few[np.arange(32)].part_of(32, start=0)).item())
    full, same, fewer = losses
    assert same == full
    assert fewer < full - 0.5
    assert method.loss_at_collapse() == pytest.approx(log(11))


@pytest.mark.parametrize("negatives", [0, 65])
def test_negatives_that_a_batch_does_not_offer_are_refused(negatives, few):
    with pytest.raises(ValueError, match=f"negatives must be from 1 to 64, .*; got {negatives}. Use fewer"):
        replearn.SimCLR(**QUICK, negatives=negatives).fit(few)


@pytest.mark.all
def test_lars_learns(digits):
    settings = {"encoder": "cnn", "epochs": 5, "batch_size": 64, "temperature": 0.2, "device": "cpu"}
    method = replearn.SimCLR(**settings, optimizer="lars", learning_rate=5.0, weight_decay=1e-6)
    fit, probe = digits.subset(np.arange(1200)), digits.subset(np.arange(1200, 2000))

    def accuracy():
        return knn_probe(method.transform(fit), fit.labels, method.transform(probe), probe.labels)

    method.prepare(fit)
    untrained = accuracy()
    method.fit(fit)
    assert accuracy() > untrained + 0.1, untrained
