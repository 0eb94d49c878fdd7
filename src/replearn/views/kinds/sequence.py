"""Sequences of symbols: views that keep what they mean, by their alphabet."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.alphabets import COMPLEMENT, LETTERS
from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import Chain, MultiCrop, Pair, Same
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.sequences import ReverseComplement, Stretch, Substitute


def stretches(samples: Samples) -> View:
    """A run of at least half of the letters, a twentieth of them exchanged; whole k-mers, where tokens are k-mers."""
    alphabet, step = samples.details.get("alphabet", "any"), step_of(samples)
    return Chain(Stretch(0.5, 1.0, step), Substitute(0.05, LETTERS.get(alphabet, "")))


def strands(samples: Samples) -> View:
    """The same of either strand."""
    alphabet = samples.details.get("alphabet", "dna")
    return Chain(ReverseComplement(0.5, alphabet), *stretches(samples).views)  # type: ignore[attr-defined]


def step_of(samples: Like) -> int:
    """Letters from a token to the next, where that is a number."""
    return samples.details["stride"] if samples.details.get("tokens") == "kmers" else 1


class SequenceViews(Views):
    """Strings without words."""

    presets: ClassVar[Mapping[str, Maker]] = {"stretches": stretches, "strands": strands}
    splits: ClassVar[tuple[str, ...]] = (*Views.splits, "crops")

    def chosen(self, samples: Samples) -> tuple[str, str]:
        """`strands` of DNA and RNA, unless they are read by threes, as genes are, else `stretches`."""
        alphabet = samples.details.get("alphabet")
        if alphabet not in COMPLEMENT:
            return "stretches", f"the alphabet is {alphabet}, which has one strand"
        if step_of(samples) % 3 == 0:
            return "stretches", "tokens are codons, which mean nothing on the other strand"
        return "strands", f"the alphabet is {alphabet}, which has two strands"

    def crops(self, samples: Like, view: View, preset: str) -> Split:
        """Two views of every sequence, and small ones of a fifth to half of its letters."""
        assert isinstance(view, Chain)
        small = [Stretch(0.2, 0.5, part.step) if isinstance(part, Stretch) else part for part in view.views]
        return MultiCrop(view, Chain(*small), n_small=2)

    def weak(self, samples: Like, view: View, preset: str) -> Split:
        """Nearly all of the sequence."""
        return self.single(samples, Stretch(0.9, 1.0, step_of(samples)), preset)

    def weak_strong(self, samples: Like, view: View, preset: str) -> Split:
        """The sequence, and a view of it."""
        return Pair(Same(), view)
