"""Samples that are graphs: flat arrays and where each graph begins, so that a batch is gathered without a loop."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from replearn.data.graphs.content import Graphs
from replearn.data.labels import UNLABELLED
from replearn.data.samples import Batch, Samples


class GraphSamples(Samples):
    """Graphs, one per sample.

    Args:
        nodes: numbers of the nodes of all graphs, one graph after the other.
        edges: of each graph's edges, from which node of the graph to which, counted from 0.
        node_counts, edge_counts: how many of both each graph has.
        marks: numbers of the edges, or None.
        labels, classes, names, skipped: as `Samples` has them.
        details: what they say of themselves besides: `columns`, a name per number of a node, where they have names.

    Attributes:
        shape: numbers of a node, and numbers of an edge where edges have some.

    >>> samples = GraphSamples(np.ones((5, 1)), np.array([[0, 1], [1, 0]]), [2, 3], [2, 0])
    >>> len(samples), samples[np.array([1, 0])].x.of.tolist()
    (2, [0, 0, 0, 1, 1])
    """

    kind = "graph"

    def __init__(
        self,
        nodes: Float[np.ndarray, "v d"],
        edges: Int[np.ndarray, "2 e"],
        node_counts: Sequence[int] | np.ndarray,
        edge_counts: Sequence[int] | np.ndarray,
        marks: Float[np.ndarray, "e f"] | None = None,
        *,
        labels: np.ndarray | None = None,
        classes: Sequence[str] = (),
        names: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
        details: dict[str, Any] | None = None,
    ) -> None:
        self.nodes = np.ascontiguousarray(nodes, dtype=np.float32)
        self.edges = np.ascontiguousarray(edges, dtype=np.int32)
        self.marks = None if marks is None else np.ascontiguousarray(marks, dtype=np.float32)
        self.node_starts = _starts(node_counts)  # (n + 1,)
        self.edge_starts = _starts(edge_counts)
        self.shape = (self.nodes.shape[1], *(() if marks is None else (marks.shape[1],)))
        self.elements = np.diff(self.node_starts)
        self.labels = labels
        self.classes = tuple(classes)
        self.names = names
        self.skipped = skipped
        self.details = details or {}

    def __len__(self) -> int:
        return len(self.node_starts) - 1

    def __getitem__(self, index: np.ndarray) -> Batch:
        index = np.asarray(index, dtype=np.int64)
        nodes, counts = _ragged(self.node_starts, index)
        edges, edge_counts = _ragged(self.edge_starts, index)
        firsts = np.repeat(np.cumsum(counts) - counts, edge_counts)  # of each edge's graph, in the batch
        labels = np.full(len(index), UNLABELLED) if self.labels is None else self.labels[index]
        union = Graphs(
            torch.from_numpy(self.nodes[nodes]),
            torch.from_numpy(self.edges[:, edges].astype(np.int64) + firsts),
            None if self.marks is None else torch.from_numpy(self.marks[edges]),
            of=torch.from_numpy(np.repeat(np.arange(len(index)), counts)),
            n=len(index),
        )
        return Batch(union, torch.from_numpy(labels.astype(np.int64)), torch.from_numpy(index))

    def parts(self, index: np.ndarray | None = None) -> list[np.ndarray]:
        """Positions in consecutive parts of about 16 MB of floats."""
        index = np.arange(len(self)) if index is None else index
        numbers = (self.nodes.size + self.edges.size) / max(1, len(self))  # of a graph
        size = max(1, int(2**22 / max(1.0, numbers)))
        return [index[start : start + size] for start in range(0, len(index), size)]


def _starts(counts: Sequence[int] | np.ndarray) -> Int[np.ndarray, " m"]:
    return np.concatenate([[0], np.cumsum(np.asarray(counts, dtype=np.int64))])


def _ragged(
    starts: Int[np.ndarray, " m"], index: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " n"]]:
    """Where the elements of some samples lie, one sample after the other, and how many each has."""
    counts = starts[index + 1] - starts[index]
    before = np.cumsum(counts) - counts
    places = np.arange(counts.sum()) + np.repeat(starts[index] - before, counts)
    return places, counts
