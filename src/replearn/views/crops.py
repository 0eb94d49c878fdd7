"""Large and small crops of images: how large, how small, and how many."""

import math

from replearn.data.samples import Samples
from replearn.views.base import View
from replearn.views.compose import Chain, MultiCrop
from replearn.views.geometry import Crop
from replearn.views.text import Span

LITTLE = 32  # pixels of a side up to which images are little
FEWEST = 8  # pixels of a small crop's side, unless the image has less

# Areas of large and of small crops, as fractions of the image's, by preset: DINO's, of photographs. A part of a drawing
# is soon a part of another one, so those of drawings show more.
AREAS = {
    "photo": ((0.4, 1.0), (0.05, 0.4)),
    "grey": ((0.4, 1.0), (0.05, 0.4)),
    "directed": ((0.4, 1.0), (0.05, 0.4)),
    "drawing": ((0.6, 1.0), (0.5, 0.9)),
}
# A twentieth of a little image is too few pixels to tell anything.
LITTLE_AREAS = AREAS | dict.fromkeys(("photo", "grey", "directed"), ((0.3, 1.0), (0.1, 0.4)))


def crops(view: View, preset: str, samples: Samples) -> MultiCrop:
    """Two large and some small crops of every sample, each changed as one of a pair would be.

    Small crops have fewer pixels: 3/7 of the side, as 96 of 224; half the side of little images, 0.7 of drawings. There
    are six of them, but two of little images, which lose more by a crop.

    Args:
        view: one of a pair by that preset; a chain that begins with its cut.
        preset: its name.
        samples: to be seen.

    References: Caron et al., ICCV 2021, section 3.2. https://arxiv.org/abs/2104.14294
    """
    little = max(samples.shape[1:]) <= LITTLE
    large, small = (LITTLE_AREAS if little else AREAS)[preset]
    share = 0.7 if preset == "drawing" else 1 / 2 if little else 3 / 7
    height, width = (small_side(side, share) for side in samples.shape[1:])
    return MultiCrop(
        with_first(view, Crop(*large)),
        with_first(view, Crop(*small, size=(height, width))),
        n_small=2 if little else 6,
    )


def small_side(side: int, share: float) -> int:
    """A share of the side, rounded up to a multiple of 4, since networks halve it again and again.

    >>> small_side(28, 1 / 2), small_side(224, 3 / 7), small_side(5, 1 / 2)
    (16, 96, 5)
    """
    return min(side, max(FEWEST, 4 * math.ceil(side * share / 4)))


def with_first(view: View, cut: Crop | Span) -> Chain:
    """The chain with another cut in place of its own, which is the first of its views."""
    assert isinstance(view, Chain)
    assert isinstance(view.views[0], type(cut))
    return Chain(cut, *view.views[1:])
