"""Concatenation: each part has the same say, a run needs no other folder, and what can't be a part is refused."""

import json
import shutil

import numpy as np
import pytest

import replearn
from made_methods import few_colours, few_images
from replearn.data import as_samples
from replearn.methods import BagOfVisualWords, Concatenation, FisherVectors, PatchCodes, SimCLR


def unit(rows):
    """Rows of length 1, in float64."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def images():
    return few_colours()


@pytest.fixture
def run(images, tmp_path):
    SimCLR(encoder="cnn", epochs=1, batch_size=32).fit(images, run=tmp_path / "simclr")
    return tmp_path / "simclr"


def test_parts_are_scaled_centred_and_scaled_again(images):
    train, test = images.subset(np.arange(64)), images.subset(np.arange(64, 96))
    expected = []
    for cls in (BagOfVisualWords, FisherVectors, PatchCodes):
        method = cls(random_state=1).fit(train)
        own, other = (unit(method.transform(part).astype(np.float64)) for part in (train, test))
        expected.append(unit(other - own.mean(0)))
    found = Concatenation(random_state=1).fit(train).transform(test)
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), atol=1e-5)
    np.testing.assert_allclose((found @ found.T), sum(part @ part.T for part in expected), atol=1e-4)


def test_a_run_holds_its_parts(images, run, tmp_path):
    method = Concatenation(methods=("bagofvisualwords", str(run))).fit(images, run=tmp_path / "both")
    alone = replearn.load(run).transform(images)
    shutil.rmtree(run)
    loaded = replearn.load(tmp_path / "both")
    np.testing.assert_array_equal(loaded.transform(images), method.transform(images))
    assert method.representation_dim == method.transform(images).shape[1] > alone.shape[1]
    told = json.loads((tmp_path / "both" / "method.json").read_text())
    assert [part["class"] for part in told["recipes"]] == ["BagOfVisualWords", "SimCLR"]


def test_a_method_that_was_fitted_learns_anew(images):
    method = Concatenation().fit(images)
    grey = few_images()
    np.testing.assert_array_equal(method.fit(grey).transform(grey), Concatenation().fit(grey).transform(grey))


def test_what_can_not_be_a_part_is_refused(images, run, tmp_path):
    Concatenation().fit(images, run=tmp_path / "both")
    bare = replearn.Autoencoder(encoder="cnn", epochs=1, batch_size=32).fit(
        few_images(), run=tmp_path / "grey"
    )
    assert bare.samples_.shape[0] == 1
    for methods, message in {
        ("patchcodes",): "at least 2",
        ("patchcodes", "patchcodes"): "all different",
        ("patchcodes", "simclr"): "without a network; SimCLR does not",
        ("patchcodes", "frozen"): "Frozen does not",
        ("patchcodes", "pca"): "must be ours",
        (str(run), f"{run}/"): "all different",
        ("patchcodes", str(tmp_path / "gone")): "there is no run in",
        ("patchcodes", "patchcods"): "Did you mean patchcodes",
        ("patchcodes", str(tmp_path / "both")): "no concatenations",
        ("patchcodes", str(tmp_path / "grey")): "it reads image of",
    }.items():
        with pytest.raises(ValueError, match=message):
            Concatenation(methods=methods).fit(images)
    texts = as_samples(["one text", "another text", "a third one"])
    with pytest.raises(ValueError, match="tokenizer of its own"):
        Concatenation(methods=("patchcodes", str(run))).fit(texts)


def test_images_of_another_scale_are_refused(tmp_path):
    images = np.random.default_rng(0).uniform(0, 1, size=(32, 1, 16, 16)).astype(np.float32)
    PatchCodes(atoms=8).fit(images, run=tmp_path / "run")
    methods = ("bagofvisualwords", str(tmp_path / "run"))
    assert len(Concatenation(methods=methods).fit(images).transform(images)) == 32
    with pytest.raises(ValueError, match="levels and columns"):
        Concatenation(methods=methods).fit(2 * images)


def test_other_kinds_are_put_side_by_side(tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    runs = []
    for dim in (3, 5):
        runs.append(str(tmp_path / str(dim)))
        replearn.Autoencoder(encoder="mlp", epochs=1, batch_size=8, dim=dim).fit(rows, run=runs[-1])
    assert Concatenation(methods=tuple(runs)).fit(rows).transform(rows).shape == (40, 8)
    with pytest.raises(ValueError, match="BagOfVisualWords learns from samples of kind image"):
        Concatenation().fit(rows)
