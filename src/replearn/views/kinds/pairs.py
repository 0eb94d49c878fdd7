"""Pairs: each member is seen as samples of its kind are."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import Same
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.members import Apart, Each


def members_views(samples: Samples) -> View:
    """Of each member the view that its own kind takes where nobody says how."""
    return Each(tuple(samples.members), tuple(map(_view, samples.members.values())))


def _view(samples: Samples) -> View:
    room = PairViews.rooms[samples.kind]
    return room.presets[room.chosen(samples)[0]](samples) if room.presets else Same()


class PairViews(Views):
    """Samples with members."""

    presets: ClassVar[Mapping[str, Maker]] = {"members": members_views}
    splits: ClassVar[tuple[str, ...]] = (*Views.splits, "groups")
    rooms: ClassVar[Mapping[str, Views]] = {}  # of what members are: set where all rooms are known

    def chosen(self, samples: Samples) -> tuple[str, str]:
        return "members", "each member is seen as its own kind is"

    def groups(self, samples: Like, view: View, preset: str) -> Split:
        """Each member nearly as it is, apart: what was said of a picture must stay true of what is seen of it."""
        if not isinstance(view, Each):  # how members are parted, and no more
            return Apart(tuple(samples.members), (Same(),) * len(samples.members))
        rooms = {name: self.rooms[samples.members[name].kind] for name in view.names}
        return Apart(
            view.names, tuple(room.weak(samples.members[name], Same(), "") for name, room in rooms.items())
        )

    def weak(self, samples: Like, view: View, preset: str) -> Split:
        """Each member nearly as it is."""
        return self.single(samples, Same(), preset)
