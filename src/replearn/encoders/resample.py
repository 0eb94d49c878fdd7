"""Sounds at another rate, on the device where the network is."""

from fractions import Fraction

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

LARGEST = 2**24  # numbers of the filter, one for each phase and place


class Resample(nn.Module):
    """Sounds brought from one rate to another by a polyphase filter, as `scipy.signal.resample_poly` does it.

        y[m] = Σ_k x[k] h[m down - k up]        up / down = after / before

    with `h` a low-pass below half the lower rate, in a Kaiser window of 20 max(up, down) + 1 rows; silence surrounds x.

    Args:
        before, after: rates in Hz.

    Raises:
        ValueError: their ratio is of such large numbers that the filter would not fit.

    >>> Resample(8000, 16_000)(torch.zeros(2, 1, 100)).shape
    torch.Size([2, 1, 200])
    """

    kernel: Tensor

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        from scipy.signal import firwin

        ratio = Fraction(after, before)
        self.up, self.down = ratio.numerator, ratio.denominator
        most = max(self.up, self.down)
        half = 10 * most
        # Output m = up q + r reads the inputs down q + j.
        self.first, last = -(half // self.up), ((self.up - 1) * self.down + half) // self.up
        if self.up * (last - self.first + 1) > LARGEST:
            raise ValueError(
                f"sounds of {before:,} Hz can't be brought to {after:,} Hz on the way, since the ratio is of large "
                f"numbers, {ratio}. Read them at that rate: kind='sound:rate={after}'."
            )
        h = torch.from_numpy(firwin(2 * half + 1, 1 / most, window=("kaiser", 5.0)) * self.up)
        r, j = torch.arange(self.up)[:, None], torch.arange(self.first, last + 1)
        place = r * self.down - j * self.up + half  # (up, w)
        inside = (place >= 0) & (place <= 2 * half)
        kernel = torch.where(inside, h[place.clamp(0, 2 * half)], 0.0).float()
        self.register_buffer("kernel", kernel[:, None], persistent=False)  # (up, 1, w)

    def rows(self, before: int) -> int:
        """How many rows so many become."""
        return -(-before * self.up // self.down)

    def forward(self, x: Float[Tensor, "n 1 t"]) -> Float[Tensor, "n 1 s"]:
        length, width = self.rows(x.shape[2]), self.kernel.shape[2]
        steps = -(-length // self.up)
        right = (steps - 1) * self.down + width - (x.shape[2] - self.first)
        with torch.autocast(x.device.type, enabled=False):
            y = F.conv1d(F.pad(x.float(), (-self.first, right)), self.kernel, stride=self.down)  # (n, up, q)
        return y.mT.flatten(1)[:, None, :length]
