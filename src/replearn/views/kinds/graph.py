"""Graphs as GraphCL sees them, and nodes as GRACE does."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import Chain, MultiCrop
from replearn.views.graphs import (
    DropEdges,
    DropNodes,
    MaskFeatures,
    MaskNodes,
    OneOf,
    RewireEdges,
    Subgraph,
)
from replearn.views.kinds.base import Like, Maker, Views


def graphcl_views(samples: Samples) -> View:
    """A fifth of each graph changed, in one of four ways, which is drawn for the batch (You et al., 2020, table 1)."""
    return OneOf((DropNodes(0.2), RewireEdges(0.2), MaskNodes(0.2), Subgraph(0.2)))


def grace_views(samples: Samples) -> View:
    """The graph without some of its edges, its nodes without some of their numbers (Zhu et al., 2020, section 3.2)."""
    return Chain(DropEdges(0.3), MaskFeatures(0.3))


class GraphViews(Views):
    """Unions of graphs."""

    presets: ClassVar[Mapping[str, Maker]] = {"graphcl": graphcl_views}
    splits: ClassVar[tuple[str, ...]] = (*Views.splits, "crops")

    def other(self, preset: str) -> str:
        return preset

    def crops(self, samples: Like, view: View, preset: str) -> Split:
        """Connected parts of every graph: four fifths of its nodes, and half of them."""
        return MultiCrop(Subgraph(0.2), Subgraph(0.5), n_small=2)


class NodeViews(Views):
    """Nodes of one graph."""

    presets: ClassVar[Mapping[str, Maker]] = {"grace": grace_views}

    def other(self, preset: str) -> str:
        return preset
