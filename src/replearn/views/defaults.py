"""The views that a method takes if it is given none, chosen by its samples. All their numbers are here."""

import difflib
import logging
from collections.abc import Callable

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.colour import Brightness, Colour, Contrast, Grey
from replearn.views.compose import Chain, Pair, Same
from replearn.views.crops import crops
from replearn.views.cuts import CUTS
from replearn.views.evidence import evidence_of
from replearn.views.filters import Blur
from replearn.views.geometry import Crop, Elastic, Flip, Rotate, Shear
from replearn.views.noise import Masking
from replearn.views.stroke import Stroke
from replearn.views.table import Swap
from replearn.views.text import DropWords, Span

log = logging.getLogger("replearn")

PRESETS = ("photo", "grey", "directed", "drawing", "table", "text")
# Grey images are drawings if at least so much of them is a flat ground, and what is drawn on it is at most so thick
# for its length; other grey images have a left and a right from this share on. See decision 21.
FLAT, THICK, DIRECTED = 0.4, 0.25, 0.75
# Up to so many pixels a side, photographs are jittered less and not blurred, as SimCLR does for CIFAR-10.
SMALL = 32


def drawing_views(samples: Samples) -> View:
    """One-channel drawings: what a hand varies. No flips, since writing has a direction."""
    return Chain(Crop(0.6, 1.0), Rotate(15.0), Shear(20.0), Elastic(0.06, 4), Stroke(1.0))


def photo_views(samples: Samples) -> View:
    """Colour photographs: SimCLR's (appendix A); small ones at half the strength and without blur (B.9)."""
    if max(samples.shape[1:]) <= SMALL:
        return Chain(Crop(0.2, 1.0), Flip(), Colour(0.5, 0.8), Grey(0.2))
    return Chain(Crop(0.08, 1.0), Flip(), Colour(1.0, 0.8), Grey(0.2), Blur(0.1, 2.0, 0.5))


def grey_views(samples: Samples) -> View:
    """Photographs in one channel, or any number that is not colour: the same without hue and saturation."""
    if max(samples.shape[1:]) <= SMALL:
        return Chain(Crop(0.2, 1.0), Flip(), Brightness(0.4), Contrast(0.4))
    return Chain(Crop(0.08, 1.0), Flip(), Brightness(0.6), Contrast(0.6), Blur(0.1, 2.0, 0.5))


def directed_views(samples: Samples) -> View:
    """Images that have a left and a right: the same without flips."""
    grey = grey_views(samples)
    assert isinstance(grey, Chain)
    return Chain(*(view for view in grey.views if not isinstance(view, Flip)))


def table_views(samples: Samples) -> View:
    """Tables: some features of each row replaced by another row's, so that no unit of measure matters."""
    return Swap(0.3)


def text_views(samples: Samples) -> View:
    """Texts: a run of at least half of the words, without a tenth of them."""
    return Chain(Span(0.5, 1.0), DropWords(0.1))


_MAKERS = {
    "photo": photo_views,
    "grey": grey_views,
    "directed": directed_views,
    "drawing": drawing_views,
    "table": table_views,
    "text": text_views,
}


def two_views(preset: str, samples: Samples) -> Split:
    """Two views of every sample, drawn apart."""
    return Pair(_MAKERS[preset](samples))


def crop_views(preset: str, samples: Samples) -> Split:
    """Two large and some small crops of every sample."""
    return crops(_MAKERS[preset](samples), preset, samples)


def corrupted(preset: str, samples: Samples) -> Split:
    """What is left of a sample, and the sample: images lose a quarter of their pixels, rows get features of others.

    The presets differ in nothing here but whether they are for tables.
    """
    return Pair(Swap(0.3) if preset == "table" else Masking(0.25), Same())


def cut(name: str) -> Callable[[str, Samples], Split]:
    """A preset's view of every sample, cut as `replearn.views.cuts` says."""
    return lambda preset, samples: CUTS[name](samples, _MAKERS[preset](samples))


