"""The built-in data sets are what their records say."""

from importlib.resources import files

import numpy as np
import pytest

from replearn.data import DATASETS, as_samples, load_data
from replearn.data.labels import UNLABELLED


@pytest.fixture(autouse=True)
def cache(lasting_cache, monkeypatch):
    """In place of one for each test."""
    monkeypatch.setenv("REPLEARN_CACHE", str(lasting_cache))


@pytest.mark.parametrize("name", DATASETS)
def test_record(name):
    record = DATASETS[name]
    train, test, both = (load_data(name, split=split) for split in ("train", "test", None))
    if record.train is not None:
        assert (len(train), len(test)) == (record.train, record.test)
    assert len(both) == len(train) + len(test)
    assert both.shape == train.shape == record.shape
    assert len(both.classes) == record.classes
    assert set(train.labels) - {UNLABELLED} == set(test.labels) == set(range(record.classes))
    assert len(np.unique(record.read()[1])) == len(test)
    assert (files("replearn.data") / "builtin" / "LICENSES" / f"{name}.txt").is_file()


@pytest.mark.parametrize("name", DATASETS)
def test_split_is_fixed(name):
    assert load_data(name, split="test").fingerprint() == load_data(name, split="test").fingerprint()
    assert as_samples(f"{name}:test").fingerprint() == load_data(name, split="test").fingerprint()


def test_digits_are_digits():
    """A nearest class mean finds most of them, so images and labels belong together."""
    train, test = load_data("digits", split="train"), load_data("digits", split="test")
    means = np.stack([train.flat()[train.labels == digit].mean(0) for digit in range(10)])
    found = ((test.flat()[:, None] - means) ** 2).sum(2).argmin(1)
    assert (found == test.labels).mean() > 0.75


def test_emoji_are_named_and_lie_on_white():
    emoji = load_data("emoji")
    place = list(emoji.names).index("grinning face")
    assert emoji.classes[emoji.labels[place]] == "Smileys & Emotion"
    red, green, blue = emoji[np.array([place])].x[0, :, 16, 16].tolist()
    assert red > 200
    assert green > 150
    assert blue < 100
    assert emoji[np.array([place])].x[0, :, 0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("data", ["x.csv", "photos/cats", "."])
def test_data_of_ones_own_are_sent_to_the_function_that_reads_them(data):
    with pytest.raises(ValueError, match="are read by `as_samples`"):
        load_data(data)


def test_unknown_names_offer_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'digits'"):
        load_data("digit")
    with pytest.raises(ValueError, match="Did you mean 'digits'"):
        as_samples("digit")
    with pytest.raises(ValueError, match="split must be"):
        load_data.__wrapped__("digits", split="dev") if hasattr(load_data, "__wrapped__") else load_data(
            "digits", split="dev"
        )
    with pytest.raises(ValueError, match="digits:train"):
        as_samples("digits:dev")
