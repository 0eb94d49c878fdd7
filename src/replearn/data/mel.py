"""Spectrograms of sounds as ears divide them: power in bands of the mel scale, in decibels.

    x (n, t) --windows, Fourier--> power (n, f, s) --filters--> bands (n, b, s) --10 log10, floor--> decibels

References: Stevens, Volkmann & Newman, JASA 1937; O'Shaughnessy, 1987 (the formula). Davis & Mermelstein, 1980 (bands).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

WINDOW, HOP = 0.032, 0.016  # seconds
FLOOR = 30.0  # decibels below the loudest place of a sound, under which all is as quiet
FEW, MANY = 40, 64  # bands, for up to 8 kHz and above


@dataclass(frozen=True)
class Mel:
    """How a spectrogram is made of sounds of a rate.

    Attributes:
        rate: in Hz.
        bands: triangles on the mel scale, from 0 Hz to half the rate.
        window, hop: rows of a window, and from one to the next.
        size: of the Fourier transform; what a window lacks is zeros.
    """

    rate: int
    bands: int
    window: int
    hop: int
    size: int

    def frames(self, length: int) -> int:
        """Columns of the spectrogram of so many rows."""
        return 1 + length // self.hop


def mel_of(rate: int) -> Mel:
    """Windows of 32 ms, one every 16 ms; 40 bands for rates of up to 8 kHz, else 64."""
    window = max(4, round(WINDOW * rate))
    size = 2 ** (math.ceil(math.log2(window)) + 1)
    return Mel(rate, FEW if rate <= 8000 else MANY, window, max(1, round(HOP * rate)), size)


def filters(mel: Mel) -> Float[Tensor, "b f"]:
    """Triangles that overlap by half, equally wide on the mel scale, 2595 log10(1 + f / 700), each with a peak of 1."""
    top = 2595 * math.log10(1 + mel.rate / 2 / 700)
    edges = 700 * (
        10 ** (torch.linspace(0, top, mel.bands + 2, dtype=torch.float64) / 2595) - 1
    )  # (b + 2,), Hz
    at = torch.linspace(0, mel.rate / 2, mel.size // 2 + 1, dtype=torch.float64)
    rising = (at - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - at) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp_min(0).float()


def power(x: Float[Tensor, "n t"], mel: Mel, window: Float[Tensor, " w"]) -> Float[Tensor, "n f s"]:
    """Squares of the Fourier transform of windows, which are centred at multiples of the hop; silence surrounds x."""
    found = torch.stft(
        x, mel.size, mel.hop, mel.window, window, center=True, pad_mode="constant", return_complex=True
    )
    return found.real.square() + found.imag.square()


def log_mel(
    x: Float[Tensor, "n t"], mel: Mel, *, weights: Tensor | None = None, window: Tensor | None = None
) -> Float[Tensor, "n b s"]:
    """Decibels in mel bands, beside a sound's loudest place: 0 there, and nowhere under -30.

    Args:
        x: sounds.
        mel: how.
        weights, window: `filters(mel)` and a Hann window, if they are there already.

    >>> log_mel(torch.sin(torch.arange(8000.0))[None], mel_of(8000)).shape
    torch.Size([1, 40, 63])
    """
    weights = filters(mel).to(x.device) if weights is None else weights
    window = torch.hann_window(mel.window, device=x.device) if window is None else window
    bands = torch.einsum("bf, nfs -> nbs", weights, power(x, mel, window))
    level = 10 * (bands + 1e-20).log10()
    return (level - level.amax((1, 2), keepdim=True)).clamp_min(-FLOOR)
