"""Patches, edges, histograms and words: each beside a slow one of its own, and they tell digits apart."""

import math

import numpy as np
import pytest
import torch

import replearn
from replearn.encoders.atoms import Atoms, pooled_parts
from replearn.encoders.gradients import edges, gradients
from replearn.encoders.histograms import CLIP, FLOOR, OrientedBlocks, orientations
from replearn.encoders.patches import FLAT, RIDGE, WhitePatches
from replearn.evaluate import few_label_curve, knn_probe
from replearn.methods.classical import BagOfVisualWords, FisherVectors, PatchCodes


@pytest.fixture(scope="module")
def digits():
    train, test = (replearn.load_data("digits", split=part) for part in ("train", "test"))
    return train.subset(np.arange(1000)), test.subset(np.arange(500))


def batch_of(x):
    return replearn.as_samples(x)[np.arange(len(x))]


def slow_gradient(image, r, s):
    """Of the strongest channel."""
    c, h, w = image.shape
    found = []
    for k in range(c):
        down = image[k, r + 1, s] - image[k, r - 1, s] if 0 < r < h - 1 else 0.0
        right = image[k, r, s + 1] - image[k, r, s - 1] if 0 < s < w - 1 else 0.0
        found.append((down**2 + right**2, -k, down, right))
    return max(found)[2:]


def slow_blocks(image, cell, stride, bins):
    """Cells and blocks of one image by loops, in double precision: `(i, j, 2, 2, bins)`."""
    _, h, w = image.shape
    rows, columns = ((side - cell) // stride + 1 for side in (h, w))
    cells = np.zeros((rows, columns, bins))
    for i in range(rows):
        for j in range(columns):
            for r in range(i * stride, i * stride + cell):
                for s in range(j * stride, j * stride + cell):
                    down, right = slow_gradient(image, r, s)
                    angle = math.degrees(math.atan2(down, right)) % 180 / (180 / bins)
                    low, strength = math.floor(angle), math.hypot(down, right) / cell**2
                    cells[i, j, low % bins] += strength * (1 - (angle - low))
                    cells[i, j, (low + 1) % bins] += strength * (angle - low)
    gap = cell // stride
    blocks = np.zeros((rows - gap, columns - gap, 2, 2, bins))
    for i in range(rows - gap):
        for j in range(columns - gap):
            block = cells[i : i + gap + 1 : gap, j : j + gap + 1 : gap]
            block = np.minimum(block / math.sqrt((block**2).sum() + FLOOR**2), CLIP)
            blocks[i, j] = block / max(math.sqrt((block**2).sum()), 1e-12)
    return blocks


@pytest.mark.parametrize("channels", [1, 3])
def test_blocks_are_those_of_the_paper(channels):
    x = np.random.default_rng(0).random((2, channels, 12, 16)).astype(np.float32)
    found = OrientedBlocks(4, 9)(batch_of(x))
    wanted = np.stack(
        [slow_blocks(image.astype(np.float64), 4, 2, 9) for image in x]
    )  # (n, i, j, 2, 2, bins)
    n, i, j = wanted.shape[:3]
    np.testing.assert_allclose(found.view(n, 2, 2, 9, i, j).permute(0, 4, 5, 1, 2, 3), wanted, atol=2e-5)


def test_edges_have_the_direction_that_brightness_changes_in():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8) / 8
    assert orientations(ramp)[0, :, 3, 3].argmax() == 0
    # A quarter turn is four and a half bins of 20 degrees: the two beside it share.
    turned = orientations(ramp.mT)[0, :, 3, 3]
    torch.testing.assert_close(turned[4], turned[5])
    torch.testing.assert_close(turned.sum(), torch.tensor(0.25))
    torch.testing.assert_close(orientations(-ramp), orientations(ramp))
    torch.testing.assert_close(orientations(ramp).sum(1), edges(ramp))


def test_of_colours_the_strongest_channel_counts():
    x = torch.zeros(1, 3, 5, 5)
    x[:, 0, :, 3:] = 0.5  # red changes to the right
    x[:, 2, 3:] = 1.0  # blue changes downwards, more
    down, right = gradients(x)
    assert (down[0, 2, 2].item(), right[0, 2, 2].item()) == (1.0, 0.0)
    assert (down[0, 1, 2].item(), right[0, 1, 2].item()) == (0.0, 0.5)


