"""Sounds: views that keep what is said or played, and change who is near and how it was recorded."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import Chain, MultiCrop, Pair, Same
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.series import Gain, Permute, TimeCrop, TimeGrid, TimeMask
from replearn.views.sound import BandMask, Hiss, MixIn, Reverb, Speed, Tone

WINDOW = 0.1  # seconds, about, of a window of a grid
FEWEST, MOST = 4, 64  # windows


def sound_views(samples: Samples) -> View:
    """A part of the time, another pace, pitch, microphone and room, noise, and gaps in time and frequency."""
    return Chain(
        TimeCrop(0.6, 1.0, stretched=False),
        Speed(1.15),
        Tone(4.0),
        Reverb(0.3, 0.5),
        MixIn(0.2),
        Hiss(10.0, 40.0),
        TimeMask(0.2),
        BandMask(0.2),
    )


def windows_for(samples: Like) -> int:
    """Windows of a grid: of about a tenth of a second each, which overlap by half."""
    rate = samples.details.get("rate") or 16_000
    number = round(2 * samples.shape[1] / rate / WINDOW) - 1
    return max(FEWEST, min(MOST, number, samples.shape[1] // 2))


class SoundViews(Views):
    """Sounds `(1, t)`."""

    presets: ClassVar[Mapping[str, Maker]] = {"sound": sound_views}
    splits: ClassVar[tuple[str, ...]] = (*Views.splits, "crops", "cut", "corrupted", "grid", "jigsaw")

    def crops(self, samples: Like, view: View, preset: str) -> Split:
        """Two views of every sample, and short ones, of a fifth to half of its time."""
        assert isinstance(view, Chain)
        return MultiCrop(view, Chain(TimeCrop(0.2, 0.5, stretched=False), *view.views[1:]), n_small=2)

    def cut(self, samples: Like, view: View, preset: str) -> Split:
        """The sound, begun anywhere and played a little faster or slower."""
        cut = Chain(TimeCrop(0.8, 1.0, stretched=False), Speed(1.1))
        return MultiCrop(cut, cut, n_small=0, n_large=1)

    def corrupted(self, samples: Like, view: View, preset: str) -> Split:
        """The sound with noise and without a stretch, and the sound."""
        return Pair(Chain(Hiss(0.0, 20.0), TimeMask(0.3)), Same())

    def grid(self, samples: Like, view: View, preset: str) -> Split:
        """Windows of a view of every sample, one after the other."""
        return TimeGrid(windows_for(samples), 0.5, view)

    def jigsaw(self, samples: Like, view: View, preset: str) -> Split:
        """A view of every sample, and one with its segments in random order."""
        return Pair(view, Chain(*(view.views if isinstance(view, Chain) else (view,)), Permute(4)))

    def weak(self, samples: Like, view: View, preset: str) -> Split:
        """The sound nearly as it is: begun a little later, a little faster or slower."""
        return self.single(
            samples, Chain(TimeCrop(0.9, 1.0, stretched=False), Speed(1.05), Gain(1.2)), preset
        )

    def weak_strong(self, samples: Like, view: View, preset: str) -> Split:
        """The sound nearly as it is, and a view of it."""
        return Pair(Chain(TimeCrop(0.9, 1.0, stretched=False), Speed(1.05)), view)
