"""What each autoencoder promises beyond the contract: PCA's subspace, ties, sparse, contracted, denoised codes."""

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from lanes import one_of_each
from replearn import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
    as_samples,
    load,
    load_data,
)
from replearn.objectives import contraction
from replearn.views import FeatureDrop, Jitter, Masking, Noise, Pair, SaltAndPepper, Same, Swap

ALL = [Autoencoder, SparseAutoencoder, ContractiveAutoencoder, DenoisingAutoencoder]
QUICK = {"dim": 16, "batch_size": 64, "learning_rate": 3e-3, "precision": "32-true", "device": "cpu"}


@pytest.fixture(scope="module")
def digits():
    return load_data("digits8x8", split="train")


@pytest.fixture(scope="module")
def few(digits):
    return digits.subset(np.arange(800))


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(512, 3))
    x = np.tanh(hidden @ rng.normal(size=(3, 20))) * 50 + 7 + rng.normal(size=(512, 20))
    return as_samples(x.astype(np.float32))


def error(method, samples, target=None):
    """Squared distance of a sample and its reconstruction, mean over samples."""
    x = samples.flat()
    made = method.inverse_transform(method.transform(samples)).reshape(x.shape)
    return np.square(made - (x if target is None else target.flat())).sum(1).mean()


@pytest.mark.all
@pytest.mark.parametrize("tied", [False, True])
def test_linear_code_spans_the_subspace_of_principal_components(digits, tied):
    """3,000 steps of gradient descent with momentum, float32; Adam, or fewer steps, end several degrees away."""
    method = Autoencoder(
        encoder="linear",
        tied=tied,
        dim=4,
        epochs=250,
        batch_size=128,
        optimizer="sgd",
        learning_rate=1e-2 if not tied else 5e-3,
        precision="32-true",
        device="cpu",
    ).fit(digits)
    x = digits.flat()
    pca = PCA(4).fit(x)
    decoded = method.inverse_transform(np.r_[np.zeros((1, 4)), np.eye(4)].astype(np.float32)).reshape(5, -1)
    decoder = (decoded[1:] - decoded[0]).T
    assert np.degrees(subspace_angles(decoder, pca.components_.T)).max() < 1
    # The code as a function of x is affine: a residual of zero, and rows that span the same subspace.
    code, affine = method.transform(digits), np.c_[x, np.ones(len(x))]
    weights = np.linalg.lstsq(affine, code, rcond=None)[0]
    np.testing.assert_allclose(affine @ weights, code, atol=1e-3 * code.std())
    least = np.square(x - pca.inverse_transform(pca.transform(x))).sum(1).mean()
    assert error(method, digits) == pytest.approx(least, rel=1e-3)


@pytest.mark.parametrize("encoder", one_of_each(["linear", "mlp", "cnn", "conv"], ["linear"]))
def test_reconstructions_come_near_the_samples(few, encoder):
    method = Autoencoder(**QUICK, encoder=encoder, epochs=15).fit(few)
    assert error(method, few) < 0.6 * few.flat().var(0).sum()


@pytest.mark.all
@pytest.mark.parametrize("cls", one_of_each(ALL))
def test_a_table_in_its_own_units_is_reconstructed(cls, table):
    method = cls(**QUICK | {"dim": 8}, epochs=30).fit(table)
    assert error(method, table) < 0.5 * table.flat().var(0).sum()


def test_a_code_that_could_copy_is_refused_where_nothing_else_hinders_it(digits):
    with pytest.raises(ValueError, match="between 1 and the 63 numbers"):
        Autoencoder(dim=64, batch_size=32).fit(digits)
    for cls in (SparseAutoencoder, DenoisingAutoencoder, ContractiveAutoencoder):
        assert cls(dim=100, batch_size=32).prepare(digits).representation_dim == 100


@pytest.mark.all
@pytest.mark.parametrize("encoder", ["linear", "mlp"])
def test_tied_weights_are_the_encoders_own(few, encoder, tmp_path):
    tied = Autoencoder(**QUICK, encoder=encoder, tied=True, epochs=15).fit(few)
    matrices = [p for p in tied.decoder_.parameters() if p.ndim > 1]
    assert matrices == []
    assert error(tied, few) < 0.5 * few.flat().var(0).sum()
    tied.save(tmp_path / "run")
    code = tied.transform(few)
    np.testing.assert_array_equal(
        load(tmp_path / "run").inverse_transform(code), tied.inverse_transform(code)
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"encoder": "cnn"}, r"need an encoder that is linear or mlp; got CNN\. Use"),
        ({"encoder": "mlp", "decoder": "linear"}, "decoder must be auto where its weights are tied"),
    ],
)
def test_what_cannot_be_tied(digits, fields, says):
    with pytest.raises(ValueError, match=says) as raised:
        Autoencoder(**fields, tied=True, dim=4).prepare(digits)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.all
