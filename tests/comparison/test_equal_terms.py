"""Rows of a comparison of tables are on equal terms: in whatever units columns are measured, all stays the same."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.pipeline import Pipeline

import replearn
from replearn.comparison import compare
from replearn.data import ArraySamples, load_data
from replearn.methods import Autoencoder, registry
from replearn.methods.classical import NMF, PCA, TSNE, BernoulliRBM

JUDGED = ("kNN", "linear probe")
SIZED = ("n_components", "n_clusters")
SETTINGS = {
    "MiniBatchDictionaryLearning": {"max_iter": 5},
    "BernoulliRBM": {"n_iter": 3},
    "NMF": {"tol": 0.1},
}
# Numbers of few binary digits, so that their products with powers of two, and their sums with these shifts, are exact.
FACTORS = 2.0 ** np.array([-18, -10, 0, 7, 20])
SHIFTS = np.array([0.0, 40.0, -3.0, 512.0, 0.0])


def classical(*, bounded):
    """Every classical method of tables, small."""
    found = {}
    for entry in registry().values():
        if entry.family != "classical" or "table" not in entry.kinds:
            continue
        if (entry.cls in (NMF, BernoulliRBM)) != bounded:
            continue
        if entry.cls is TSNE:  # which makes a last digit into another map
            continue
        names = entry.cls().get_params()
        sized = dict.fromkeys(SIZED, 3)
        given = {name: value for name, value in (sized | {"random_state": 0}).items() if name in names}
        found[entry.cls.__name__] = entry.cls(**given | SETTINGS.get(entry.cls.__name__, {}))
    return found


def table(factors=1.0, shifts=0.0):
    """90 rows to learn from and 45 to judge by, of three classes that lie apart in five columns."""
    draw = np.random.default_rng(0)
    labels = np.arange(135) % 3
    rows = draw.normal(size=(135, 5)) + 2 * np.eye(5)[labels] + 5
    rows = np.round(rows * 64) / 64
    samples = ArraySamples(((rows + shifts) * factors).astype(np.float32), labels, classes=tuple("abc"))
    return samples.subset(np.arange(90)), samples.subset(np.arange(90, 135))


@pytest.mark.parametrize(
    "bounded", [pytest.param(False, marks=pytest.mark.all, id="standard"), pytest.param(True, id="range")]
)
def test_units_of_columns_change_no_row(bounded):
    methods = classical(bounded=bounded)
    assert len(methods) >= 2
    methods["Autoencoder"] = Autoencoder(dim=3, epochs=2, batch_size=32, precision="32-true")
    plain, scaled, shifted = (
        compare(methods, *table(*given), fractions=(0.2, 1.0), draws=2)
        for given in ((), (FACTORS,), (FACTORS, SHIFTS))
    )
    assert ("[0, 1]" in plain.facts["preprocessing"]) == bounded
    assert_alike(plain, scaled, names=[row.name for row in plain.rows], atol=1e-5)
    # A last digit of a column's mean makes another training, though hardly another encoder before it, and turns
    # neighbours whose similarities differ in their last digit.
    assert_alike(plain, shifted, names=[row.name for row in plain.rows[:-1]], atol=1e-3, measures=())


def assert_alike(first, second, *, names, atol, measures=JUDGED):
    """The same representations, and so the same neighbours and scores."""
    assert first.facts["preprocessing"] == second.facts["preprocessing"]
    for a, b in zip(first.rows, second.rows, strict=True):
        if a.name in names:
            np.testing.assert_allclose(a.test, b.test, rtol=atol, atol=atol, err_msg=a.name)
    keys = ["representation", "measure", "labels", "mean"]
    one, other = (
        each.scores[each.scores["representation"].isin(names) & each.scores["measure"].isin(measures)][keys]
        for each in (first, second)
    )
    pd.testing.assert_frame_equal(one, other, atol=1e-9)


def test_factors_change_no_map():
    """Powers of two change no digit, so t-SNE's map is the same to the last one."""
    method = TSNE(max_iter=250, perplexity=5, random_state=0)
    plain, other = (compare([method], *table(f), fractions=(1.0,), draws=1).rows[-1] for f in (1.0, FACTORS))
    np.testing.assert_array_equal(plain.test, other.test)