def test_flat_images_have_no_words(digits):
    words = BagOfVisualWords(words=8, drawn=2000).fit(digits[0])
    assert not words.transform(np.full((2, 28, 28), 130, np.uint8)).any()
    with pytest.raises(ValueError, match="words must be counted among places") as error:
        BagOfVisualWords().fit(np.full((20, 28, 28), 130, np.uint8))
    assert len(str(error.value).splitlines()) == 1


def test_histograms_count_places(digits):
    method = BagOfVisualWords(words=8, drawn=2000, parts=1).fit(digits[0])
    batch = digits[1][np.arange(3)]
    z = method.places_(batch)
    wanted = np.zeros((3, 8))
    for i, image in enumerate(z.flatten(2).mT):
        for place in image[image.square().sum(1) > 0.5]:
            wanted[i, (method.atoms_.vectors - place).square().sum(1).argmin()] += 1 / z[0, 0].numel()
    np.testing.assert_allclose(method.represent(batch).square(), wanted, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("stride", [1, 3])
def test_patches_by_convolution_are_patches_one_by_one(channels, stride):
    rng = np.random.default_rng(1)
    x = rng.random((2, channels, 11, 13)).astype(np.float32)
    patches = WhitePatches(channels, side=4, stride=stride)
    plain = patches(batch_of(x)).flatten(2).mT.flatten(0, 1)
    patches.fit(plain)
    found = patches(batch_of(x))  # (n, d, i, j)
    cut = np.stack(
        [
            image[:, r : r + 4, s : s + 4].ravel()
            for image in x.astype(np.float64)
            for r in range(0, 8, stride)
            for s in range(0, 10, stride)
        ]
    )
    cut = (cut - cut.mean(axis=1, keepdims=True)) / np.sqrt(cut.var(axis=1, keepdims=True) + FLAT)
    covariance = np.cov(cut.T, bias=True)
    variances, axes = np.linalg.eigh(covariance)
    wanted = (cut - cut.mean(axis=0)) @ (axes / np.sqrt(np.maximum(variances, 0) + RIDGE)) @ axes.T
    np.testing.assert_allclose(found.flatten(2).mT.flatten(0, 1), wanted, atol=2e-4)
    torch.testing.assert_close(patches.whiten(plain), found.flatten(2).mT.flatten(0, 1), atol=2e-4, rtol=1e-3)


def test_codes_by_atoms():
    torch.manual_seed(0)
    atoms, z = Atoms(5, 3), torch.randn(2, 3, 4, 4)
    atoms.vectors.copy_(torch.randn(5, 3))
    distances = torch.cdist(z.flatten(2).mT, atoms.vectors).mT.unflatten(2, (4, 4))  # (n, k, i, j)
    assert torch.equal(atoms.one_hot(z).argmax(1), distances.argmin(1))
    assert torch.equal(atoms.one_hot(z).sum(1), torch.ones(2, 4, 4))
    triangle = (distances.mean(1, keepdim=True) - distances).clamp(min=0)
    torch.testing.assert_close(atoms.triangle(z), triangle, atol=1e-5, rtol=1e-4)
    products = torch.einsum("kd,ndij->nkij", atoms.vectors, z)
    found = atoms.threshold(z, 0.5)
    torch.testing.assert_close(found[:, :5], (products - 0.5).clamp(min=0), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found[:, 5:], (-products - 0.5).clamp(min=0), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(
        pooled_parts(found, 2).view(2, 10, 2, 2)[:, :, 0, 0], found[:, :, :2, :2].mean((2, 3))
    )


@pytest.mark.parametrize("learner", ["kmeans", "pca", "ica", "dictionary"])
def test_every_learner_and_code(learner, digits):
    for code, count in {"one-hot": 12, "triangle": 12, "threshold": 24}.items():
        method = PatchCodes(learner=learner, atoms=12, code=code, drawn=2000, side=6)
        h = method.fit(digits[0].subset(np.arange(100))).transform(digits[1].subset(np.arange(10)))
        assert h.shape == (10, 4 * count)
        assert np.isfinite(h).all()
        assert h.std(axis=0).max() > 0
        assert method.pictures().shape == (12, 1, 6, 6)
        if learner != "kmeans":
            np.testing.assert_allclose(
                np.linalg.norm(method.pictures().reshape(12, -1), axis=1), 1, rtol=1e-4
            )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"learner": "pca", "atoms": 64},
            "atoms must lie between 1 and the 63 directions in which patches vary",
        ),
        ({"learner": "kmean"}, "Did you mean 'kmeans'"),
        ({"code": "hard"}, "one-hot, triangle, threshold"),
        ({"side": 29}, "side must lie between 1 and the 28"),
        ({"parts": 0}, "parts must be at least 1"),
        ({"stride": 0}, "stride must be at least 1"),
        ({"atoms": 0}, "atoms"),
    ],
)
def test_fields_that_cant_work_are_told_in_one_line(given, says, digits):
    with pytest.raises(ValueError, match=says) as error:
        PatchCodes().set_params(**given).fit(digits[0].subset(np.arange(20)))
    assert len(str(error.value).splitlines()) == 1


