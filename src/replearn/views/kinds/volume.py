"""Volumes: views that leave what is seen, and change where it lies, how it was taken and what of it is there."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import Chain, MultiCrop, Pair, Same
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.volumes import (
    VolumeCrop,
    VolumeElastic,
    VolumeFlip,
    VolumeIntensity,
    VolumeMask,
    VolumeNoise,
    VolumeTurn,
)

_TAKEN = (VolumeIntensity(0.3), VolumeNoise(0.1))  # otherwise


def volume_views(samples: Samples) -> View:
    """Anything: a part, turned and bent a little, taken otherwise. Nothing is mirrored."""
    return Chain(VolumeCrop(0.4, 1.0), VolumeTurn(20.0), VolumeElastic(0.03), *_TAKEN)


def body_views(samples: Samples) -> View:
    """Bodies, whose left and right are nearly alike: mirrored, too, and turned less."""
    return Chain(VolumeCrop(0.4, 1.0), VolumeTurn(10.0), VolumeElastic(0.03), VolumeFlip(2), *_TAKEN)


class VolumeViews(Views):
    """Volumes `(c, d, h, w)`."""

    presets: ClassVar[Mapping[str, Maker]] = {"volume": volume_views, "body": body_views}
    splits: ClassVar[tuple[str, ...]] = (*Views.splits, "crops", "cut", "corrupted")

    def chosen(self, samples: Samples) -> tuple[str, str]:
        """`volume`: what may be mirrored is known to who has the volumes."""
        return "volume", "nothing says that left and right of these volumes are alike (then: body)"

    def crops(self, samples: Like, view: View, preset: str) -> Split:
        """Two views of every sample, and small ones of a twentieth to three tenths of it."""
        assert isinstance(view, Chain)
        return MultiCrop(view, Chain(VolumeCrop(0.05, 0.3), *view.views[1:]), n_small=2)

    def cut(self, samples: Like, view: View, preset: str) -> Split:
        """One large part of every sample, mirrored where it may be."""
        views = view.views if isinstance(view, Chain) else ()
        cut = Chain(VolumeCrop(0.6, 1.0), *[part for part in views if isinstance(part, VolumeFlip)])
        return MultiCrop(cut, cut, n_small=0, n_large=1)

    def corrupted(self, samples: Like, view: View, preset: str) -> Split:
        """The sample with noise and without a box, and the sample."""
        return Pair(Chain(VolumeNoise(0.3), VolumeMask(0.5)), Same())

    def weak(self, samples: Like, view: View, preset: str) -> Split:
        """The sample with a little noise, nearly all of it."""
        return self.single(samples, _weak(), preset)

    def weak_strong(self, samples: Like, view: View, preset: str) -> Split:
        """The sample nearly as it is, and a view of it without a box."""
        return Pair(_weak(), Chain(view, VolumeMask(0.4)))


def _weak() -> View:
    return Chain(VolumeCrop(0.9, 1.0), VolumeNoise(0.03))
