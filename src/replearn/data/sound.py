"""Sounds of one length and rate, in one channel."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Float, Int16

from replearn.data.labels import UNLABELLED
from replearn.data.samples import ArraySamples, Batch
from replearn.data.stored import StoredRows

FULL = 32_767


class SoundSamples(ArraySamples):
    """Sounds of one length and rate, float `(n, 1, t)` in [-1, 1].

    Args:
        x: int16, or float32 in [-1, 1], `(n, t)`.
        rate: in Hz.
        stride: seconds between the beginnings of two crops of a recording; None: there is one of each.
        labels, classes, names, skipped: as in `ArraySamples`.
    """

    def __init__(
        self,
        x: np.ndarray | StoredRows,
        labels: np.ndarray | None = None,
        *,
        rate: int,
        stride: float | None = None,
        classes: Sequence[str] = (),
        names: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(x, labels, classes=classes, names=names, skipped=skipped)
        self.kind = "sound"
        self.shape = (1, x.shape[1])
        self.details = {"rate": rate, "stride": stride}

    def __getitem__(self, index: np.ndarray) -> Batch:
        rows = np.asarray(self.x[index])
        x = rows.astype(np.float32) / np.float32(32_768) if rows.dtype == np.int16 else rows  # (n, t)
        labels = np.full(len(index), UNLABELLED) if self.labels is None else self.labels[index]
        return Batch(
            x=torch.from_numpy(x)[:, None],
            labels=torch.from_numpy(labels.astype(np.int64)),
            index=torch.from_numpy(np.asarray(index, dtype=np.int64)),
        )


def resampled(x: Float[np.ndarray, " t"], before: int, after: int) -> Float[np.ndarray, " s"]:
    """Rows at another rate, by a polyphase filter that keeps what is under half the lower rate.

    >>> len(resampled(np.zeros(441, np.float32), 44_100, 16_000))
    160
    """
    if before == after:
        return x
    from scipy.signal import resample_poly

    ratio = Fraction(after, before)
    found: np.ndarray = resample_poly(x, ratio.numerator, ratio.denominator).astype(np.float32)
    return found


def sixteen_bits(x: Float[np.ndarray, "*n t"]) -> Int16[np.ndarray, "*n t"]:
    """Whole numbers of 16 bits; what lies outside of [-1, 1] is cut to it."""
    whole: np.ndarray = np.clip(np.rint(x * 32_768), -32_768, FULL).astype(np.int16)
    return whole