def test_large_images_are_coded_in_portions():
    x = np.random.default_rng(0).integers(0, 256, (6, 3, 96, 80), dtype=np.uint8)
    small = {"drawn": 600}
    words, codes = BagOfVisualWords(words=16, **small), PatchCodes(atoms=16, **small)
    for method in (words, codes, FisherVectors(gaussians=16, **small)):
        method.fit(x)
        assert len(list(method._portions(1000))) > 1
        np.testing.assert_allclose(method.transform(x)[4:], method.transform(x[4:]), atol=1e-6)
        assert method.places_.stride > 1


def likelihood(x, means, deviations, weights):
    """The mean log-likelihood of vectors, `(p, q)`, by a mixture of Gaussians."""
    found = torch.distributions.Normal(means, deviations).log_prob(x[:, None]).sum(2) + weights.log()
    return found.logsumexp(1).mean()


@pytest.mark.parametrize("parts", [1, 2])
def test_fisher_vectors_are_gradients_of_the_likelihood(parts, digits):
    method = FisherVectors(gaussians=3, drawn=2000, parts=parts, random_state=0).fit(digits[0])
    mixture = method.atoms_
    four = digits[1].subset(np.arange(4))
    z = method.places_(four[np.arange(4)]).double()
    wanted = []
    for image in z:
        found = []
        for i in range(parts):
            for j in range(parts):
                part = image
                for axis, side in ((1, z.shape[2]), (2, z.shape[3])):
                    at = (i, j)[axis - 1]
                    low, high = side * at // parts, math.ceil(side * (at + 1) / parts)
                    part = part.narrow(axis, low, high - low)
                places = part.flatten(1).mT
                there = places.square().sum(1) > 0.5
                x = (places[there] - mixture.centre) @ mixture.axes.double().T
                means = mixture.vectors.double().requires_grad_()
                deviations = mixture.variances.double().sqrt().requires_grad_()
                weights = mixture.weights.double()
                if len(x):
                    told = likelihood(x, means, deviations, weights) * len(x) / len(places)
                    by = torch.autograd.grad(told, (means, deviations))
                else:
                    by = (torch.zeros_like(means), torch.zeros_like(means))
                root = weights.sqrt()[:, None]
                scaled = (by[0] * deviations / root, by[1] * deviations / (root * math.sqrt(2)))
                found.append(torch.cat(scaled, dim=1).flatten().detach())
        one = torch.cat(found)
        one = one.sign() * one.abs().sqrt()
        wanted.append(one / one.norm())
    np.testing.assert_allclose(method.transform(four), torch.stack(wanted), atol=2e-4)


def test_flat_images_have_no_fisher_vector(digits):
    method = FisherVectors(gaussians=2, drawn=2000).fit(digits[0])
    assert not method.transform(np.full((2, 28, 28), 130, np.uint8)).any()
    with pytest.raises(ValueError, match="gaussians must be counted among places"):
        FisherVectors().fit(np.full((20, 28, 28), 130, np.uint8))


@pytest.mark.all
@pytest.mark.parametrize(
    "method",
    [
        BagOfVisualWords(words=64, drawn=10_000),
        FisherVectors(gaussians=16, drawn=10_000),
        PatchCodes(atoms=64, side=6, drawn=10_000),
    ],
)
def test_they_tell_digits_apart_better_than_pixels(method, digits):
    (train, test), labels = digits, [part.labels for part in digits]
    parts = method.fit(train).transform(train), labels[0], method.transform(test), labels[1]
    raw = train.flat(), labels[0], test.flat(), labels[1]
    assert knn_probe(*parts) > knn_probe(*raw) - 0.02
    few = [float(few_label_curve(*p, fractions=(0.05,), draws=3)["mean"].iloc[0]) for p in (parts, raw)]
    assert few[0] > few[1] + 0.03
