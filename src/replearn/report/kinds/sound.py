"""Sounds are shown as spectrograms: time to the right, pitch upwards, loud places as ink; and they are played."""

import io
import wave
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import UInt8

from replearn.data import Samples
from replearn.data.mel import FLOOR, log_mel, mel_of
from replearn.report.kinds.base import Looks, Shown

RATE = 16_000  # Hz, by which bands are laid out
PLAYED = 32_000  # numbers of a sound that are played, of two bytes each: two seconds of speech


class SoundLooks(Looks):
    """Sounds `(1, t)`, and spectrograms `(1, bands, frames)` of them, as methods of patches make them."""

    shown: ClassVar[Shown | None] = "picture"

    def cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 1, 48

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s c"]:
        x = torch.as_tensor(x).float().nan_to_num()
        if x.ndim == 3:
            level = log_mel(x[:, 0], mel_of(RATE))[:, None] / FLOOR + 1  # (n, 1, b, s), in [0, 1]
        else:
            low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
            level = (x - low) / (high - low).clamp_min(1e-9)
        level = F.interpolate(
            level.flip(2), (side, side), mode="bilinear", antialias=True, align_corners=False
        )
        return level[:, 0, :, :, None].clamp(0, 1).mul(255).round().to(torch.uint8).numpy()

    def heard(self, samples: Samples, index: int) -> bytes:
        """At its own rate, in 16 bits, as loud as it is."""
        x = samples[np.array([index])].x[0, 0, :PLAYED].numpy()
        made = io.BytesIO()
        with wave.open(made, "wb") as file:
            file.setparams((1, 2, samples.details["rate"], 0, "NONE", ""))
            file.writeframes(np.round(x.clip(-1, 1) * 32_767).astype("<i2").tobytes())
        return made.getvalue()
