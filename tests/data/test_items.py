"""Lists and torch Datasets."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from replearn.data import as_samples, items

rng = np.random.default_rng(0)
colour = [rng.integers(0, 256, (6, 9, 3), dtype=np.uint8) for _ in range(3)]


class Pictures(Dataset):
    """Images of any kind, with or without labels."""

    def __init__(self, images, labels=None, classes=()):
        self.images, self.labels, self.classes = images, labels, classes
        self.reads = 0

    def __len__(self):
        return len(self.images)

    def __getitem__(self, place):
        self.reads += 1
        return self.images[place] if self.labels is None else (self.images[place], self.labels[place])


@pytest.mark.parametrize(
    "given",
    [colour, [torch.from_numpy(image) for image in colour], [Image.fromarray(image) for image in colour]],
    ids=["arrays", "tensors", "pillow"],
)
def test_lists(given):
    for data in (given, tuple(given), Pictures(given)):
        samples = as_samples(data, ["a", "b", None])
        assert samples.shape == (3, 6, 9)
        np.testing.assert_array_equal(samples[np.array([2])].x[0], colour[2].transpose(2, 0, 1))
        assert samples.labels.tolist() == [0, 1, -1]


def test_rows_of_numbers():
    samples = as_samples([[1, 2, 3], [4, 5, 6]])
    assert samples.kind == "table"
    assert samples.flat().tolist() == [[1, 2, 3], [4, 5, 6]]


def test_small_pillow_images_are_not_mistaken():
    """Five rows of three pixels look like channels last and first at once; Pillow knows which they are."""
    image = rng.integers(0, 256, (5, 3, 3), dtype=np.uint8)
    x = as_samples([Image.fromarray(image)])[np.array([0])].x
    np.testing.assert_array_equal(x[0], image.transpose(2, 0, 1))


def test_pillow_images_of_unequal_size_with_image_size():
    given = [Image.new("RGB", (9, 30), "red"), Image.new("L", (50, 20), 255)]
    samples = as_samples(given, image_size=12)
    assert samples.shape == (3, 12, 12)
    assert samples[np.array([0, 1])].x[:, :, 5, 5].tolist() == [[255, 0, 0], [255, 255, 255]]


def test_dataset_with_labels_is_read_once():
    data = Pictures(colour, torch.tensor([2, 0, 1]), classes=("zebra", "ant", "cow"))
    samples = as_samples(data)
    samples[np.array([0, 1])]
    assert data.reads <= 4  # one more look at the first
    assert samples.labels.tolist() == [2, 0, 1]
    assert samples.classes == ("zebra", "ant", "cow")


def test_tensor_dataset():
    samples = as_samples(TensorDataset(torch.rand(5, 1, 4, 4), torch.tensor([0, 1, -1, 1, 0])))
    assert samples.shape == (1, 4, 4)
    assert samples.labels.tolist() == [0, 1, -1, 1, 0]


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_large_data_go_to_disk(monkeypatch, cache, kind):
    monkeypatch.setattr(items, "LARGEST_IN_MEMORY", 100)
    monkeypatch.setattr(items, "PART", 4)
    images = rng.integers(0, 256, (10, 1, 5, 5)).astype(kind)
    images = images / np.float32(255) if kind == "float32" else images
    samples = as_samples(Pictures(images, list("abcdefghij")))
    assert type(samples.x).__name__ == "StoredRows"
    np.testing.assert_array_equal(samples[np.arange(10)].x, images)
    assert samples.classes == tuple("abcdefghij")
    assert not list(cache.iterdir())  # nothing is left behind, even now


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([], "at least one sample"),
        ([np.zeros((2, 2)), np.zeros((2, 3))], r"sample 1 has \(2, 3\), sample 0 \(2, 2\)"),
        ([[1, 2], [3]], "sample 1 has"),
        ([Image.new("RGB", (4, 4)), Image.new("RGB", (4, 5))], "one shape; sample 1"),
        ([Image.new("L", (4, 4)), Image.new("RGB", (4, 4))], "all grey or all colour"),
        (["one text", 2], "number 1 is int"),
        ([1, 2, 3], "sample 0 is a int"),
        ([{"image": 1}], "sample 0 is a dict"),
        ([object(), object()], "sample 0 is a object"),
        ([np.full((2, 2), np.nan)], "NaN"),
    ],
)
def test_bad_lists(bad, message):
    with pytest.raises(ValueError, match=message):
        as_samples(bad)


def test_ragged_beyond_the_first_part(monkeypatch):
    monkeypatch.setattr(items, "PART", 2)
    with pytest.raises(ValueError, match="sample 2 has"):
        as_samples([np.zeros((2, 2))] * 2 + [np.zeros((3, 3))] * 2)


def test_iterable_datasets_are_refused():
    class Stream(IterableDataset):
        def __iter__(self):
            yield 1

    with pytest.raises(ValueError, match="must have a length"):
        as_samples(Stream())
