"""What a batch of graphs holds: their disjoint union; and what a batch of nodes holds: their graph, and which they are.

Graphs    o-o   o      of = 0 0 0 1 1          a sample is a graph
           \\|   |
            o   o

Nodes     x-o-x-o      roots = 0, 2            a sample is a node, with what lies around it
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from replearn.data.content import mixed, sums_of_words

Pooling = Literal["sum", "mean", "max"]
Own = TypeVar("Own", bound="Linked")


@dataclass(frozen=True, eq=False)
class Linked:
    """Nodes and edges.

    Attributes:
        nodes: numbers of each node.
        edges: the nodes that each edge leads from and to; what has no direction stands there both ways.
        marks: numbers of each edge, or None.
    """

    nodes: Float[Tensor, "v d"]
    edges: Int[Tensor, "2 e"]
    marks: Float[Tensor, "e f"] | None

    def with_nodes(self: Own, nodes: Float[Tensor, "v k"]) -> Own:
        """The same edges between nodes of these numbers."""
        return replace(self, nodes=nodes)

    def with_edges(self: Own, edges: Int[Tensor, "2 m"], marks: Tensor | None) -> Own:
        """Other edges between the same nodes."""
        return replace(self, edges=edges, marks=marks)

    def floats(self: Own) -> Own:
        """The same, its numbers as floats."""
        marks = None if self.marks is None else self.marks.float()
        return replace(self, nodes=self.nodes.float(), marks=marks)

    def channels(self) -> Float[Tensor, "v d"]:
        """The nodes' numbers, of which statistics are made."""
        return self.nodes.float()

    def pool(self, states: Float[Tensor, "v k"], how: Pooling) -> Float[Tensor, "n k"]:
        """One row per sample of what was made of its nodes."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Graphs(Linked):
    """The disjoint union of n graphs.

    Attributes:
        of: the graph of each node, rising.
        n: graphs; some may have no node.

    >>> pair = torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]])
    >>> two = Graphs(torch.eye(5), pair, None, of=torch.tensor([0, 0, 1, 1, 1]), n=2)
    >>> two[1:].edges.tolist(), two.counts.tolist(), two.pool(torch.ones(5, 1), "sum").tolist()
    ([[0, 1], [1, 0]], [2, 3], [[2.0], [3.0]])
    """

    of: Int[Tensor, " v"]
    n: int

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, rows: slice) -> "Graphs":
        start, stop, step = rows.indices(self.n)
        if step != 1:
            raise ValueError(
                f"graphs of a batch are taken in order; got a step of {step}. Take consecutive ones."
            )
        bounds = torch.tensor([start, max(start, stop)], device=self.of.device)
        first, last = torch.searchsorted(self.of, bounds).tolist()
        inside = (self.edges[0] >= first) & (self.edges[0] < last)
        marks = None if self.marks is None else self.marks[inside]
        return Graphs(
            *(self.nodes[first:last], self.edges[:, inside] - first, marks),
            of=self.of[first:last] - start,
            n=max(0, stop - start),
        )

    def __eq__(self, other: object) -> bool:
        if (
            not isinstance(other, Graphs)
            or self.n != other.n
            or (self.marks is None) != (other.marks is None)
        ):
            return False
        pairs = [(self.nodes, other.nodes), (self.edges, other.edges), (self.of, other.of)]
        if self.marks is not None and other.marks is not None:
            pairs.append((self.marks, other.marks))
        return all(torch.equal(a, b) for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]

    def to(self, device: torch.device | str) -> "Graphs":
        """The same on a device."""
        marks = None if self.marks is None else self.marks.to(device)
        return Graphs(self.nodes.to(device), self.edges.to(device), marks, of=self.of.to(device), n=self.n)

    @cached_property
    def counts(self) -> Int[Tensor, " n"]:
        """Nodes of each graph."""
        return torch.bincount(self.of, minlength=self.n)

    @cached_property
    def starts(self) -> Int[Tensor, " n"]:
        """The first node of each graph."""
        return self.counts.cumsum(0) - self.counts

    @property
    def places(self) -> Int[Tensor, " v"]:
        """The number of each node within its graph."""
        return torch.arange(len(self.of), device=self.of.device) - self.starts[self.of]

    @property
    def of_edges(self) -> Int[Tensor, " e"]:
        """The graph of each edge."""
        return self.of[self.edges[0]]

    def kept(self, chosen: Bool[Tensor, " v"]) -> "Graphs":
        """The graphs without the other nodes, and without the edges that end there."""
        number = chosen.cumsum(0) - 1
        both = chosen[self.edges[0]] & chosen[self.edges[1]]
        marks = None if self.marks is None else self.marks[both]
        return Graphs(self.nodes[chosen], number[self.edges[:, both]], marks, of=self.of[chosen], n=self.n)

    def pool(self, states: Float[Tensor, "v k"], how: Pooling) -> Float[Tensor, "n k"]:
        """Sum, mean or largest of the states of each graph's nodes; zeros of a graph without any."""
        rows = states.new_zeros(self.n, states.shape[1])
        if how == "max":
            index = self.of[:, None].expand_as(states)
            return rows.scatter_reduce(0, index, states, "amax", include_self=False)
        sums = rows.index_add(0, self.of, states)
        return sums if how == "sum" else sums / self.counts.clamp(min=1)[:, None].to(states.dtype)

    def flat(self) -> Float[Tensor, "n d"]:
        """The sums of each graph's nodes' numbers: where they say what a node is, how many there are of each."""
        return self.pool(self.nodes.float(), "sum")

    def each(self) -> Iterator[bytes]:
        """The bytes of each graph: its nodes, edges and marks in their order."""
        nodes = (self.nodes + 0).cpu().numpy()  # -0 becomes 0
        edges = (self.edges - self.starts[self.of_edges]).T.contiguous().cpu().numpy()
        marks = None if self.marks is None else (self.marks + 0).cpu().numpy()
        node_ends = self.counts.cumsum(0).tolist()
        edge_ends = torch.bincount(self.of_edges, minlength=self.n).cumsum(0).tolist()
        first, begun = 0, 0
        for last, ended in zip(node_ends, edge_ends, strict=True):
            told = [str(last - first).encode(), nodes[first:last].tobytes(), edges[begun:ended].tobytes()]
            yield b"\0".join(told if marks is None else [*told, marks[begun:ended].tobytes()])
            first, begun = last, ended

    def hashes(self) -> Int[Tensor, " n"]:
        """A number of 64 bits per graph that equal ones share."""
        own = row_hashes(self.nodes)
        ends = (self.edges - self.starts[self.of_edges]).T  # (e, 2)
        edges = row_hashes(ends) if self.marks is None else mixed(row_hashes(ends)) + row_hashes(self.marks)
        sums = mixed(self.counts).index_add(0, self.of, mixed(own + mixed(self.places)))
        return mixed(sums.index_add(0, self.of_edges, mixed(edges ^ -1)))


