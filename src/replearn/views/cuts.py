"""How default views are cut into parts: by kind and size of the samples alone, so a description of them tells how.

A run that is loaded knows no more of its samples than that, and must see parts like those that it was trained on.
"""

from collections.abc import Callable

from replearn.data.description import Description
from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import Chain, MultiCrop, Pair, Same
from replearn.views.geometry import Crop, Elastic
from replearn.views.groups import Groups
from replearn.views.jigsaw import Jigsaw
from replearn.views.parts import Grid, Parts, as_parts

Like = Samples | Description
LARGE = 64  # pixels a side from which images are cut finely, as the papers cut theirs of 224


def single(samples: Like, view: View) -> Split:
    """One view of every sample."""
    return MultiCrop(view, view, n_small=0, n_large=1)


def grid(samples: Like, view: View) -> Split:
    """Rows of patches of a view of every sample, without a warp; tables in segments, as they are.

    Each patch is changed once more, apart from the others, so that neighbours are not told by what they share alone
    (Hénaff et al., 2020, section 3.1). https://arxiv.org/abs/1905.09272
    """
    if samples.kind == "table":
        return Grid(6, 1, 0.0)
    each: View = Same()
    if isinstance(view, Chain):
        view = Chain(*[part for part in view.views if not isinstance(part, Elastic)])
        each = Chain(Crop(0.5, 1.0), *[part for part in view.views if not isinstance(part, Crop)])
    number = 7 if max(samples.shape[1:]) >= LARGE else 4
    return Grid(number, number, 0.5, view, each)


def groups(samples: Like, view: View) -> Split:
    """Two groups of channels of every sample, each of a view drawn apart; of tables two halves, as they are.

    From one view, a smoothed drawing and its edges tell each other apart by the very place of strokes.
    """
    return Groups() if samples.kind == "table" else Groups(view, view)


def jigsaw(samples: Like, view: View) -> Split:
    """A view of every sample, and patches in random order; of tables the sample, and a view of it."""
    if samples.kind == "table":
        return Pair(Same(), view)
    return Jigsaw(3 if max(samples.shape[1:]) >= LARGE else 2, view=view)


# By the name that a method asks for (`Method.split`).
CUTS: dict[str, Callable[[Like, View], Split]] = {
    "single": single,
    "grid": grid,
    "groups": groups,
    "jigsaw": jigsaw,
}


def parts_of(spec: Split | str | None, samples: Description, split: str) -> Parts:
    """The parts that the views of a field have without chance.

    Args:
        spec: what the field holds; a preset's own views do not matter, only how they are cut.
        samples: to be cut.
        split: how a preset is cut, one of `CUTS`.
    """
    return as_parts(spec if isinstance(spec, Split) else CUTS[split](samples, Same()), samples)
