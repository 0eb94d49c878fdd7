"""Samples that are the nodes of one graph: a batch holds the graph, whole or what lies around its nodes."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data.graphs.content import Nodes
from replearn.data.labels import UNLABELLED
from replearn.data.samples import Batch, Samples

log = logging.getLogger("replearn")

WHOLE = 2**25  # numbers of nodes, 128 MB of floats, up to which a batch holds the whole graph
HOPS = 3  # steps around a node that a batch of a larger graph holds: two layers, and the degrees of what they read


class NodeSamples(Samples):
    """The nodes of one graph, one per sample.

    A batch of a graph of up to 33 million numbers holds the whole graph, which all batches share. Of a larger one it
    holds what lies within `hops` steps of its nodes, each node once: networks of fewer layers than that read the same
    from it.

    Args:
        nodes: numbers of each node.
        edges: from which node to which; what has no direction stands there both ways.
        labels, classes, names: as `Samples` has them.
        masks: which nodes are `train`, `val` and `test` where the data are public and say so.
        hops: steps; None: the whole graph if it is small enough, else three.

    >>> ring = np.array([[0, 1, 2, 3], [1, 2, 3, 0]])
    >>> samples = NodeSamples(np.eye(4), ring, hops=1)
    >>> samples[np.array([1])].x.nodes.shape, NodeSamples(np.eye(4), ring)[np.array([1])].x.nodes.shape
    (torch.Size([2, 4]), torch.Size([4, 4]))
    """

    kind = "node"

    def __init__(
        self,
        nodes: Float[np.ndarray, "v d"],
        edges: Int[np.ndarray, "2 e"],
        *,
        labels: np.ndarray | None = None,
        classes: Sequence[str] = (),
        names: Sequence[str] | None = None,
        masks: Mapping[str, np.ndarray] | None = None,
        hops: int | None = None,
    ) -> None:
        self.nodes = torch.from_numpy(np.ascontiguousarray(nodes, dtype=np.float32))
        edges = np.asarray(edges, dtype=np.int64)
        self.edges = torch.from_numpy(np.ascontiguousarray(edges[:, np.lexsort((edges[0], edges[1]))]))
        self.shape = (self.nodes.shape[1],)
        self.labels = labels
        self.classes = tuple(classes)
        self.names = names
        self.masks = dict(masks or {})
        self.hops = HOPS if hops is None and self.nodes.numel() > WHOLE else hops
        self.ids = torch.arange(len(self.nodes))
        # Edges are sorted by where they lead, so those into a node lie side by side.
        into = torch.bincount(self.edges[1], minlength=len(self.nodes))
        self.starts = torch.cat([torch.zeros(1, dtype=torch.int64), into.cumsum(0)])  # (v + 1,)

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, index: np.ndarray) -> Batch:
        roots = torch.from_numpy(np.asarray(index, dtype=np.int64))
        labels = np.full(len(index), UNLABELLED) if self.labels is None else self.labels[index]
        x = Nodes(self.nodes, self.edges, None, roots, self.ids) if self.hops is None else self.around(roots)
        return Batch(x, torch.from_numpy(labels.astype(np.int64)), roots)

    def around(self, roots: Int[Tensor, " n"]) -> Nodes:
        """Some nodes with all from which they are reached in `hops` steps, and the edges on the way."""
        near = last = roots.unique()  # type: ignore[no-untyped-call]
        for _ in range(self.hops or 0):
            found = self.edges[0, self._into(last)].unique()  # type: ignore[no-untyped-call]
            last = found[~torch.isin(found, near)]
            near = torch.cat([near, last]).unique()  # type: ignore[no-untyped-call]
        places = self._into(near)
        places = places[torch.isin(self.edges[0, places], near)]
        edges = torch.searchsorted(near, self.edges[:, places].contiguous())
        return Nodes(self.nodes[near], edges, None, torch.searchsorted(near, roots), near)

    def _into(self, nodes: Int[Tensor, " n"]) -> Int[Tensor, " m"]:
        """Where the edges lie that lead into some nodes."""
        first = self.starts[nodes]
        counts = self.starts[nodes + 1] - first
        before = counts.cumsum(0) - counts
        return torch.arange(int(counts.sum())) + torch.repeat_interleave(first - before, counts)

    def part(self, name: str) -> Samples:
        """The nodes of one part of the public split.

        Raises:
            ValueError: there is none of this name.
        """
        if name not in self.masks:
            there = ", ".join(map(repr, self.masks)) or "none"
            raise ValueError(f"part must be one of the public split's; got {name!r}, there are {there}.")
        return self.subset(self.masks[name])


def planetoid(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """What `NodeSamples` takes, of the arrays of a file in the form of Planetoid: rows by CSR or whole, edges, masks.

    Raises:
        ValueError: they do not fit together.
    """
    if "x" in arrays:
        nodes = np.asarray(arrays["x"], dtype=np.float32)
    else:
        from scipy.sparse import csr_array

        rows = tuple(np.asarray(arrays[f"x_{name}"]) for name in ("data", "indices", "indptr"))
        nodes = (
            csr_array(rows, shape=tuple(int(size) for size in arrays["x_shape"])).toarray().astype(np.float32)
        )
    masks = {
        name.removesuffix("_mask"): np.asarray(arrays[name], dtype=bool)
        for name in ("train_mask", "val_mask", "test_mask")
        if name in arrays
    }
    return {"nodes": nodes, "edges": np.asarray(arrays["edge_index"], dtype=np.int64), "masks": masks}


def checked(nodes: np.ndarray, edges: np.ndarray, masks: Mapping[str, np.ndarray], origin: str) -> None:
    """Raises ValueError where nodes, edges and masks are not those of one graph."""
    if nodes.ndim != 2 or not len(nodes):
        raise ValueError(f"{origin} must have numbers of nodes (v, d); got shape {nodes.shape}. Add them.")
    bad = np.flatnonzero(~np.isfinite(nodes).all(1))
    if len(bad):
        raise ValueError(
            f"{origin} must have finite numbers; {len(bad):,} of {len(nodes):,} nodes have others, the first is number "
            f"{bad[0]}. Fill them in, or leave these nodes out."
        )
    if edges.ndim != 2 or edges.shape[0] != 2:
        raise ValueError(f"{origin} must have edges (2, e); got shape {edges.shape}. Transpose them.")
    out = (edges < 0) | (edges >= len(nodes))
    if out.any():
        raise ValueError(
            f"{origin} must have edges between its {len(nodes):,} nodes; {int(out.any(0).sum()):,} lead elsewhere, the "
            f"first to node {edges[out][0]}. Leave them out."
        )
    loops = int((edges[0] == edges[1]).sum())
    if loops:
        log.info("%s: %d edges lead from a node to itself; they are kept", origin, loops)
    for name, mask in masks.items():
        if mask.shape != (len(nodes),):
            raise ValueError(f"{origin} must have a mask {name} of {len(nodes):,}; got shape {mask.shape}.")
