"""Images are read as those of a run were, and each change is said with a number."""

import numpy as np
import pytest
from PIL import Image

from replearn.data import DataWarning, alike, as_samples, describe, read_alike, shapes

rng = np.random.default_rng(0)
colour = rng.integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
grey = rng.integers(0, 256, (5, 1, 8, 8), dtype=np.uint8)


def like(array):
    return describe(as_samples(array))


def everything(samples):
    return samples[np.arange(len(samples))].x.numpy()


def files(tmp_path, images):
    for number, image in enumerate(images):
        Image.fromarray(image.transpose(1, 2, 0).squeeze()).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture(params=["folder", "npy"])
def written(request, tmp_path):
    """Images in files."""

    def write(images):
        if request.param == "folder":
            return files(tmp_path, images)
        np.save(tmp_path / "x.npy", images)
        return tmp_path / "x.npy"

    return write


def test_grey_files_for_a_model_of_colours(written):
    with pytest.warns(
        DataWarning, match="^5 images are grey, read as three equal channels, like those of the model$"
    ):
        x = everything(read_alike(written(grey), like(colour)))
    np.testing.assert_array_equal(x, grey.repeat(3, 1))


def test_colour_files_for_a_model_of_grey_ones(written):
    with pytest.warns(
        DataWarning, match="^5 images are in colour, read as grey .luma., like those of the model$"
    ):
        x = everything(read_alike(written(colour), like(grey)))
    pillow = [np.asarray(Image.fromarray(image.transpose(1, 2, 0)).convert("L")) for image in colour]
    np.testing.assert_array_equal(x[:, 0], pillow)
    unit = (colour / 255).astype(np.float32)
    with pytest.warns(DataWarning):
        converted = alike(as_samples(unit), like(grey), convert=True)
    np.testing.assert_allclose(everything(converted)[:, 0] * 255, pillow, atol=0.51)


def test_files_of_another_size(tmp_path, caplog):
    files(tmp_path, grey)
    with caplog.at_level("INFO", logger="replearn"):
        samples = read_alike(tmp_path, like(np.zeros((2, 1, 12, 12), np.uint8)))
    assert samples.shape == (1, 12, 12)
    assert "5 of 5 images were resized to 12 x 12" in caplog.text
    np.save(tmp_path / "x.npy", np.full((3, 1, 10, 20), 77, np.uint8))
    with pytest.warns(
        DataWarning, match="3 images are resized from 10 x 20 to 9 x 6, like those of the model"
    ):
        x = everything(read_alike(tmp_path / "x.npy", like(np.zeros((2, 1, 9, 6), np.uint8))))
    assert x.shape == (3, 1, 9, 6)
    assert (x == 77).all()
    with pytest.warns(DataWarning, match="resized from 16 x 16 to 8 x 8 and grey"):
        assert alike(shapes(size=16), like(colour), convert=True).shape == (3, 8, 8)


def test_resizing_covers_and_cuts():
    step = np.zeros((1, 1, 10, 20), np.float32)
    step[..., 10:] = 1
    with pytest.warns(DataWarning):
        x = everything(alike(as_samples(step), like(np.zeros((2, 5, 5), np.uint8)), convert=True))
    assert x[0, 0, 2, 0] < 0.1
    assert x[0, 0, 2, 4] > 0.9


def test_arrays_get_only_what_loses_nothing():
    with pytest.warns(DataWarning, match="5 images are grey"):
        assert alike(as_samples(grey), like(colour), convert=False).shape == (3, 8, 8)
    for given, expected in ((colour, grey), (grey[..., :6], grey), (grey, np.zeros((2, 5, 8, 8), np.uint8))):
        samples = as_samples(given)
        assert alike(samples, like(expected), convert=False) is samples


def test_samples_that_are_alike_stay_as_they_are():
    samples = as_samples(grey)
    assert alike(samples, like(grey), convert=True) is samples
    table = as_samples(np.zeros((3, 4)))
    assert alike(table, like(np.zeros((3, 5))), convert=True) is table


def test_deep_images_have_the_range_of_the_run(tmp_path):
    """Not their own: the same file means the same wherever it lies."""
    training = rng.integers(0, 4096, (6, 8, 8)).astype(np.uint16)
    dark = training[:2] // 16  # 255 at most: their own range would make them bright
    run = like(training)
    (tmp_path / "dark").mkdir()
    for number, image in enumerate(dark):
        Image.fromarray(image).save(tmp_path / "dark" / f"{number}.png")
    whole = everything(as_samples(np.concatenate([training, dark])))[6:]
    for data in (tmp_path / "dark", dark, as_samples(dark), as_samples(dark).subset([0, 1])):
        samples = read_alike(data, run)
        assert samples.levels == run.levels
        np.testing.assert_array_equal(everything(samples), whole)
    assert everything(as_samples(dark)).max() > 0.9
    np.testing.assert_allclose(read_alike(dark, run).statistics[0], whole.mean(), rtol=1e-5)


def test_levels_outside_are_counted_and_cut():
    run = like(np.full((3, 8, 8), 1000, np.uint16))
    images = np.full((4, 8, 8), 500, np.uint16)
    images[1:3, 0, 0] = 5000
    with pytest.warns(DataWarning, match=r"2 of 4 images have levels outside 0 ... 1,023"):
        samples = read_alike(images, run)
    assert everything(samples).max() == 1


def test_eight_bits_for_a_model_of_deep_images():
    with pytest.warns(DataWarning, match="5 images have 8 bits, those of the model levels 0 ... 4,095"):
        samples = read_alike(grey, like(np.full((3, 8, 8), 4000, np.uint16)))
    np.testing.assert_array_equal(everything(samples), grey)


@pytest.mark.parametrize(
    ("training", "given", "dtype"),
    [
        (4000, 200, np.int64),  # not bytes for a model of 12 bits
        (255, 100, np.int64),
        (16.0, 0.8, np.float32),  # floats that happen to lie in [0, 1]
        (8.5, 4.0, np.float64),
    ],
)
def test_arrays_are_read_by_the_range_of_the_model(training, given, dtype):
    run = like(np.linspace(0, training, 48).reshape(3, 4, 4).astype(dtype))
    x = everything(read_alike(np.full((2, 4, 4), given, dtype), run))
    low, high = run.levels
    np.testing.assert_allclose(x, (np.float32(given) - low) / (high - low), rtol=1e-6)


def test_a_range_of_their_own_is_said_beside_a_model_of_bytes():
    run = like(np.zeros((3, 4, 4), np.uint8))
    with pytest.warns(DataWarning, match=r"2 images have levels 3 ... 200, those of the model are bytes"):
        read_alike(np.linspace(3, 200, 32).reshape(2, 4, 4), run)
    assert everything(read_alike(np.full((2, 4, 4), 51), run)) == pytest.approx(0.2)
