"""Views of clips `(n, c, t, h, w)`.

    AllFrames   a view of images, drawn once for a clip: the same crop, the same colours in every frame
    EachFrame   a view of images, drawn for each frame apart
    TimeJitter, Reversed, Shuffled    which frames are seen, in which order
    TimeParts   windows of frames

A crop or a jitter drawn for each frame apart would destroy what moves, and one that differs from frame to frame in
order would tell the order; so geometry belongs in `AllFrames`.
"""

from dataclasses import dataclass, replace
from itertools import groupby

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data.content import as_float
from replearn.data.samples import Batch, Samples
from replearn.views.base import View, check_interval, check_probability, uniform
from replearn.views.colour import ColourView
from replearn.views.compose import Chain, check_view
from replearn.views.parts import Windows, repeated


def clips(batch: Batch, view: object) -> Float[Tensor, "n c t h w"]:
    """The batch's clips as floats in [0, 1].

    Raises:
        ValueError: if the batch holds something else.
    """
    if batch.x.ndim != 5:
        raise ValueError(
            f"{type(view).__name__} is a view of clips, (n, c, t, h, w); got {tuple(batch.x.shape)}. Views of images "
            "are put around it, not into it."
        )
    return as_float(batch.x)


def frames_at(x: Float[Tensor, "n c t h w"], places: Int[Tensor, "n k"]) -> Float[Tensor, "n c k h w"]:
    """Of each clip the frames at some places, in that order."""
    rows = torch.arange(len(x), device=x.device)[:, None]
    return x.transpose(1, 2)[rows, places].transpose(1, 2)


def told_frames(x: Float[Tensor, "n c t h w"]) -> dict[str, Float[Tensor, "n c 1 h w"]]:
    """The first, the middle and the last frame of clips, for a reader."""
    places = {"first": 0, "middle": x.shape[2] // 2, "last": x.shape[2] - 1}
    return {name: x[:, :, place : place + 1] for name, place in places.items()}


@dataclass(frozen=True)
class AllFrames(View):
    """A view of images that sees all frames of a clip alike: what it draws, it draws once for a clip.

    For what moves or blurs pixels frames are channels of one image, for what changes colours they lie one below the
    other. Geometric views in a row are resampled once, as they are of images.

    Args:
        view: of images, or a chain of such.

    >>> from replearn.views import Crop
    >>> batch = Batch(torch.rand(2, 3, 8, 16, 16), labels=torch.zeros(2).long(), index=torch.arange(2))
    >>> AllFrames(Crop(0.5, 1.0, size=12))(batch).x.shape
    torch.Size([2, 3, 8, 12, 12])
    """

    view: View

    def __post_init__(self) -> None:
        check_view(self.view, "AllFrames")

    def fitted(self, samples: Samples) -> "AllFrames":
        return replace(self, view=self.view.fitted(samples))

    def __call__(self, batch: Batch) -> Batch:
        x = clips(batch, self)
        views = self.view.views if isinstance(self.view, Chain) else (self.view,)
        for colours, members in groupby(views, lambda view: isinstance(view, ColourView)):
            c, t = x.shape[1:3]
            folded = x.flatten(2, 3) if colours else x.flatten(1, 2)  # (n, c, t·h, w) or (n, c·t, h, w)
            seen = Chain(*members)(batch.with_x(folded)).x
            x = seen.unflatten(2, (t, -1)) if colours else seen.unflatten(1, (c, t))
        return batch.with_x(x)


@dataclass(frozen=True)
class EachFrame(View):
    """A view of images that is drawn for each frame apart: other colours in each, say.

    Args:
        view: of images.
    """

    view: View

    def __post_init__(self) -> None:
        check_view(self.view, "EachFrame")

    def fitted(self, samples: Samples) -> "EachFrame":
        return replace(self, view=self.view.fitted(samples))

    def __call__(self, batch: Batch) -> Batch:
        x = clips(batch, self)
        frames = repeated(batch, x.shape[2]).with_x(x.transpose(1, 2).flatten(0, 1))  # (n·t, c, h, w)
        seen = self.view(frames).x
        return batch.with_x(seen.unflatten(0, (-1, x.shape[2])).transpose(1, 2))


@dataclass(frozen=True)
class TimeJitter(View):
    """A part of the time, seen at another pace: as many frames as there were, the nearest ones, some of them repeated.

    Args:
        low, high: the share of the time that is seen, drawn for each clip.
    """

    low: float = 0.6
    high: float = 1.0

    def __post_init__(self) -> None:
        check_interval(self, "low", "high", 1e-6, 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x = clips(batch, self)
        t = x.shape[2]
        seen = uniform(batch, 1, low=self.low, high=self.high) * (t - 1)  # (n, 1)
        first = uniform(batch, 1) * (t - 1 - seen)
        along = torch.linspace(0, 1, t, device=x.device)
        return batch.with_x(frames_at(x, (first + seen * along).round().long()))


@dataclass(frozen=True)
class Reversed(View):
    """Played backwards, with some probability."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        x = clips(batch, self)
        turned = uniform(batch) < self.probability
        return batch.with_x(torch.where(turned.view(-1, 1, 1, 1, 1), x.flip(2), x))


@dataclass(frozen=True)
class Shuffled(View):
    """Frames in random order."""

    def __call__(self, batch: Batch) -> Batch:
        x = clips(batch, self)
        return batch.with_x(frames_at(x, uniform(batch, x.shape[2]).argsort(1)))


@dataclass(frozen=True)
class TimeParts(Windows):
    """Windows of equally many frames, from the first to the last.

    Args:
        windows, overlap, view, each: as in `replearn.views.parts.Windows`.
    """

    windows: int = 4
    overlap: float = 0.0

    def in_time(self, batch: Batch) -> Float[Tensor, "n c t h w"]:
        return clips(batch, self)
