"""Tables: views for which no unit of measure matters."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import MultiCrop, Pair, Same
from replearn.views.groups import Groups
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.parts import Grid
from replearn.views.table import Swap


def table_views(samples: Samples) -> View:
    """Some features of each row replaced by another row's."""
    return Swap(0.3)


class TableViews(Views):
    """Rows `(d,)` of numbers; what images are cut into patches for, they are cut into segments for, as they are."""

    presets: ClassVar[Mapping[str, Maker]] = {"table": table_views}
    splits: ClassVar[tuple[str, ...]] = (*Views.splits, "crops", "corrupted", "grid", "groups", "jigsaw")

    def crops(self, samples: Like, view: View, preset: str) -> Split:
        """Views of every sample of which the small ones have twice as much of a row replaced."""
        assert isinstance(view, Swap)
        return MultiCrop(view, Swap(min(1.0, 2 * view.probability)), n_small=2)

    def corrupted(self, samples: Like, view: View, preset: str) -> Split:
        """Rows with features of others, and the rows."""
        return Pair(Swap(0.3), Same())

    def grid(self, samples: Like, view: View, preset: str) -> Split:
        """Segments of every row."""
        return Grid(6, 1, 0.0)

    def groups(self, samples: Like, view: View, preset: str) -> Split:
        """Two halves of every row."""
        return Groups()

    def jigsaw(self, samples: Like, view: View, preset: str) -> Split:
        """The row, and a view of it."""
        return Pair(Same(), view)
