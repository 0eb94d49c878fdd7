"""Samples in which nothing can be seen are counted and named."""

import logging

import numpy as np
import pytest
from PIL import Image

from replearn.data import as_samples


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(6):
        pixels = (
            rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            if number not in (2, 5)
            else np.full((8, 8, 3), number)
        )
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{number}.png")
    return tmp_path


def test_images_of_one_colour_are_counted_and_the_first_is_named(images, caplog) -> None:
    with caplog.at_level(logging.WARNING, "replearn"):
        as_samples(images)
    assert "2 of 6 samples that were looked at hold one number throughout" in caplog.text
    assert "the first: 2.png" in caplog.text


def test_nothing_is_told_of_others(images, caplog) -> None:
    for number in (2, 5):
        (images / f"{number}.png").unlink()
    with caplog.at_level(logging.WARNING, "replearn"):
        as_samples(images)
        np.save(images / "rows.npy", np.zeros((3, 4), dtype=np.float32))  # rows may be all zeros
        as_samples(images / "rows.npy")
    assert "throughout" not in caplog.text
