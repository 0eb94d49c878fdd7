"""Images: views that keep what they show, by what kind of pictures they are. All numbers are here."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.colour import Brightness, Colour, Contrast, Grey
from replearn.views.compose import Chain, MultiCrop, Pair, Same
from replearn.views.crops import crops
from replearn.views.evidence import evidence_of
from replearn.views.filters import Blur, Cutout, Stroke
from replearn.views.geometry import Crop, Elastic, Flip, Rotate, Scale, Shear, Shift
from replearn.views.grey_of import GreyOf
from replearn.views.groups import Groups
from replearn.views.guards import ChannelJitter, Coarse
from replearn.views.hidden import Hidden
from replearn.views.jigsaw import Jigsaw
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.noise import Masking
from replearn.views.parts import Grid
from replearn.views.randaugment import RandAugment
from replearn.views.rotations import Rotations
from replearn.views.salient import Salient
from replearn.views.tiles import Tiles
from replearn.views.warp import Geometry

# Grey images are drawings if at least so much of them is a flat ground, and what is drawn on it is at most so thick
# for its length; other grey images have a left and a right from this share on. See decision 21.
FLAT, THICK, DIRECTED = 0.4, 0.25, 0.75
# Up to so many pixels a side, photographs are jittered less and not blurred, as SimCLR does for CIFAR-10.
SMALL = 32
CUT = 0.5  # of an image's area, at least, that is seen where its patches are predicted
LARGE = 64  # pixels a side from which images are cut finely, as the papers cut theirs of 224


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


class ImageViews(Views):
    """Images `(c, h, w)`."""

    presets: ClassVar[Mapping[str, Maker]] = {
        "photo": photo_views,
        "grey": grey_views,
        "directed": directed_views,
        "drawing": drawing_views,
    }
    splits: ClassVar[tuple[str, ...]] = (
        *Views.splits,
        "crops",
        "cut",
        "corrupted",
        "grid",
        "groups",
        "jigsaw",
        "rotations",
        "tiles",
        "grey_of",
        "hidden",
    )

    def chosen(self, samples: Samples) -> tuple[str, str]:
        """`photo` for three channels.

        One channel is a `drawing` if thin strokes lie on a flat ground, else `directed` if the images have a left and a
        right, else `grey`: see `replearn.views.evidence`. Any other number of channels is `grey`.
        """
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
        preset = "directed" if found.mirrored >= DIRECTED else "grey"
        return preset, f"{why}, and {sides} (a left and a right: at least {DIRECTED:.0%})"

    def other(self, preset: str) -> str:
        return "drawing" if preset in ("grey", "directed") else "grey"

    def crops(self, samples: Samples, view: View, preset: str) -> Split:
        """Two large and some small crops of every sample."""
        return crops(view, preset, samples)

    def cut(self, samples: Like, view: View, preset: str) -> Split:
        """One large part of every sample, mirrored where it may be; its colours stay, which are to be predicted.

        (He et al., 2022, section 4.1, "Data augmentation") https://arxiv.org/abs/2111.06377
        """
        views = view.views if isinstance(view, Chain) else ()
        cut = Chain(Crop(CUT, 1.0), *[part for part in views if isinstance(part, Flip)])
        return MultiCrop(cut, cut, n_small=0, n_large=1)

    def corrupted(self, samples: Like, view: View, preset: str) -> Split:
        """The sample without a quarter of its pixels, and the sample; the presets differ in nothing here."""
        return Pair(Masking(0.25), Same())

    def grid(self, samples: Like, view: View, preset: str) -> Split:
        """Rows of patches of a view of every sample, without a warp.

        Each patch is changed once more, apart from the others, so that neighbours are not told by what they share alone
        (Hénaff et al., 2020, section 3.1). https://arxiv.org/abs/1905.09272
        """
        each: View = Same()
        if isinstance(view, Chain):
            view = Chain(*[part for part in view.views if not isinstance(part, Elastic)])
            each = Chain(Crop(0.5, 1.0), *[part for part in view.views if not isinstance(part, Crop)])
        number = 7 if max(samples.shape[1:]) >= LARGE else 4
        return Grid(number, number, 0.5, view, each)

    def exemplars(self, samples: Like, view: View, preset: str) -> Split:
        """A distortion of the most eventful square of every sample, by all that the paper composes."""
        cut = Salient(0.5 if max(samples.shape[1:]) >= LARGE else 0.75)
        moved: list[View] = [Shift(0.2), Scale(0.7, 1.4), Rotate(20.0)]
        shaded: list[View] = [Brightness(0.4), Contrast(0.5)]
        if preset == "photo":
            shaded = [Colour(0.5, 0.8), *shaded]
        return self.single(samples, Chain(cut, *moved, *shaded), preset)

    def groups(self, samples: Like, view: View, preset: str) -> Split:
        """Two groups of channels of every sample, each of a view drawn apart.

        From one view, a smoothed drawing and its edges tell each other apart by the very place of strokes.
        """
        return Groups(view, view)

    def jigsaw(self, samples: Like, view: View, preset: str) -> Split:
        """A view of every sample, and patches in random order."""
        return Jigsaw(3 if max(samples.shape[1:]) >= LARGE else 2, view=view)

    def rotations(self, samples: Like, view: View, preset: str) -> Split:
        """A view of every sample, without a turn of its own, in all four ways that it can be turned."""
        if isinstance(view, Chain):
            view = Chain(*[part for part in view.views if not isinstance(part, Rotate)])
        return Rotations(view)

    def tiles(self, samples: Like, view: View, preset: str) -> Split:
        """Tiles of a view of every sample, each made coarse at times, its channels moved where there are several."""
        guards = [Coarse(0.3, 0.5)] if samples.shape[0] == 1 else [ChannelJitter(1), Coarse(0.3, 0.5)]
        return Tiles(view=view, each=Chain(*guards))

    def grey_of(self, samples: Like, view: View, preset: str) -> Split:
        """The grey of a view of every sample, and its colours as they are: only its places are changed."""
        if isinstance(view, Chain):
            view = Chain(*[part for part in view.views if isinstance(part, Geometry)])
        return GreyOf(view)

    def hidden(self, samples: Like, view: View, preset: str) -> Split:
        """A view of every sample with a part of it hidden: only its places are changed."""
        if isinstance(view, Chain):
            view = Chain(*[part for part in view.views if isinstance(part, Geometry)])
        return Hidden(view=view)

    def weak(self, samples: Like, view: View, preset: str) -> Split:
        """The sample moved, turned and scaled a little (and flipped, where the preset flips)."""
        flips = [part for part in view.views if isinstance(part, Flip)] if isinstance(view, Chain) else []
        return self.single(samples, Chain(*flips, Shift(0.1), Rotate(10), Scale(0.9, 1.1)), preset)

    def weak_strong(self, samples: Like, view: View, preset: str) -> Split:
        """The sample moved a little (and flipped, where the preset flips), and a view of it without a piece.

        The strong view of photographs is by RandAugment, as FixMatch and UDA have it.
        """
        flips = [part for part in view.views if isinstance(part, Flip)] if isinstance(view, Chain) else []
        weak = Chain(*flips, Shift(0.125))
        changed = view if preset == "drawing" else Chain(weak, RandAugment(2, 0.0, 1.0))
        return Pair(weak, Chain(changed, Cutout(0.05, 0.25)))
