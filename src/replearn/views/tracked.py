"""`Tracked`: frames of each clip in grey, one after the other, and their colours.

x_1 ... x_r+1 --Lab--> lightness, in three equal channels (n·(r+1), c, 1, h, w);  a and b (n·(r+1), 2, 1, h, w)
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from replearn.data.description import Description
from replearn.data.samples import Batch, Samples
from replearn.views.base import View, check_whole, uniform
from replearn.views.compose import check_view
from replearn.views.grey_of import CHANNELS, COLOURS
from replearn.views.lab import grey, lab
from replearn.views.parts import UNCHANGED, Parts
from replearn.views.tuples import single_frames
from replearn.views.videos import clips, frames_at


@dataclass(frozen=True)
class Tracked(Parts):
    """Some frames of each clip in a row, in grey, and their colours; each part has a row for each frame.

    The first ones are references, whose colours may be looked up; the last one is to be coloured. Which run of frames
    it is, is drawn; without chance it is the first.

    Args:
        references: frames before the one that is coloured.
        view: of the sample, before its colours are parted from it.

    References: Vondrick et al., ECCV 2018, section 3.4 (three references). https://arxiv.org/abs/1806.09594

    >>> batch = Batch(torch.rand(2, 3, 8, 16, 16), labels=torch.zeros(2).long(), index=torch.arange(2))
    >>> [tuple(part.x.shape) for part in Tracked(3)(batch)]
    [(8, 3, 1, 16, 16), (8, 2, 1, 16, 16)]
    """

    references: int = 3
    view: View = UNCHANGED

    def __post_init__(self) -> None:
        check_whole(self, "references", 1)
        check_view(self.view, "Tracked")

    def fitted(self, samples: Samples) -> "Tracked":
        return replace(self, view=self.view.fitted(samples))

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        x = clips(batch, self)
        self._check(x.shape[1], x.shape[2])
        room = x.shape[2] - self.references
        first = (uniform(batch, 1) * room).long().clamp(max=room - 1)  # (n, 1)
        run = first + torch.arange(self.references + 1, device=x.device)
        return self._parted(self.view(batch.with_x(frames_at(x, run))))

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        x = clips(batch, self)
        self._check(x.shape[1], x.shape[2])
        return self._parted(batch.with_x(x[:, :, : self.references + 1]))

    def describe(self, samples: Description) -> tuple[Description, ...]:
        channels, frames, height, width = samples.shape
        self._check(channels, frames)
        mean, std = (torch.full((2,), value) for value in COLOURS)
        seen = replace(samples, shape=(channels, 1, height, width))
        return seen, replace(samples, shape=(2, 1, height, width), statistics=(mean, std))

    def per_part(self, samples: Description) -> int:
        return self.references + 1

    def _parted(self, batch: Batch) -> tuple[Batch, ...]:
        frames = single_frames(batch)
        seen, colours = grey_and_colours(frames.x)
        return frames.with_x(seen), frames.with_x(colours)

    def _check(self, channels: int, frames: int) -> None:
        if channels != CHANNELS:
            raise ValueError(
                f"colours are tracked in clips of three channels; got {channels}. Give colour clips, or learn from "
                "these with ArrowOfTime or OrderVerification."
            )
        if frames <= self.references:
            raise ValueError(
                f"clips must have more frames than the {self.references} references; got {frames}. Read longer ones, "
                "kind='video:frames=8' say."
            )


def grey_frames(batch: Batch) -> Batch:
    """Every frame of every clip in grey, a row each."""
    frames = single_frames(batch.floats())
    return frames.with_x(grey_and_colours(frames.x)[0])


def grey_and_colours(x: Tensor) -> tuple[Tensor, Tensor]:
    """Frames `(m, 3, 1, h, w)` in grey, and a and b of Lab, scaled to [0, 1]."""
    return grey(x[:, :, 0])[:, :, None], lab(x[:, :, 0])[:, 1:, None]