def test_a_column_of_large_noise_costs_no_row_its_score():
    """A lossless rotation of raw columns scores what they score."""
    train, test = table(np.array([1, 1, 1, 1, 1e5]))
    made = compare([PCA()], train, test, fractions=(1.0,), draws=1)
    probe = made.scores[made.scores["measure"] == "linear probe"].set_index("representation")["mean"]
    assert probe["raw input"] == pytest.approx(probe["PCA"], abs=0.03)
    assert probe["PCA"] > 0.8


def test_wine():
    data = load_wine()
    order = np.random.default_rng(1).permutation(178)
    samples = ArraySamples(data.data.astype(np.float32)[order], data.target[order], classes=tuple("abc"))
    train, test = samples.subset(np.arange(142)), samples.subset(np.arange(142, 178))
    made = compare([PCA(2)], train, test, fractions=(1.0,), draws=1)
    as_it_comes = compare([PCA(2)], train, test, fractions=(1.0,), draws=1, scaling="none")
    scores, before = (
        each.scores.set_index(["representation", "measure"])["mean"] for each in (made, as_it_comes)
    )
    assert scores["PCA", "linear probe"] > before["PCA", "linear probe"] + 0.1
    assert scores["raw input", "kNN"] > before["raw input", "kNN"] + 0.05
    assert as_it_comes.facts["preprocessing"] == "columns as they come"
    np.testing.assert_array_equal(as_it_comes.rows[0].train, train.flat())


def test_images_are_as_before():
    digits = load_data("digits8x8", split="train")
    parts = digits.subset(np.arange(60)), digits.subset(np.arange(60, 90))
    made = compare([PCA(3)], *parts, fractions=(1.0,), draws=1)
    np.testing.assert_array_equal(made.rows[0].train, parts[0].flat())
    assert "preprocessing" not in made.facts
    assert isinstance(made.rows[-1].method, PCA)
    with pytest.raises(ValueError, match="table's columns"):
        compare([PCA(3)], *parts, scaling="standard")


@pytest.mark.all
def test_the_scaling_is_kept_with_the_run(tmp_path):
    """What `compare` and `fit` kept gives rows as they come the same representation again."""
    train, test = table(FACTORS, SHIFTS)
    made = compare([PCA(2), NMF(2, tol=0.1, random_state=0)], train, test, runs=tmp_path)
    for row in made.rows[1:]:
        stored = replearn.load(tmp_path / row.name)
        assert isinstance(stored, Pipeline)
        np.testing.assert_allclose(stored.transform(test.flat()), row.test, rtol=1e-5, atol=1e-6)
    stored = replearn.load(tmp_path / "PCA")
    back = stored.inverse_transform(stored.transform(test.flat()))
    assert np.corrcoef(back[:, 0], test.flat()[:, 0])[0, 1] > 0.5
    again = compare([PCA(2), NMF(2, tol=0.1, random_state=0)], train, test, runs=tmp_path, resume=True)
    np.testing.assert_allclose(again.rows[1].test, made.rows[1].test, atol=1e-6)
    with pytest.raises(ValueError, match="--scaling range"):
        compare([PCA(2)], train, test, runs=tmp_path, resume=True)


def test_a_run_without_scaling_loads_as_it_was_fitted(tmp_path):
    """Runs of the time before columns were scaled."""
    train, test = table()
    compare([PCA(2)], train, test, runs=tmp_path, scaling="none")
    content = json.loads((tmp_path / "PCA" / "method.json").read_text())
    del content["columns"]
    (tmp_path / "PCA" / "method.json").write_text(json.dumps(content))
    stored = replearn.load(tmp_path / "PCA")
    assert isinstance(stored, PCA)
    bare = PCA(2).fit(train.flat())
    np.testing.assert_allclose(stored.transform(test.flat()), bare.transform(test.flat()), atol=1e-6)
