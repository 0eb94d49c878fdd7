"""scikit-learn's classes as methods: codes, ways back, run folders; what must hold between them."""

import numpy as np
import pytest
from sklearn import cluster
from sklearn.linear_model import LogisticRegression

import replearn
from made_methods import small
from replearn.methods import Model, registry
from replearn.methods.arrays import save_arrays
from replearn.methods.classical import PCA, FastICA, KMeans, MiniBatchKMeans

CLASSES = [
    entry.cls
    for entry in registry().values()
    if not issubclass(entry.cls, Model) and entry.family == "classical" and hasattr(entry.cls, "transform")
]


@pytest.fixture(scope="module")
def digits():
    return replearn.load_data("digits8x8", split="train").subset(np.arange(300))


@pytest.mark.parametrize("cls", CLASSES)
def test_a_run_gives_back_the_codes_and_the_way_back(cls, digits, tmp_path):
    x = digits.flat()
    method = small(cls).fit(x)
    again = replearn.load(save_arrays(method, digits, tmp_path / "run"))
    assert type(again) is cls
    codes = method.transform(x)
    assert codes.shape == (300, 6)
    np.testing.assert_allclose(again.transform(x), codes, atol=1e-5)
    for name in {"predict", "inverse_transform"} & set(dir(cls)):
        given = x if name == "predict" else codes
        np.testing.assert_allclose(getattr(again, name)(given), getattr(method, name)(given), atol=1e-5)


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if hasattr(cls, "inverse_transform")])
def test_a_code_of_six_numbers_keeps_something_of_a_digit(cls, digits):
    x = digits.flat()
    method = small(cls).fit(x)
    error = np.square(method.inverse_transform(method.transform(x)) - x).sum(axis=1).mean()
    assert error < 0.8 * np.square(x - x.mean(axis=0)).sum(axis=1).mean()


def test_another_class_of_the_same_name_is_not_stored_as_ours(digits, tmp_path):
    plain = cluster.KMeans(3, random_state=0).fit(digits.flat())
    with pytest.raises(ValueError, match="must be replearn's"):
        save_arrays(plain, digits, tmp_path / "run")


@pytest.mark.parametrize("cls", [KMeans, MiniBatchKMeans])
def test_the_inertia_is_the_squared_error_of_the_one_hot_autoencoder(cls, digits):
    x = digits.flat().astype(np.float64)
    method = cls(10, random_state=0).fit(x)
    code = method.transform(x)
    assert set(np.unique(code)) == {0.0, 1.0}
    np.testing.assert_array_equal(code.sum(axis=1), 1)
    np.testing.assert_array_equal(code.argmax(axis=1), method.labels_)
    assert np.square(method.inverse_transform(code) - x).sum() == pytest.approx(method.inertia_, rel=1e-12)


def test_no_other_code_of_one_centre_has_a_smaller_error(digits):
    x = digits.flat()
    method = KMeans(10, random_state=0).fit(x)
    code = method.transform(x)
    best = np.square(method.inverse_transform(code) - x).sum(axis=1)
    other = np.square(method.inverse_transform(np.roll(code, 1, axis=1)) - x).sum(axis=1)
    assert (best <= other).all()


def test_codes_of_k_means(digits):
    x = digits.flat()
    plain = cluster.KMeans(10, random_state=0).fit(x)
    distance, soft = (KMeans(10, code=code, random_state=0).fit(x) for code in ("distance", "soft"))
    np.testing.assert_array_equal(distance.cluster_centers_, plain.cluster_centers_)
    np.testing.assert_array_equal(distance.transform(x), plain.transform(x))
    np.testing.assert_array_equal(
        distance.inverse_transform(distance.transform(x)), plain.cluster_centers_[plain.predict(x)]
    )
    z, code = plain.transform(x)[7], soft.transform(x)[7]
    np.testing.assert_allclose(code, [max(0.0, z.mean() - one) for one in z], rtol=1e-5, atol=1e-6)
    wanted = sum(
        share * centre for share, centre in zip(code / code.sum(), plain.cluster_centers_, strict=True)
    )
    np.testing.assert_allclose(soft.inverse_transform(code[None])[0], wanted, rtol=1e-4, atol=1e-6)
    one = KMeans(1, code="soft", random_state=0).fit(x)  # no centre is nearer than the mean
    np.testing.assert_allclose(one.inverse_transform(one.transform(x))[0], x.mean(axis=0), atol=1e-5)


def test_an_unknown_code_is_told_in_one_line(digits):
    with pytest.raises(ValueError, match="Did you mean 'one-hot'") as error:
        KMeans(code="onehot").fit(digits.flat())
    assert len(str(error.value).splitlines()) == 1


def test_principal_and_independent_components_span_one_space(digits):
    """So they reconstruct alike, and a linear probe without regularisation can't tell them apart."""
    x, y = digits.flat(), digits.labels  # in single precision, as `replearn fit` passes them
    codes = {}
    for name, method in {
        "pca": PCA(16, svd_solver="full", random_state=0),
        "ica": FastICA(16, whiten="unit-variance", tol=1e-2, max_iter=500, random_state=0),
    }.items():
        codes[name] = method.fit_transform(x)
        codes[f"{name} back"] = method.inverse_transform(codes[name])
    np.testing.assert_allclose(codes["pca back"], codes["ica back"], atol=1e-4)
    assert not np.allclose(np.abs(codes["pca"] / codes["pca"].std(axis=0)), np.abs(codes["ica"]), atol=0.1)
    # Classes are separable here, so a logistic probe has no optimum; that of squared error has one.
    truth = np.eye(10)[y]
    guesses = {}
    for name in ("pca", "ica"):
        features = np.column_stack([codes[name], np.ones(len(x))])
        guesses[name] = features @ np.linalg.lstsq(features, truth, rcond=None)[0]
    np.testing.assert_allclose(guesses["pca"], guesses["ica"], atol=1e-4)
    told = {
        name: LogisticRegression(C=1e-2, max_iter=500).fit(codes[name], y).predict(codes[name])
        for name in ("pca", "ica")
    }
    assert (told["pca"] != told["ica"]).mean() > 0.02  # with regularisation their scales count