@pytest.mark.parametrize("penalty", ["kl", "l1"])
def test_sparse_codes_are_sparser_and_overcomplete(few, penalty):
    def sizes(weight):
        fields = QUICK | {"dim": 80, "encoder": "linear", "epochs": 15, "penalty": penalty}
        code = SparseAutoencoder(**fields, weight=weight).fit(few).transform(few)
        size = np.sqrt(np.square(code).mean(0) + 1e-12) if penalty == "l1" else 1.0
        return (code.mean(0) / size).mean()

    assert sizes(20.0) < 0.8 * sizes(0.0)


def test_mean_activations_come_near_their_target(few):
    fields = QUICK | {"dim": 80, "encoder": "linear", "epochs": 20}
    code = SparseAutoencoder(**fields, weight=30.0, activity=0.1).fit(few).transform(few)
    assert abs(np.median(code.mean(0)) - 0.1) < 0.03


def test_dead_units_are_noticed(few):
    fields = QUICK | {"dim": 80, "encoder": "linear", "epochs": 20}
    method = SparseAutoencoder(**fields, weight=3000.0, penalty="l1").fit(few)
    assert method.history_.rows[-1]["dead_units"] > 0.9
    assert any(alarm.kind == "dead units" for alarm in method.history_.alarms)
    healthy = SparseAutoencoder(**fields).fit(few)
    assert healthy.history_.alarms == []


def jacobian_of(method, samples):
    """The mean squared Frobenius norm, relative to the code's variance."""
    batch = samples[np.arange(200)]
    with torch.no_grad():
        x = method.encoder_.standardise(batch)
        spread = method.represent(batch).var(0).sum()

    def code(row):
        return method.code(method.encoder_.body(row[None]))[0]

    return float(contraction(torch.func.vmap(torch.func.jacrev(code))(x).flatten(2).detach()) / spread)


@pytest.mark.all
@pytest.mark.parametrize("encoder", ["auto", "mlp"])
def test_contraction_makes_the_code_change_less_for_its_spread(few, encoder):
    fields = QUICK | {"encoder": encoder, "epochs": 12, "learning_rate": 1e-2}
    free, held = (ContractiveAutoencoder(**fields, weight=weight).fit(few) for weight in (0.0, 10.0))
    assert jacobian_of(held, few) < 0.8 * jacobian_of(free, few)
    assert error(held, few) < 0.8 * few.flat().var(0).sum()


@pytest.mark.all
@pytest.mark.parametrize("view", [Masking(0.5), SaltAndPepper(0.3), Noise(0.4)], ids=repr)
def test_what_was_destroyed_is_put_back(digits, few, view):
    """The one that was trained to do so does it better than one that was trained on whole samples."""
    fields = QUICK | {"encoder": "linear", "decoder": "mlp", "epochs": 20, "dim": 32}
    torch.manual_seed(0)
    whole = digits.subset(np.arange(800, 1200))
    spoilt = as_samples(view(whole[np.arange(400)]).x.numpy())
    denoising = DenoisingAutoencoder(**fields, views=Pair(view, Same())).fit(few)
    plain = Autoencoder(**fields).fit(few)
    assert error(denoising, spoilt, whole) < 0.8 * error(plain, spoilt, whole)


def test_default_views_by_kind(digits, table):
    assert DenoisingAutoencoder().prepare(digits).views_ == Pair(Masking(0.25), Same())
    assert DenoisingAutoencoder().prepare(table).views_ == Pair(Swap(0.3), Same())
    for view in (Jitter(0.5), FeatureDrop(0.2)):
        method = DenoisingAutoencoder(**QUICK | {"dim": 8}, views=Pair(view, Same()), epochs=1).fit(table)
        assert method.transform(table).shape == (512, 8)


def test_views_that_destroy_nothing_are_noticed(digits):
    method = DenoisingAutoencoder(**QUICK, views=Pair(Same(), Same()), epochs=1, encoder="mlp").fit(digits)
    assert [alarm.kind for alarm in method.history_.alarms] == ["views"]


@pytest.mark.parametrize(
    ("cls", "fields", "says"),
    [
        (SparseAutoencoder, {"penalty": "l2"}, "penalty must be kl or l1; got 'l2'"),
        (SparseAutoencoder, {"weight": -1.0}, "weight must not be negative"),
        (SparseAutoencoder, {"activity": 1.0}, "activity must be a share"),
        (ContractiveAutoencoder, {"weight": -1.0}, "weight must not be negative"),
        (ContractiveAutoencoder, {"encoder": "mlp", "projections": 0}, "projections must be at least 1"),
        (Autoencoder, {"dim": 0}, "between 1 and .*; got 0"),
    ],
)
def test_bad_fields(cls, fields, says, digits):
    with pytest.raises(ValueError, match=says) as raised:
        cls().set_params(**fields).prepare(digits)
    assert len(str(raised.value).splitlines()) == 1