def twice(preset: str, samples: Samples) -> Split:
    """The sample itself, twice: what differs is what the encoder makes of it."""
    return Pair(Same())


# What a preset is made into, by the name that a method asks for (`Method.split`).
SPLITS: dict[str, Callable[[str, Samples], Split]] = {
    "pair": two_views,
    "crops": crop_views,
    "corrupted": corrupted,
    "twice": twice,
    **{name: cut(name) for name in CUTS},
}


def default_views(samples: Samples, split: str = "pair") -> Split:
    """Views of every sample by the preset that fits: see `preset_for`. Of images it is said which, and why.

    Args:
        samples: to be seen.
        split: what the preset is made into, one of `SPLITS`.
    """
    preset, why = chosen(samples)
    if samples.kind == "image" and split != "twice":
        log.info(
            "views: %s, since %s; choose others by --views or views=, e.g. %r", preset, why, _other(preset)
        )
    return named_views(preset, samples, split)


def named_views(name: str, samples: Samples, split: str = "pair") -> Split:
    """Views of every sample, by a preset: `photo`, `grey`, `directed`, `drawing`, `table` or `text`.

    Args:
        name: of the preset.
        samples: to be seen.
        split: what the preset is made into, one of `SPLITS`.

    Raises:
        ValueError: if there is no such preset, or it is not for samples of this kind.
    """
    if name not in _MAKERS:
        near = difflib.get_close_matches(name, PRESETS, n=1, cutoff=0.3) or [PRESETS[0]]
        raise ValueError(
            f"views must be one of {', '.join(PRESETS)}; got {name!r}. Did you mean {near[0]!r}?"
        )
    if kind_of(name) != samples.kind:
        raise ValueError(
            f"views {name!r} are not for samples of kind {samples.kind!r}; use {preset_for(samples)!r}, "
            "or leave them out."
        )
    return SPLITS[split](name, samples)


def kind_of(preset: str) -> str:
    """The kind of samples that a preset is for."""
    return preset if preset in ("table", "text") else "image"


def preset_for(samples: Samples) -> str:
    """The name of the preset that fits: `table`, `text`; of images, `photo` for three channels.

    One channel is a `drawing` if thin strokes lie on a flat ground, else `directed` if the images have a left and a
    right, else `grey`: see `replearn.views.evidence`. Any other number of channels is `grey`.

    Raises:
        ValueError: if the samples are of another kind.
    """
    return chosen(samples)[0]


def chosen(samples: Samples) -> tuple[str, str]:
    """The preset that fits, and why, as a clause with its numbers."""
    if samples.kind in ("table", "text"):
        return samples.kind, f"these are samples of kind {samples.kind}"
    if samples.kind != "image":
        raise ValueError(
            f"default views exist for images, tables and texts; got samples of kind {samples.kind!r}. Give views."
        )
    if samples.shape[0] == 3:
        return "photo", "images have three channels"
    if samples.shape[0] != 1:
        return "grey", f"images have {samples.shape[0]} channels"
    found = evidence_of(samples)
    ground = f"{found.flat:.0%} of the pixels are a flat ground"
    strokes = f"what is drawn is {found.thickness:.2f} as thick as long"
    if found.flat >= FLAT and found.thickness <= THICK:
        return "drawing", f"{ground} and {strokes} (drawings: at least {FLAT:.0%}, at most {THICK})"
    why = strokes + f" (drawings: at most {THICK})" if found.flat >= FLAT else f"only {ground}"
    sides = f"{found.mirrored:.0%} of the images look more like others than their mirror images do"
    if found.mirrored >= DIRECTED:
        return "directed", f"{why}, and {sides} (a left and a right: at least {DIRECTED:.0%})"
    return "grey", f"{why}, and {sides} (a left and a right: at least {DIRECTED:.0%})"


def _other(preset: str) -> str:
    return "drawing" if preset in ("grey", "directed") else "grey"
