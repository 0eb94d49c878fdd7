"""Videos: views that keep what goes on, the same for all frames of a clip."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.colour import Brightness, Colour, Grey
from replearn.views.compose import Chain, MultiCrop, Pair, Same
from replearn.views.crops import LITTLE, small_side
from replearn.views.directions import Directions
from replearn.views.filters import Blur
from replearn.views.geometry import Crop, Flip
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.noise import Masking
from replearn.views.tracked import Tracked
from replearn.views.tuples import FrameTuples
from replearn.views.videos import AllFrames, EachFrame, Shuffled, TimeJitter, TimeParts

WINDOWS = 4  # of a grid


def clip_views(samples: Samples) -> View:
    """Another pace, and the views of photographs, drawn once for a clip; of large frames also blurred."""
    small = max(samples.shape[2:]) <= LITTLE
    seen = (Crop(0.3, 1.0), Flip(), Colour(0.5 if small else 1.0, 0.8), Grey(0.2))
    blurred = () if small else (Blur(0.1, 2.0, 0.5),)
    return Chain(TimeJitter(0.6, 1.0), AllFrames(Chain(*seen, *blurred)))


class VideoViews(Views):
    """Clips `(c, t, h, w)`; what images are cut into patches for, they are cut into windows of frames for."""

    presets: ClassVar[Mapping[str, Maker]] = {"clip": clip_views}
    splits: ClassVar[tuple[str, ...]] = (
        *(*Views.splits, "crops", "cut", "corrupted", "grid", "jigsaw"),
        *("directions", "frame_order", "tracked"),
    )

    def other(self, preset: str) -> str:
        return preset

    def crops(self, samples: Like, view: View, preset: str) -> Split:
        """Two views of every sample, and small ones: a smaller part of the frames and of the time."""
        height, width = (small_side(side, 1 / 2) for side in samples.shape[2:])
        seen = (Crop(0.1, 0.4, size=(height, width)), Flip(), Colour(0.5, 0.8), Grey(0.2))
        return MultiCrop(view, Chain(TimeJitter(0.3, 0.6), AllFrames(Chain(*seen))), n_small=2)

    def cut(self, samples: Like, view: View, preset: str) -> Split:
        """One large part of every sample, mirrored or not, in all frames alike; time and colours stay."""
        cut = AllFrames(Chain(Crop(0.5, 1.0), Flip()))
        return MultiCrop(cut, cut, n_small=0, n_large=1)

    def corrupted(self, samples: Like, view: View, preset: str) -> Split:
        """The sample without a quarter of the pixels of each frame, and the sample."""
        return Pair(EachFrame(Masking(0.25)), Same())

    def grid(self, samples: Like, view: View, preset: str) -> Split:
        """Windows of a view of every sample, one after the other."""
        return TimeParts(min(WINDOWS, samples.shape[1]), 0.0, view)

    def jigsaw(self, samples: Like, view: View, preset: str) -> Split:
        """A view of every sample, and one with its frames in random order."""
        return Pair(view, Chain(view, Shuffled()))

    def weak(self, samples: Like, view: View, preset: str) -> Split:
        """The sample nearly as it is, mirrored or not."""
        return self.single(samples, AllFrames(Chain(Crop(0.8, 1.0), Flip())), preset)

    def weak_strong(self, samples: Like, view: View, preset: str) -> Split:
        """The sample nearly as it is, and a view of it."""
        return Pair(AllFrames(Chain(Crop(0.8, 1.0), Flip())), view)

    def directions(self, samples: Like, view: View, preset: str) -> Split:
        """Both directions of every sample, as a large part of it, in other colours."""
        return Directions(AllFrames(Chain(Crop(0.6, 1.0), Flip(), Colour(0.5, 0.8))))

    def frame_order(self, samples: Like, view: View, preset: str) -> Split:
        """Five frames of every sample, of a large part of it, each a little brighter or darker than the others."""
        return FrameTuples(Chain(AllFrames(Chain(Crop(0.6, 1.0), Flip())), EachFrame(Brightness(0.2))))

    def tracked(self, samples: Like, view: View, preset: str) -> Split:
        """Frames of every sample in grey, of a large part of it, and their colours."""
        return Tracked(min(3, samples.shape[1] - 1), AllFrames(Chain(Crop(0.6, 1.0), Flip())))
