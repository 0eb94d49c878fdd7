"""The linear autoencoder is PCA: the same subspace, the same error."""

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from replearn import Autoencoder, load_data


@pytest.fixture(scope="module")
def digits():
    return load_data("digits8x8", split="train")


def test_linear_code_spans_the_subspace_of_principal_components(digits):
    method = Autoencoder(
        encoder="linear",
        dim=4,
        epochs=250,
        batch_size=128,
        optimizer="sgd",
        learning_rate=1e-2,
        precision="32-true",
        device="cpu",
    ).fit(digits)
    x = digits.flat()
    pca = PCA(4).fit(x)
    # The code as a function of x is affine; its linear part is found by least squares, exactly.
    code = method.transform(digits)
    linear = np.linalg.lstsq(np.c_[x, np.ones(len(x))], code, rcond=None)[0][:-1]
    decoded = method.inverse_transform(np.r_[np.zeros((1, 4)), np.eye(4)].astype(np.float32)).reshape(5, -1)
    decoder = (decoded[1:] - decoded[0]).T
    assert np.degrees(subspace_angles(decoder, pca.components_.T)).max() < 1
    errors = [
        np.square(x - y).sum(1).mean()
        for y in (method.inverse_transform(code).reshape(len(x), -1), pca.inverse_transform(pca.transform(x)))
    ]
    assert errors[0] == pytest.approx(errors[1], rel=1e-3)
    assert linear.shape == (64, 4)


@pytest.mark.parametrize("encoder", ["linear", "mlp", "cnn"])
def test_reconstructions_come_near_the_samples(digits, encoder):
    method = Autoencoder(
        encoder=encoder, dim=16, epochs=30, batch_size=64, learning_rate=3e-3, device="cpu"
    ).fit(digits)
    x = digits.flat()
    error = np.square(x - method.inverse_transform(method.transform(digits)).reshape(x.shape)).sum()
    assert error < 0.4 * np.square(x - x.mean(0)).sum()


def test_a_code_that_could_copy_is_refused(digits):
    with pytest.raises(ValueError, match="between 1 and the 64 numbers"):
        Autoencoder(dim=64, batch_size=32).fit(digits)
