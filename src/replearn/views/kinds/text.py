"""Texts: views that leave out words."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import Chain, MultiCrop, Pair, Same
from replearn.views.crops import with_first
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.replace_words import ReplaceWords
from replearn.views.text import DropWords, Span


def text_views(samples: Samples) -> View:
    """A run of at least half of the words, without a tenth of them."""
    return Chain(Span(0.5, 1.0), DropWords(0.1))


class TextViews(Views):
    """Strings."""

    presets: ClassVar[Mapping[str, Maker]] = {"text": text_views}
    splits: ClassVar[tuple[str, ...]] = (*Views.splits, "crops")

    def crops(self, samples: Like, view: View, preset: str) -> Split:
        """Views of every text of which the small ones are a fifth to half of the words."""
        return MultiCrop(with_first(view, Span(0.5, 1.0)), with_first(view, Span(0.2, 0.5)), n_small=2)

    def weak_strong(self, samples: Like, view: View, preset: str) -> Split:
        """The text, and the text with words replaced that tell little of it."""
        return Pair(Same(), ReplaceWords(0.3))
