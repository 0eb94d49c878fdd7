"""`Directions`: each clip forwards and backwards; and what tells the two apart without a look at what happens.

black bars         what a film's compression leaves in them differs from frame to frame: they become black
repeated frames    a clip that is filled up by its last frame: it is left out (`goes_on`)
a moving camera    zooms, pans and steps go forwards: `Stabilised` holds the ground still
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from replearn.data.content import as_float
from replearn.data.description import Description
from replearn.data.samples import Batch, Samples
from replearn.views.base import View, check_whole
from replearn.views.compose import check_view
from replearn.views.parts import UNCHANGED, Parts, repeated
from replearn.views.videos import clips

DARK = 0.1  # up to which a row or column at the edge is one of a black bar
EQUAL = 1 / 512  # by which two frames differ at most, in the mean, that are one frame


@dataclass(frozen=True)
class Directions(Parts):
    """Each clip as it is and played backwards, one after the other: a part of two rows for each sample.

    Args:
        view: of the sample, before it is played in both directions.
        bars: whether bars at the edges that are dark in every frame are made black.

    References: Wei et al., CVPR 2018, section 5.1 (black framing). https://openaccess.thecvf.com/content_cvpr_2018/html/Wei_Learning_and_Using_CVPR_2018_paper.html

    >>> batch = Batch(torch.arange(3.0).view(1, 1, 3, 1, 1), labels=torch.tensor([0]), index=torch.tensor([0]))
    >>> (played,) = Directions().parts(batch)
    >>> played.x.flatten(1).tolist()
    [[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]
    """

    view: View = UNCHANGED
    bars: bool = True

    def __post_init__(self) -> None:
        check_view(self.view, "Directions")

    def fitted(self, samples: Samples) -> "Directions":
        return replace(self, view=self.view.fitted(samples))

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        return self._played(self.view(self._guarded(batch)))

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        return self._played(self._guarded(batch))

    def describe(self, samples: Description) -> tuple[Description, ...]:
        return (samples,)

    def per_part(self, samples: Description) -> int:
        return 2

    def _guarded(self, batch: Batch) -> Batch:
        x = clips(batch, self)
        return batch.with_x(without_bars(x) if self.bars else x)

    def _played(self, batch: Batch) -> tuple[Batch, ...]:
        both = torch.stack([batch.x, batch.x.flip(2)], dim=1).flatten(0, 1)  # (n·2, c, t, h, w)
        return (repeated(batch, 2).with_x(both),)


def directions_of(batch: Batch) -> Int[Tensor, " m"]:
    """0 for each row of what `Directions` makes of a batch that goes forwards, 1 for backwards; -1 is not asked."""
    both = torch.arange(2, device=batch.labels.device).repeat(len(batch))
    return torch.where(goes_on(batch).repeat_interleave(2), both, -1)


def goes_on(batch: Batch) -> Bool[Tensor, " n"]:
    """Whether neither the first two nor the last two frames of a clip are one frame: else its end may be made up."""
    x = as_float(batch.x)
    if x.shape[2] < 2:
        return torch.zeros(len(x), dtype=torch.bool, device=x.device)
    ends = [(x[:, :, one] - x[:, :, other]).abs().flatten(1).mean(1) for one, other in ((0, 1), (-1, -2))]
    return (ends[0] > EQUAL) & (ends[1] > EQUAL)


def without_bars(x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n c t h w"]:
    """Rows and columns at the edges that are dark in every frame, as black."""
    rows, columns = x.amax((1, 2, 4)) < DARK, x.amax((1, 2, 3)) < DARK  # (n, h), (n, w)
    bars = _from_edges(rows)[:, :, None] | _from_edges(columns)[:, None]  # (n, h, w)
    return x.masked_fill(bars[:, None, None], 0.0)


def _from_edges(dark: Bool[Tensor, "n k"]) -> Bool[Tensor, "n k"]:
    """Those without one that is not dark between them and an edge."""
    return (dark.cummin(1).values | dark.flip(1).cummin(1).values.flip(1)).bool()


@dataclass(frozen=True)
class Stabilised(View):
    """The ground held still, as far as a camera's pans are whole pixels; what isn't seen in all frames is black.

    From frame to frame that shift is taken by which the median of all pixels' changes is the least, so things that
    cover less than half of the frame may move as they like.

    Args:
        most: pixels of a shift between two frames, at most.

    References: Wei et al., CVPR 2018, section 5.1 (camera motion, by feature points and homographies).
    """

    most: int = 2

    def __post_init__(self) -> None:
        check_whole(self, "most", 1)

    def __call__(self, batch: Batch) -> Batch:
        x = clips(batch, self)
        path = self.path(x)
        n, _, t, height, width = x.shape
        down, across = (
            path[..., axis, None] + torch.arange(size, device=x.device)
            for axis, size in enumerate((height, width))
        )  # (n, t, h), (n, t, w)
        seen = (
            ((down >= 0) & (down < height)).all(1),
            ((across >= 0) & (across < width)).all(1),
        )  # in all frames
        rows = torch.arange(n, device=x.device)[:, None, None, None]
        frames = torch.arange(t, device=x.device)[None, :, None, None]
        down, across = down.clamp(0, height - 1)[..., None], across.clamp(0, width - 1)[:, :, None]
        held = x.permute(0, 2, 3, 4, 1)[rows, frames, down, across].permute(0, 4, 1, 2, 3)
        there = seen[0][:, :, None] & seen[1][:, None]
        return batch.with_x(held.masked_fill(~there[:, None, None], 0.0))

    def path(self, x: Float[Tensor, "n c t h w"]) -> Int[Tensor, "n t 2"]:
        """Where the ground of each frame lies, in pixels down and to the right of where it is in the middle one."""
        m, grey = min(self.most, (min(x.shape[3:]) - 1) // 2), x.mean(1)  # (n, t, h, w)
        height, width = grey.shape[2:]
        shifts = sorted(
            ((down, across) for down in range(-m, m + 1) for across in range(-m, m + 1)),
            key=lambda shift: abs(shift[0]) + abs(shift[1]),
        )
        before = grey[:, :-1, m : height - m, m : width - m]
        costs = [
            (grey[:, 1:, m + down : height - m + down, m + across : width - m + across] - before)
            .abs()
            .flatten(2)
            .median(2)
            .values
            for down, across in shifts
        ]
        # Of equal ones the smallest shift.
        best = (torch.stack(costs) + 1e-6 * torch.arange(len(shifts), device=x.device)[:, None, None]).argmin(
            0
        )
        steps = torch.tensor(shifts, device=x.device)[best]  # (n, t-1, 2)
        path = torch.nn.functional.pad(steps, (0, 0, 1, 0)).cumsum(1)
        return path - path[:, path.shape[1] // 2, None]
