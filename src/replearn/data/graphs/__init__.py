"""Graphs: many of them, each a sample (`Graphs`), or one whose nodes are the samples (`Nodes`)."""

from replearn.data.graphs.content import Graphs, Linked, Nodes
from replearn.data.graphs.nodes import NodeSamples
from replearn.data.graphs.samples import GraphSamples

__all__ = ["GraphSamples", "Graphs", "Linked", "NodeSamples", "Nodes"]
