"""CMC: an encoder for each group of channels, and the join of what they say."""

import numpy as np
import pytest
import torch

import replearn
from replearn.objectives import info_nce
from replearn.views import Groups, MultiCrop, Same

PLAIN = {"encoder": "cnn", "batch_size": 8, "epochs": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def few():
    return replearn.load_data("digits", split="train").subset(np.arange(40))


def photos(channels):
    return np.random.default_rng(0).integers(0, 256, (16, channels, 8, 8), dtype=np.uint8)


def test_the_representation_is_the_join_of_the_groups(few):
    method = replearn.CMC(**PLAIN).fit(few)
    h = torch.from_numpy(method.transform(few))
    parts = Groups().parts(few[np.arange(40)])
    with torch.inference_mode():
        each = [encoder(part) for encoder, part in zip(method.encoders_, parts, strict=True)]
    torch.testing.assert_close(h, torch.cat(each, 1), rtol=0, atol=2e-2 * h.abs().max().item())  # bfloat16
    assert method.representation_dim == h.shape[1] == 256


@pytest.mark.parametrize(("channels", "groups"), [(3, [1, 2]), (1, [1, 1]), (5, [2, 3])])
def test_each_group_has_an_encoder_of_its_own(channels, groups):
    method = replearn.CMC(**PLAIN).fit(photos(channels))
    assert [len(encoder.mean) for encoder in method.encoders_] == groups
    assert method.transform(photos(channels)).shape == (16, 256)


def test_all_pairs_both_ways(few):
    views = MultiCrop(Same(), Same(), n_small=1, n_large=2)
    method = replearn.CMC(**PLAIN, views=views).prepare(few)
    batch = few[np.arange(8)]
    z = [head(encoder(batch)) for head, encoder in zip(method.heads_, method.encoders_, strict=True)]
    pairs = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    expected = sum(info_nce(z[i], z[j], temperature=method.temperature) for i, j in pairs)
    torch.testing.assert_close(method.loss(batch), expected)
    assert method.loss_at_collapse() == pytest.approx(6 * np.log(8))


def test_fewer_negatives(few):
    method = replearn.CMC(**PLAIN, negatives=3).prepare(few)
    for head in method.heads_:
        for weight in head.parameters():
            torch.nn.init.ones_(weight)  # collapse
    assert method.loss(few[np.arange(8)]).item() == pytest.approx(method.loss_at_collapse(), rel=1e-4)


def test_one_group_is_too_few(few):
    with pytest.raises(ValueError, match="2 groups or more; got 1"):
        replearn.CMC(**PLAIN, views=MultiCrop(Same(), Same(), n_small=0, n_large=1)).prepare(few)
