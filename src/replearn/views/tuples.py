"""`FrameTuples`: five frames of each clip, evenly apart, from where much moves; and single frames.

t frames --motion of each window--> a, b, c, d, e --one by one--> (n·5, c, 1, h, w)
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from replearn.data.content import as_float
from replearn.data.description import Description
from replearn.data.samples import Batch, Samples
from replearn.views.base import View, uniform
from replearn.views.compose import check_view
from replearn.views.directions import EQUAL
from replearn.views.parts import UNCHANGED, Parts, repeated
from replearn.views.videos import clips, frames_at

FIVE = 5


@dataclass(frozen=True)
class FrameTuples(Parts):
    """Five frames a, b, c, d, e of each clip, evenly apart, a row each.

    Of all such windows one is drawn in proportion to how much changes from b to d; without chance it is the one in
    which most does. Windows in which two neighbours are one frame are not drawn: nobody could tell their order.

    Args:
        view: of the sample, after frames are chosen.

    References: Misra, Zitnick & Hebert, ECCV 2016, section 3.1 (there motion is that of optical flow).
        https://arxiv.org/abs/1603.08561

    >>> batch = Batch(torch.rand(4, 3, 8, 16, 16), labels=torch.zeros(4).long(), index=torch.arange(4))
    >>> FrameTuples()(batch)[0].x.shape
    torch.Size([20, 3, 1, 16, 16])
    """

    view: View = UNCHANGED

    def __post_init__(self) -> None:
        check_view(self.view, "FrameTuples")

    def fitted(self, samples: Samples) -> "FrameTuples":
        return replace(self, view=self.view.fitted(samples))

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        x = clips(batch, self)
        windows, motion = windows_of(x)
        shares = motion.cumsum(1)  # (n, k)
        drawn = uniform(batch, 1) * shares[:, -1:]
        chosen = torch.searchsorted(shares, drawn, right=True).clamp(max=len(windows) - 1)[:, 0]
        five = frames_at(x, windows[chosen])
        return (single_frames(self.view(batch.with_x(five))),)

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        x = clips(batch, self)
        windows, motion = windows_of(x)
        return (single_frames(batch.with_x(frames_at(x, windows[motion.argmax(1)]))),)

    def describe(self, samples: Description) -> tuple[Description, ...]:
        channels, frames, height, width = samples.shape
        check_frames(frames)
        return (replace(samples, shape=(channels, 1, height, width)),)

    def per_part(self, samples: Description) -> int:
        return FIVE


def check_frames(frames: int) -> None:
    """Raises ValueError where clips are too short."""
    if frames < FIVE:
        raise ValueError(
            f"tuples of frames are drawn from clips of at least {FIVE}; got {frames}. Read longer ones, "
            "kind='video:frames=8' say."
        )


def windows_of(x: Float[Tensor, "n c t h w"]) -> tuple[Int[Tensor, "k 5"], Float[Tensor, "n k"]]:
    """Places of all five frames that are evenly apart, and how much changes from the second to the fourth.

    It is 0 where two neighbours are one frame.
    """
    frames = x.shape[2]
    check_frames(frames)
    windows, motion = [], []
    for step in range(1, (frames - 1) // (FIVE - 1) + 1):
        change = (x[:, :, step:] - x[:, :, :-step]).abs().mean((1, 3, 4))  # (n, t-step)
        for first in range(frames - step * (FIVE - 1)):
            own = change[:, first : first + step * (FIVE - 1) : step]  # (n, 4)
            windows.append([first + step * number for number in range(FIVE)])
            motion.append(torch.where((own > EQUAL).all(1), own[:, 1:3].sum(1), 0.0))
    return torch.tensor(windows, device=x.device), torch.stack(motion, dim=1)


def can_be_ordered(batch: Batch) -> Bool[Tensor, " n"]:
    """Whether a clip has five frames evenly apart no two neighbours of which are one frame."""
    return windows_of(as_float(batch.x))[1].amax(1) > 0


def single_frames(batch: Batch) -> Batch:
    """Each frame of each clip as a clip of one frame."""
    x = batch.x.transpose(1, 2).flatten(0, 1)[:, :, None]  # (n·t, c, 1, h, w)
    return repeated(batch, batch.x.shape[2]).with_x(x)
