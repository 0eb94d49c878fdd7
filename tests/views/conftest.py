"""Batches and samples that the tests of views share."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from replearn.data.samples import Batch

MakeBatch = Callable[..., Batch]


@pytest.fixture
def make_batch() -> MakeBatch:
    """`make_batch(n, c, h, w)` or `make_batch(n, d)`: random images, or a table, the same every time."""

    def make(n: int, *shape: int, bytes_: bool = False) -> Batch:
        generator = torch.Generator().manual_seed(5)
        x = torch.rand(n, *shape, generator=generator)
        x = (x * 255).round().to(torch.uint8) if bytes_ else x
        return Batch(x=x, labels=torch.arange(n) % 3, index=torch.arange(n) + 100)

    return make


@pytest.fixture
def drawings() -> np.ndarray:
    """Bright circles of several sizes and places on black, uint8 `(40, 1, 28, 28)`."""
    y, x = np.mgrid[:28, :28]
    rng = np.random.default_rng(0)
    centre, radius = rng.uniform(11, 17, (2, 40, 1, 1)), rng.uniform(5, 9, (40, 1, 1))
    distance = np.abs(np.hypot(x - centre[0], y - centre[1]) - radius)
    return (255 * np.clip(2 - distance, 0, 1)).astype(np.uint8)[:, None]
