"""Series of sensors: views that keep what goes on, by whether channels are axes in space."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import Chain, MultiCrop, Pair, Same
from replearn.views.groups import Groups
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.series import (
    Gain,
    Permute,
    TimeCrop,
    TimeGrid,
    TimeMask,
    TimeNoise,
    TimeWarp,
    Turn,
)

WINDOWS = 8


def series_views(samples: Samples) -> View:
    """Any channels: a part of the time, at a pace that varies, with other swings and some noise."""
    return Chain(TimeCrop(0.5, 1.0), TimeWarp(0.3), Gain(1.5), TimeNoise(0.1))


def motion_views(samples: Samples) -> View:
    """Axes of sensors that are worn or carried: turned too, since nobody wears them twice alike."""
    return Chain(TimeCrop(0.5, 1.0), TimeWarp(0.3), Turn(30.0), Gain(1.5), TimeNoise(0.1))


def in_triples(samples: Samples) -> tuple[bool, str]:
    """Whether channels are x, y, z of sensors, and why, as a clause: by their names, or, without, by their number."""
    names, channels = samples.details.get("channels") or (), samples.shape[0]
    if not names:
        return channels % 3 == 0, f"there are {channels} channels without names"
    ends = "".join(name[-1:].lower() for name in names)
    return ends == "xyz" * (channels // 3), f"channels are called {', '.join(names[:6])}"


class SeriesViews(Views):
    """Series `(c, t)`; what images are cut into patches for, they are cut into windows for."""

    presets: ClassVar[Mapping[str, Maker]] = {"series": series_views, "motion": motion_views}
    splits: ClassVar[tuple[str, ...]] = (
        *Views.splits,
        "crops",
        "cut",
        "corrupted",
        "grid",
        "groups",
        "jigsaw",
    )

    def chosen(self, samples: Samples) -> tuple[str, str]:
        """`motion` for triples of axes, else `series`."""
        motion, why = in_triples(samples)
        return ("motion", f"{why}, triples of axes") if motion else ("series", f"{why}, no triples of axes")

    def crops(self, samples: Like, view: View, preset: str) -> Split:
        """Two views of every sample, and small ones of a fifth to half of its time."""
        assert isinstance(view, Chain)
        return MultiCrop(view, Chain(TimeCrop(0.2, 0.5), *view.views[1:]), n_small=2)

    def cut(self, samples: Like, view: View, preset: str) -> Split:
        """One large part of every sample, turned where it may be."""
        views = view.views if isinstance(view, Chain) else ()
        cut = Chain(TimeCrop(0.7, 1.0), *[part for part in views if isinstance(part, Turn)])
        return MultiCrop(cut, cut, n_small=0, n_large=1)

    def corrupted(self, samples: Like, view: View, preset: str) -> Split:
        """The sample with noise and without a stretch, and the sample."""
        return Pair(Chain(TimeNoise(0.5), TimeMask(0.3)), Same())

    def grid(self, samples: Like, view: View, preset: str) -> Split:
        """Windows of a view of every sample."""
        return TimeGrid(min(WINDOWS, samples.shape[1] // 2), 0.5, view)

    def groups(self, samples: Like, view: View, preset: str) -> Split:
        """The first half of the channels, and the rest."""
        return Groups(view)

    def jigsaw(self, samples: Like, view: View, preset: str) -> Split:
        """A view of every sample, and one with its segments in random order."""
        return Pair(view, Chain(*(view.views if isinstance(view, Chain) else (view,)), Permute(4)))

    def weak(self, samples: Like, view: View, preset: str) -> Split:
        """The sample with a little noise, nearly all of its time."""
        return self.single(samples, Chain(TimeCrop(0.9, 1.0), TimeNoise(0.05)), preset)

    def weak_strong(self, samples: Like, view: View, preset: str) -> Split:
        """The sample nearly as it is, and a view of it without a stretch."""
        return Pair(Chain(TimeCrop(0.9, 1.0), TimeNoise(0.05)), Chain(view, TimeMask(0.2)))
