"""`Views`: how samples of a kind are seen where nobody says how."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from replearn.data.description import Description
from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import MultiCrop, Pair, Same

Like = Samples | Description
AS_THEY_ARE = ("twice", "plain")  # splits that show samples as they are where no preset is named
Maker = Callable[[Samples], View]


class Views:
    """A kind of samples, as the stage `views` knows it.

    A split is a method of its name, `(samples, view, preset) -> Split`: what a preset's view of every sample is made
    into. What a run sees when it is loaded depends on kind and size of the samples alone, so `samples` may be their
    description, and what cuts samples into parts must look at no more.

    Attributes:
        presets: what makes one view of every sample, by name; without one, methods are to be given views.
        splits: those that there are; a method that needs another one does not serve this kind.
        stored: classes of views and splits of another package's kind, which a run may hold; replearn's own are known.
    """

    presets: ClassVar[Mapping[str, Maker]] = {}
    splits: ClassVar[tuple[str, ...]] = (
        "pair",
        "single",
        "twice",
        "plain",
        "exemplars",
        "weak",
        "weak_strong",
    )
    stored: ClassVar[tuple[type[View] | type[Split], ...]] = ()

    @property
    def offers(self) -> frozenset[str]:
        """The splits that can be made with a preset, or without."""
        return frozenset(self.splits) if self.presets else frozenset({*AS_THEY_ARE} & {*self.splits})

    def chosen(self, samples: Samples) -> tuple[str, str]:
        """The preset that fits, and why, as a clause."""
        return next(iter(self.presets)), f"these are samples of kind {samples.kind}"

    def other(self, preset: str) -> str:
        """Another preset, as an example."""
        return next(name for name in self.presets if name != preset)

    def pair(self, samples: Like, view: View, preset: str) -> Split:
        """Two views of every sample, drawn apart."""
        return Pair(view)

    def single(self, samples: Like, view: View, preset: str) -> Split:
        """One view of every sample."""
        return MultiCrop(view, view, n_small=0, n_large=1)

    def exemplars(self, samples: Like, view: View, preset: str) -> Split:
        """One distortion of every sample."""
        return self.single(samples, view, preset)

    def twice(self, samples: Like, view: View, preset: str) -> Split:
        """The sample itself, twice: what differs is what the encoder makes of it."""
        return Pair(Same())

    def plain(self, samples: Like, view: View, preset: str) -> Split:
        """The sample itself, or one view of it where a preset is named."""
        return self.single(samples, view, preset)

    def weak(self, samples: Like, view: View, preset: str) -> Split:
        """The sample nearly as it is."""
        return self.single(samples, Same(), preset)

    def weak_strong(self, samples: Like, view: View, preset: str) -> Split:
        """The sample nearly as it is, and a view of it."""
        return Pair(Same(), view)
