"""Clouds of points: views that leave what a thing is."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import Chain, MultiCrop, Pair
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.points import PointCrop, PointDrop, PointMirror, PointNoise, PointScale, Spin


def point_views(samples: Samples) -> View:
    """Things that stand in any direction: turned about up, in other proportions, seen in part, by fewer points."""
    return Chain(
        PointCrop(0.6, 1.0), Spin(180.0), PointMirror(), PointScale(1.25), PointDrop(0.5), PointNoise(0.02)
    )


def aligned_views(samples: Samples) -> View:
    """Things that face one way, as in most collections of models: turned a little alone."""
    return Chain(
        PointCrop(0.6, 1.0), Spin(15.0), PointMirror(), PointScale(1.25), PointDrop(0.5), PointNoise(0.02)
    )


class PointViews(Views):
    """Clouds `(3, k)` with y up."""

    presets: ClassVar[Mapping[str, Maker]] = {"points": point_views, "aligned": aligned_views}
    splits: ClassVar[tuple[str, ...]] = (*Views.splits, "crops", "cut")

    def chosen(self, samples: Samples) -> tuple[str, str]:
        """`points`: what faces one way is known to who has the things."""
        return "points", "nothing says that these clouds face one way (then: aligned)"

    def crops(self, samples: Like, view: View, preset: str) -> Split:
        """Two views of every sample, and small ones of a tenth to four tenths of its points."""
        assert isinstance(view, Chain)
        return MultiCrop(view, Chain(PointCrop(0.1, 0.4), *view.views[1:]), n_small=2)

    def cut(self, samples: Like, view: View, preset: str) -> Split:
        """The whole cloud, turned as in the preset, mirrored, and in other proportions."""
        views = view.views if isinstance(view, Chain) else (view,)
        cut = Chain(*[part for part in views if isinstance(part, Spin | PointMirror | PointScale)])
        return MultiCrop(cut, cut, n_small=0, n_large=1)

    def weak(self, samples: Like, view: View, preset: str) -> Split:
        """The sample turned and scaled a little."""
        return self.single(samples, _weak(), preset)

    def weak_strong(self, samples: Like, view: View, preset: str) -> Split:
        """The sample turned and scaled a little, and a view of it."""
        return Pair(_weak(), view)


def _weak() -> View:
    return Chain(Spin(5.0), PointScale(1.05))
