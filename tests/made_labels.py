"""Digits of which some have a label, and methods prepared for them, for the tests of semi-supervised methods."""

from typing import Any

import numpy as np

import replearn
from replearn.data import Samples
from replearn.data.labels import UNLABELLED


def few_digits(n: int = 256, labelled: int = 80) -> Samples:
    """The first digits, of 14 pixels; the first of them have a label."""
    train = replearn.load_data("digits", split="train")
    labels = np.where(np.arange(n) < labelled, train.labels[:n], UNLABELLED)
    return replearn.as_samples(np.ascontiguousarray(train[np.arange(n)].x.numpy()[:, :, ::2, ::2]), labels)


def truth(n: int = 256) -> np.ndarray:
    """What the labels of `few_digits` would be."""
    labels: np.ndarray = replearn.load_data("digits", split="train").labels[:n]
    return labels


def prepared(cls: type[Any], **given: Any) -> tuple[Any, Samples]:
    """A method with fresh modules, and its samples."""
    samples = few_digits()
    settings = {"encoder": "mlp", "batch_size": 64, "device": "cpu"}
    return cls(**settings | given).prepare(samples), samples
