"""Arrays and tensors of every layout and type."""

import numpy as np
import pytest
import torch

from replearn.data import as_samples

random = np.random.default_rng(0)


def fetch(samples, *positions):
    return samples[np.array(positions)].x


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((5, 7), (7,)),
        ((5, 28, 28), (1, 28, 28)),
        ((5, 1, 28, 28), (1, 28, 28)),
        ((5, 28, 28, 1), (1, 28, 28)),
        ((5, 3, 32, 48), (3, 32, 48)),
        ((5, 32, 48, 3), (3, 32, 48)),
        ((5, 13, 64, 64), (13, 64, 64)),
        ((5, 64, 64, 13), (13, 64, 64)),
        ((5, 8, 8, 100), (100, 8, 8)),
        ((5, 3, 1, 1), (3, 1, 1)),
        ((5, 1, 1, 3), (3, 1, 1)),
        ((5, 6, 6, 6), (6, 6, 6)),
        ((1, 1, 1), (1, 1, 1)),
    ],
)
def test_layout(given, expected):
    array = random.integers(0, 256, given, dtype=np.uint8)
    samples = as_samples(array)
    assert samples.shape == expected
    x = fetch(samples, 0).numpy()
    assert sorted(x.ravel()) == sorted(array[0].ravel())
    if len(given) == 4 and expected[0] == given[3] != given[1]:
        np.testing.assert_array_equal(x[0], array[0].transpose(2, 0, 1))
    elif len(given) == 4:
        np.testing.assert_array_equal(x[0], array[0])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.array([0, 128, 255], np.uint8), np.array([0, 128, 255], np.uint8)),
        (np.array([0, 51, 255], np.int64), np.array([0, 0.2, 1], np.float32)),
        (np.array([False, True, True]), np.array([0, 255, 255], np.uint8)),
        (np.array([0, 65535, 13107], np.uint16), np.array([0, 1, 0.2], np.float32)),
        (np.array([0, 1, 0.2], np.float64), np.array([0, 1, 0.2], np.float32)),
        (np.array([0, 1, 0.5], np.float16), np.array([0, 1, 0.5], np.float32)),
    ],
)
def test_numbers(given, expected):
    x = fetch(as_samples(given.reshape(1, 1, 1, 3)), 0)
    assert x.numpy().dtype == expected.dtype
    np.testing.assert_allclose(x.numpy().ravel(), expected)


def test_tensors_are_arrays():
    tensor = torch.rand(4, 3, 8, 8, requires_grad=True)
    assert torch.equal(fetch(as_samples(tensor), 2, 1), tensor.detach()[[2, 1]])


def test_samples_are_returned_as_they_are():
    samples = as_samples(np.zeros((3, 2)))
    assert as_samples(samples) is samples
    labelled = as_samples(samples, [0, 1, -1])
    assert labelled.labels.tolist() == [0, 1, -1]
    assert samples.labels is None


def test_one_sample_and_constants_are_allowed():
    assert len(as_samples(np.zeros((1, 5)))) == 1
    mean, std = as_samples(np.full((3, 1, 4, 4), 0.5)).statistics
    assert mean.item() == 0.5
    assert std.item() == 1


def test_image_size_resizes_arrays():
    step = np.zeros((2, 10, 20), np.uint8)
    step[:, :, 10:] = 200
    x = fetch(as_samples(step, image_size=5), 0)
    assert x.shape == (1, 1, 5, 5)
    assert x.dtype == torch.uint8
    assert x[0, 0, 2, 0] < 20
    assert x[0, 0, 2, 4] > 180


def with_gap(shape):
    array = np.zeros(shape, np.float32)
    array[1].flat[0] = np.nan
    return array


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (with_gap((3, 4)), "NaN or infinity in 1 of 3 rows .first: row 1"),
        (with_gap((3, 1, 8, 8)), "1 of 3 images"),
        (np.array([[1e300, 0.0]]), r"at most 1e\+18 in size.*column '0'.*1e\+300"),
        (np.full((2, 8, 8), 1e19), r"must be at most 1e\+18 in size; got 1e\+19"),
        (np.full((2, 8, 8), 2**30), "float32 holds, up to 16,777,216; got 1,073,741,824"),
        (np.zeros((0, 4)), "at least one sample"),
        (np.zeros((4, 0)), "at least one value"),
        (np.zeros(4), "got shape"),
        (np.zeros((1, 1, 1, 1, 1)), "got shape"),
        (np.zeros((20, 30, 3), np.uint8), "one colour image"),
        (np.array([[1, 2], None], dtype=object), "must hold numbers; got dtype object"),
        (np.array([["a", "b"]]), "must hold numbers"),
        (np.zeros((2, 2), complex), "must hold numbers"),
        (3, "got int"),
        (None, "got NoneType"),
    ],
)
def test_bad_arrays(bad, message):
    with pytest.raises(ValueError, match=message) as error:
        as_samples(bad)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", [0, -3, 10**6])
def test_bad_image_size(size):
    with pytest.raises(ValueError, match="image_size must lie in"):
        as_samples(np.zeros((2, 8, 8)), image_size=size)