@dataclass(frozen=True, eq=False)
class Nodes(Linked):
    """Some nodes of one graph, with as much of the graph as they are read by.

    All share it: an edge that one of them does not see, none sees. Parts of a batch have the same graph, fewer roots.

    Attributes:
        roots: which nodes are the samples.
        ids: a number per node that is the node's own in the whole graph.
    """

    roots: Int[Tensor, " n"]
    ids: Int[Tensor, " v"]

    def __len__(self) -> int:
        return len(self.roots)

    def __getitem__(self, rows: slice) -> "Nodes":
        return replace(self, roots=self.roots[rows])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Nodes):
            return False
        pairs = [(self.roots, other.roots), (self.edges, other.edges), (self.nodes, other.nodes)]
        return all(a is b or torch.equal(a, b) for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]

    def to(self, device: torch.device | str) -> "Nodes":
        """The same on a device."""
        marks = None if self.marks is None else self.marks.to(device)
        moved = (part.to(device) for part in (self.roots, self.ids))
        return Nodes(self.nodes.to(device), self.edges.to(device), marks, *moved)

    def pool(self, states: Float[Tensor, "v k"], how: Pooling) -> Float[Tensor, "n k"]:
        """The states of the samples' nodes."""
        return states[self.roots]

    def flat(self) -> Float[Tensor, "n d"]:
        """The samples' own numbers, without their neighbours'."""
        return self.nodes[self.roots].float()

    def channels(self) -> Float[Tensor, "n d"]:
        """The same, of which statistics are made."""
        return self.flat()

    def each(self) -> Iterator[bytes]:
        """The number in the whole graph: no node is a copy of another, since none has its place."""
        return (number.to_bytes(8, "little") for number in self.ids[self.roots].tolist())

    def hashes(self) -> Int[Tensor, " n"]:
        """A number of 64 bits per node, its own."""
        return mixed(self.ids[self.roots])


def row_hashes(rows: Tensor) -> Int[Tensor, " m"]:
    """A number of 64 bits per row that equal rows share."""
    words = rows.double() + 0 if rows.is_floating_point() else rows.long()  # -0 becomes 0
    return sums_of_words(words.contiguous().view(torch.int64))
