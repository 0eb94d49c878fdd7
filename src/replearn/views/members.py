"""Views of samples with members: of each member by views of its own kind, together (`Each`) or apart (`Apart`)."""

from dataclasses import dataclass, replace

from replearn.data.description import Description
from replearn.data.pairs import Together, member
from replearn.data.samples import Batch, Samples
from replearn.views.base import Split, View
from replearn.views.compose import check_view
from replearn.views.parts import Parts


@dataclass(frozen=True)
class Each(View):
    """One view of every sample: of each member a view of its own.

    Args:
        names: of the members.
        views: one for each of them.
    """

    names: tuple[str, ...]
    views: tuple[View, ...]

    def __post_init__(self) -> None:
        _check(self.names, len(self.views), "Each")
        for view in self.views:
            check_view(view, "Each")

    def fitted(self, samples: Samples) -> "Each":
        pairs = zip(self.names, self.views, strict=True)
        return replace(self, views=tuple(view.fitted(samples.members[name]) for name, view in pairs))

    def __call__(self, batch: Batch) -> Batch:
        seen = {name: view(member(batch, name)).x for name, view in zip(self.names, self.views, strict=True)}
        return batch.with_x(Together(seen))


@dataclass(frozen=True)
class Apart(Parts):
    """The members of every sample, apart: what is seen of one is predicted of the other.

    Args:
        names: of the members.
        views: of each of them one view, as a split with one; a view will do.

    References: Radford et al., ICML 2021, section 2.3. https://arxiv.org/abs/2103.00020
    """

    names: tuple[str, ...]
    views: tuple[Split | View, ...]

    def __post_init__(self) -> None:
        _check(self.names, len(self.views), "Apart")

    def fitted(self, samples: Samples) -> "Apart":
        pairs = zip(self.names, self.views, strict=True)
        return replace(self, views=tuple(view.fitted(samples.members[name]) for name, view in pairs))

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        pairs = zip(self.names, self.views, strict=True)
        seen = (view(member(batch, name)) for name, view in pairs)
        return tuple(found if isinstance(found, Batch) else found[0] for found in seen)

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        return tuple(member(batch, name) for name in self.names)

    def describe(self, samples: Description) -> tuple[Description, ...]:
        return tuple(samples.members[name] for name in self.names)


def _check(names: tuple[str, ...], number: int, owner: str) -> None:
    if len(names) != number or not names:
        raise ValueError(
            f"{owner} needs a view for each member; got {number} for {', '.join(names) or 'none'}."
        )
