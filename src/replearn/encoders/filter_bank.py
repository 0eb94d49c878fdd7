"""Levels in mel bands as Kaldi computes them, by which the Audio Spectrogram Transformer hears."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

WINDOW, HOP, SIZE = 400, 160, 512  # rows of a window, from one to the next, and of the Fourier transform
RATE = 16_000  # Hz, at which these are 25 and 10 ms
LOWEST = 20.0  # Hz
PREEMPHASIS = 0.97
FLOOR = 2.0**-23


class FilterBank(nn.Module):
    """The logarithm of power in mel bands, frame by frame, scaled: what transformers' `ASTFeatureExtractor` computes.

        frame f_i, i < 400:  f -= mean(f);   f_i -= 0.97 f_(i-1), f_0 *= 0.03;   f *= Hann window
        level_b = log max(2^-23, Σ_k w_bk |FFT_512(f)_k|^2)
        (level - mean) / (2 std)

    Sounds are at 16 kHz. Frames that a sound lacks are levels of 0; those beyond the number of frames are left out.

    Args:
        bands: triangles, equally wide on the mel scale 1127 log(1 + f / 700), from 20 Hz to 8 kHz.
        frames: that are returned.
        mean, std: of levels, by which they are scaled; 0 and 1/2 leave them as they are.

    References: Gong, Chung & Glass, Interspeech 2021, section 2.1. https://arxiv.org/abs/2104.01778
    """

    weights: Tensor
    window: Tensor

    def __init__(self, bands: int, frames: int, *, mean: float, std: float) -> None:
        super().__init__()
        self.frames, self.mean, self.std = frames, mean, std
        self.register_buffer("weights", _triangles(bands), persistent=False)
        window = torch.hann_window(WINDOW, periodic=False, dtype=torch.float64)
        self.register_buffer("window", window.float(), persistent=False)

    def forward(self, x: Float[Tensor, "n t"], lengths: Int[Tensor, " n"]) -> Float[Tensor, "n s b"]:
        """Levels of sounds, of which the first `lengths` rows count."""
        # The logarithm shows what 32 bits lose; Apple's devices have no more.
        wide = torch.float32 if x.device.type == "mps" else torch.float64
        with torch.autocast(x.device.type, enabled=False):
            rows = WINDOW + HOP * (self.frames - 1)
            frames = x[:, :rows].to(wide).unfold(1, WINDOW, HOP)  # (n, s, w)
            frames = frames - frames.mean(2, keepdim=True)
            before = torch.cat([frames[..., :1], frames[..., :-1]], 2)
            frames = (frames - PREEMPHASIS * before) * self.window.to(wide)
            power = torch.fft.rfft(frames, SIZE).abs().square()  # (n, s, f)
            level = (power @ self.weights.to(wide)).clamp_min(FLOOR).log()  # (n, s, b)
            there = torch.arange(level.shape[1], device=x.device) < 1 + (lengths[:, None] - WINDOW) // HOP
            level = level * there[..., None]
            level = nn.functional.pad(level, (0, 0, 0, self.frames - level.shape[1]))
            return ((level - self.mean) / (2 * self.std)).float()


def _triangles(bands: int) -> Float[Tensor, "f b"]:
    """Weights of each frequency in each band."""
    low, high = (1127 * math.log(1 + f / 700) for f in (LOWEST, RATE / 2))
    edges = torch.linspace(low, high, bands + 2, dtype=torch.float64)
    hertz = torch.arange(SIZE // 2 + 1, dtype=torch.float64) * RATE / SIZE
    at = 1127 * (1 + hertz / 700).log()[:, None]  # (f, 1)
    rising = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    return torch.minimum(rising, falling).clamp_min(0).float()
