"""Each method learns: it beats the same networks untrained, by a margin that a broken loss can't reach."""

import numpy as np
import pytest
import torch

import replearn
from lanes import one_of_each
from replearn.evaluate import few_label_curve, knn_probe
from replearn.methods.contrastive import simclr
from replearn.views import Chain, Crop, Grid, Rotate, Shear

SETTINGS = {"encoder": "cnn", "batch_size": 128, "learning_rate": 3e-3, "device": "cpu"}
METHODS = {
    "simclr": (replearn.SimCLR(**SETTINGS, epochs=6, temperature=0.2), 0.12),
    "autoencoder": (replearn.Autoencoder(**SETTINGS | {"encoder": "mlp"}, epochs=20, dim=32), 0.12),
    "denoising": (
        replearn.DenoisingAutoencoder(**SETTINGS | {"encoder": "mlp"}, epochs=20, dim=32),
        0.12,
    ),
    "sparse": (replearn.SparseAutoencoder(**SETTINGS | {"encoder": "mlp"}, epochs=20), 0.05),
    "vae": (replearn.VAE(**SETTINGS | {"encoder": "mlp"}, epochs=20), 0.12),
    "beta_vae": (replearn.BetaVAE(**SETTINGS | {"encoder": "mlp"}, epochs=20, beta=2.0), 0.12),
    "beta_tcvae": (replearn.BetaTCVAE(**SETTINGS | {"encoder": "mlp"}, epochs=20, beta=2.0), 0.08),
    "factor_vae": (replearn.FactorVAE(**SETTINGS | {"encoder": "mlp"}, epochs=20), 0.1),
    "supervised": (replearn.Supervised(**SETTINGS, epochs=4), 0.12),
    "barlow_twins": (replearn.BarlowTwins(**SETTINGS, epochs=6, dim=1024), 0.1),
    "vicreg": (replearn.VICReg(**SETTINGS, epochs=6), 0.1),
    "ssl_hsic": (replearn.SSLHSIC(**SETTINGS, epochs=6), 0.12),
    "align_uniform": (replearn.AlignUniform(**SETTINGS, epochs=6), 0.12),
    "supcon": (replearn.SupCon(**SETTINGS, epochs=6), 0.1),
    "moco": (replearn.MoCo(**SETTINGS | {"batch_size": 64}, epochs=6, queue=512), 0.07),
    "moco_v3": (replearn.MoCoV3(**SETTINGS | {"batch_size": 64}, epochs=6), 0.07),
    "nnclr": (replearn.NNCLR(**SETTINGS | {"batch_size": 64}, epochs=6), 0.07),
    "byol": (replearn.BYOL(**SETTINGS | {"batch_size": 64}, epochs=6), 0.04),
    "simsiam": (replearn.SimSiam(**SETTINGS | {"batch_size": 64}, epochs=10), 0.1),
    "dino": (
        replearn.DINO(**SETTINGS | {"learning_rate": 5e-3}, epochs=6, prototypes=64, momentum=0.9),
        0.07,
    ),
    "swav": (replearn.SwAV(**SETTINGS, epochs=6, prototypes=64, queue=0), 0.07),
}
# On digits of 14 pixels: they see a sample more often, or in more parts.
LITTLE = {
    "instdisc": (replearn.InstDisc(**SETTINGS | {"batch_size": 64}, epochs=16), 0.06),
    "pirl": (replearn.PIRL(**SETTINGS | {"batch_size": 64, "learning_rate": 1e-3}, epochs=16), 0.05),
    "cmc": (replearn.CMC(**SETTINGS | {"batch_size": 64}, epochs=14), 0.04),
}


@pytest.fixture(scope="module")
def digits():
    train, test = (replearn.load_data("digits", split=part) for part in ("train", "test"))
    return train.subset(np.arange(2000)), test.subset(np.arange(1000))


def accuracy(method, digits):
    train, test = digits
    return knn_probe(method.transform(train), train.labels, method.transform(test), test.labels)


@pytest.fixture(scope="module")
def little(digits):
    whole = (replearn.load_data("digits", split=part) for part in ("train", "test"))
    x = (
        data[np.arange(len(part))].x.numpy()[:, :, ::2, ::2] for data, part in zip(whole, digits, strict=True)
    )
    return tuple(
        replearn.as_samples(np.ascontiguousarray(own), part.labels)
        for own, part in zip(x, digits, strict=True)
    )


@pytest.mark.all
def test_cpc_reads_labels_from_fewer_of_them(little):
    """Its parts, joined, tell digits apart by place alone: what it learns shows where labels are few."""
    train, test = little
    cut = Grid(3, 3, 0.5, Chain(Crop(0.6, 1.0), Rotate(15.0), Shear(20.0)))
    method = replearn.CPC(**SETTINGS | {"batch_size": 64}, epochs=8, views=cut)

    def by_few():
        parts = method.transform(train), train.labels, method.transform(test), test.labels
        return float(few_label_curve(*parts, fractions=(0.05,), draws=3)["mean"].iloc[0])

    method.prepare(train)
    untrained = by_few()
    method.fit(train)
    assert by_few() > untrained + 0.03
    assert method.history_.rows[-1]["loss"] < 0.4 * method.loss_at_collapse()


@pytest.mark.parametrize("name", one_of_each([*METHODS, *LITTLE], ["autoencoder"]))
def test_beats_its_untrained_encoder(name, digits, little):
    (method, margin), samples = (METHODS[name], digits) if name in METHODS else (LITTLE[name], little)
    untrained = accuracy(method.prepare(samples[0]), samples)
    trained = accuracy(method.fit(samples[0]), samples)
    assert trained > untrained + margin, (trained, untrained)
    assert method.history_.alarms == []


@pytest.mark.all
def test_the_margin_is_out_of_reach_for_a_broken_loss(digits, monkeypatch):
    method, margin = METHODS["simclr"]
    untrained = accuracy(method.prepare(digits[0]), digits)
    whole = simclr.nt_xent

    def with_strangers(a, b, **knobs):
        return whole(a, b[torch.randperm(len(b))], **knobs)

    monkeypatch.setattr(simclr, "nt_xent", with_strangers)
    assert accuracy(method.fit(digits[0]), digits) < untrained + margin
