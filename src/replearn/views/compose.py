"""Views made of views: `Chain`, `Maybe`, `Same`; splits made of views: `Pair`, `MultiCrop`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import torch

from replearn.data.content import as_float
from replearn.data.samples import Batch, Samples
from replearn.views.base import Split, View, chance, check_probability, check_whole
from replearn.views.colour import ColourView, recolour
from replearn.views.warp import Geometry, warp


@dataclass(frozen=True)
class Same(View):
    """The sample itself (bytes become floats in [0, 1])."""

    def __call__(self, batch: Batch) -> Batch:
        return batch.floats()


@dataclass(frozen=True, init=False, repr=False)
class Chain(View):
    """One view after another; neighbours of one family are fused.

    Consecutive geometric views are one resampling, consecutive colour views one affine map with one clamp.
    Chains within a chain are laid flat, so they are fused as well.

    >>> from replearn.views import Flip, Grey
    >>> Chain(Flip(), Chain(Grey(0.1)))
    Chain(Flip(probability=0.5), Grey(probability=0.1))
    """

    views: tuple[View, ...]

    def __init__(self, *views: View) -> None:
        for view in views:
            check_view(view, "Chain")
        object.__setattr__(self, "views", tuple(_flat(views)))

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self.views))})"

    def fitted(self, samples: Samples) -> "Chain":
        return Chain(*(view.fitted(samples) for view in self.views))

    def __call__(self, batch: Batch) -> Batch:
        for family, members in groupby(self.views, _family):
            batch = _FUSED[family](batch, list(members))
        return batch.floats()


@dataclass(frozen=True)
class Maybe(View):
    """`view` with some probability, else the sample itself. The view must keep the sample's shape."""

    view: View
    probability: float = 0.5

    def __post_init__(self) -> None:
        check_view(self.view, "Maybe")
        check_probability(self, "probability")

    def fitted(self, samples: Samples) -> "Maybe":
        return replace(self, view=self.view.fitted(samples))

    def __call__(self, batch: Batch) -> Batch:
        chosen = chance(batch, self.probability)
        x, seen = as_float(batch.x), self.view(batch).x
        if x.shape != seen.shape:
            raise ValueError(
                f"a view within Maybe must keep the shape of samples; {self.view} made "
                f"{tuple(seen.shape[1:])} of {tuple(x.shape[1:])}. Put it outside of Maybe."
            )
        return batch.with_x(torch.where(chosen.view(-1, *[1] * (x.ndim - 1)), seen, x))


@dataclass(frozen=True)
class Pair(Split):
    """Two views of every sample: by `view` and, drawn apart, by `other` (None: by `view` again).

    >>> from replearn.views import Flip
    >>> Pair(Flip(), Same())
    Pair(view=Flip(probability=0.5), other=Same())
    """

    view: View
    other: View | None = None

    def __post_init__(self) -> None:
        check_view(self.view, "Pair")
        if self.other is not None:
            check_view(self.other, "Pair")

    def fitted(self, samples: Samples) -> "Pair":
        return Pair(self.view.fitted(samples), self.other and self.other.fitted(samples))

    def __call__(self, batch: Batch) -> tuple[Batch, Batch]:
        return self.view(batch), (self.other or self.view)(batch)


@dataclass(frozen=True)
class MultiCrop(Split):
    """Two large views and several small ones of every sample, each drawn apart (SwAV, DINO).

    Args:
        large: the view of the first `n_large`, `Chain(Crop(0.4, 1.0), ...)` say.
        small: the view of the `n_small` that follow, `Chain(Crop(0.05, 0.4, size=16), ...)` say.
        n_small, n_large: how many of each.

    References: Caron et al., NeurIPS 2020, section 3.2. https://arxiv.org/abs/2006.09882
    """

    large: View
    small: View
    n_small: int = 6
    n_large: int = 2

    def __post_init__(self) -> None:
        check_view(self.large, "MultiCrop")
        check_view(self.small, "MultiCrop")
        check_whole(self, "n_small", 0)
        check_whole(self, "n_large", 1)

    def fitted(self, samples: Samples) -> "MultiCrop":
        return replace(self, large=self.large.fitted(samples), small=self.small.fitted(samples))

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        return tuple(view(batch) for view in [self.large] * self.n_large + [self.small] * self.n_small)

    def wholes(self, views: tuple[Batch, ...]) -> tuple[Batch, ...]:
        return views[: self.n_large]


def check_view(view: object, owner: str) -> None:
    """Raise unless `view` is a View, not a class of views or a split."""
    if not isinstance(view, View):
        raise ValueError(f"{owner} is made of views, such as Flip(); got {view!r}.")


def _flat(views: Sequence[View]) -> Iterator[View]:
    for view in views:
        yield from view.views if isinstance(view, Chain) else (view,)


def _family(view: View) -> str:
    if isinstance(view, Geometry):
        return "geometry"
    return "colour" if isinstance(view, ColourView) else "other"


def _one_by_one(batch: Batch, views: Sequence[View]) -> Batch:
    for view in views:
        batch = view(batch)
    return batch


_FUSED: dict[str, Callable[[Batch, Sequence[Any]], Batch]] = {
    "geometry": warp,
    "colour": recolour,
    "other": _one_by_one,
}
