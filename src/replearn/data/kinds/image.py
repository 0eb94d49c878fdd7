"""Images: what is shown, compared and read as those of a run were. What is changed is said, with a number.

files:              any size, grey or colour, any levels -> those of the run
arrays, samples:    grey -> colour, levels -> those of the run; anything else is for the caller to decide
"""

import copy
import logging
import warnings
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from replearn.data.arrays import resized
from replearn.data.kinds.base import PIXELS, ROWS, Kind
from replearn.data.levels import SIXTEEN_BITS, Levels, in_words, is_depth
from replearn.data.samples import ArraySamples, Batch, Samples, Subset
from replearn.data.told import DataWarning

log = logging.getLogger("replearn")

# ITU-R BT.601, in 65,536ths, as Pillow and JPEG have it.
LUMA = (19595, 38470, 7471)


class Image(Kind):
    """Images `(c, h, w)`: bytes, floats in [0, 1], or levels."""

    plural: ClassVar[str] = "images"
    bounded: ClassVar[bool] = True
    offers: ClassVar[frozenset[str]] = frozenset({ROWS, PIXELS})

    def options_like(self, expected: Any) -> dict[str, Any]:
        """Square ones are decoded at their size, so that they come from the same part of the cache."""
        return {"image_size": expected.shape[1]} if expected.shape[1] == expected.shape[2] else {}

    def alike(self, samples: Samples, expected: Any, *, convert: bool) -> Samples:
        """Images with the levels, and as far as it goes the channels and the size, of those expected."""
        samples = _at_levels(samples, expected.levels)
        given, wanted = samples.shape[0], expected.shape[0]
        channels = wanted if (given, wanted) == (1, 3) or (convert and (given, wanted) == (3, 1)) else given
        size = expected.shape[1:] if convert else samples.shape[1:]
        shape = (channels, *size)
        if shape == samples.shape or (channels != wanted and not convert):
            return samples
        told = []
        if size != samples.shape[1:]:
            told.append("resized from {} x {} to {} x {}".format(*samples.shape[1:], *size))
        if channels != given:
            told.append(
                "grey, read as three equal channels" if channels == 3 else "in colour, read as grey (luma)"
            )
        line = f"{len(samples):,} images are {' and '.join(told)}, like those of the model"
        warnings.warn(line, DataWarning, stacklevel=5)
        return Converted(samples, shape)


def _at_levels(samples: Samples, levels: Levels | None) -> Samples:
    """Deep images by other levels; what lies outside is counted."""
    if samples.levels == levels:
        return samples
    if levels is None:
        _tell_range_of_their_own(samples)
        return samples
    if samples.levels is None:
        return _without_levels(samples, levels)
    changed = _with_levels(samples, levels)
    low, high = levels
    outside = 0
    for start in range(0, len(samples), 256):
        x = samples[np.arange(start, min(start + 256, len(samples)))].x.flatten(
            1
        )  # (k, d), by their own levels
        own_low, own_high = samples.levels
        bottom = x.amin(1) * (own_high - own_low) + own_low
        top = x.amax(1) * (own_high - own_low) + own_low
        slack = 1e-5 * max(high - low, own_high - own_low)
        outside += int(((bottom < low - slack) | (top > high + slack)).sum())
    if outside:
        line = (
            f"{outside:,} of {len(samples):,} images have levels outside {in_words(levels)}, the range of the "
            "model's images; they are cut to it"
        )
        warnings.warn(line, DataWarning, stacklevel=5)
    return changed


def _tell_range_of_their_own(samples: Samples) -> None:
    """A warning where levels that have no depth in bits meet a model of bytes, or of floats in [0, 1]."""
    assert samples.levels is not None
    if not is_depth(samples.levels) and samples.levels != (0, 1):
        line = (
            f"{len(samples):,} images have levels {in_words(samples.levels)}, those of the model are bytes or lie in "
            "[0, 1]: the whole range is read as 0 ... 1"
        )
        warnings.warn(line, DataWarning, stacklevel=6)


def _without_levels(samples: Samples, levels: Levels) -> Samples:
    """Bytes, or floats in [0, 1], for a model of deep images."""
    if samples[np.array([0])].x.dtype == torch.uint8:
        if levels not in (SIXTEEN_BITS, (0, 255)):
            line = (
                f"{len(samples):,} images have 8 bits, those of the model levels {in_words(levels)}: 0 ... 255 are "
                "read as 0 ... 1"
            )
            warnings.warn(line, DataWarning, stacklevel=6)
        return samples
    if is_depth(levels) or not isinstance(samples, ArraySamples):
        return samples
    log.info(
        "%s images of floats in [0, 1] are read by the levels of the model's: %s",
        len(samples),
        in_words(levels),
    )
    return _with_levels(samples, levels)


def _with_levels(samples: Samples, levels: Levels) -> Samples:
    changed = copy.copy(samples)
    changed.levels = levels
    if isinstance(changed, Subset | Converted):
        changed.samples = _with_levels(changed.samples, levels)
    else:
        assert isinstance(changed, ArraySamples)
    changed.__dict__.pop("statistics", None)  # of the other levels
    return changed


class Converted(Samples):
    """Images with other channels, or of another size; converted when a batch asks for them."""

    def __init__(self, samples: Samples, shape: tuple[int, ...]) -> None:
        self.__dict__.update(
            {name: value for name, value in vars(samples).items() if name in Samples.__annotations__}
        )
        self.samples = samples
        self.kind = samples.kind
        self.shape = shape

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: np.ndarray) -> Batch:
        batch = self.samples[index]
        x = batch.x
        if x.shape[2:] != self.shape[1:]:
            x = torch.from_numpy(resized(x.numpy(), (self.shape[1], self.shape[2])))
        if x.shape[1] != self.shape[0]:
            x = grey(x) if self.shape[0] == 1 else x.expand(-1, self.shape[0], -1, -1).contiguous()
        return replace(batch, x=x)


def grey(x: Shaped[Tensor, "n 3 h w"]) -> Shaped[Tensor, "n 1 h w"]:
    """Luma of colours; of bytes the same bytes as Pillow's."""
    if x.dtype == torch.uint8:
        weights = torch.tensor(LUMA, dtype=torch.int32)[:, None, None]
        return ((x.int() * weights).sum(1, keepdim=True) + 2**15 >> 16).to(torch.uint8)
    return (x * torch.tensor(LUMA)[:, None, None].div(2**16)).sum(1, keepdim=True)
