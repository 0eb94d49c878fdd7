"""Views of graphs: without some nodes, with other edges, with some nodes' numbers masked, or a connected part.

What is drawn for a node or an edge follows from its graph's seed and its place; nodes that are samples share one graph,
so there one seed is drawn for the batch and the place is that in the whole graph. Both ways of an edge that has no
direction are drawn as one.

References: You et al., NeurIPS 2020, section 3.1. https://arxiv.org/abs/2010.13902
Zhu et al., 2020, section 3.2. https://arxiv.org/abs/2006.04131
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from replearn.data.graphs import Graphs, Linked, Nodes
from replearn.data.samples import Batch, Samples
from replearn.views.base import View, check_probability, hashed, uniform, uniform_of_elements
from replearn.views.compose import check_view


@dataclass(frozen=True)
class DropNodes(View):
    """Each graph without a share of its nodes, rounded down; one node stays in any case."""

    share: float = 0.2

    def __post_init__(self) -> None:
        check_probability(self, "share")

    def __call__(self, batch: Batch) -> Batch:
        x = of_graphs(batch, self)
        drawn = uniform_of_elements(batch, x.of, x.places)[:, 0]
        return batch.with_x(x.kept(ranks(drawn, x) < staying(x, self.share)[x.of]))


@dataclass(frozen=True)
class Subgraph(View):
    """A connected part of each graph, of all but a share of its nodes.

    It grows from a node, by one of the edges that lead out of it, each with the same chance, until it is large enough
    or there is none: edges get lengths from an exponential distribution, and the nearest nodes stay.
    """

    share: float = 0.2

    def __post_init__(self) -> None:
        check_probability(self, "share")

    def __call__(self, batch: Batch) -> Batch:
        x = of_graphs(batch, self)
        first = ranks(uniform_of_elements(batch, x.of, x.places)[:, 0], x) == 0  # (v,)
        lengths = -torch.log1p(-_of_edges(batch)[:, 0])  # (e,)
        away = torch.where(first, 0.0, torch.inf)
        while True:
            there = away[x.edges[0]] + lengths
            nearer = away.scatter_reduce(0, x.edges[1], there, "amin")
            if torch.equal(nearer, away):
                break
            away = nearer
        chosen = (ranks(away, x) < staying(x, self.share)[x.of]) & away.isfinite()
        return batch.with_x(x.kept(chosen))


@dataclass(frozen=True)
class RewireEdges(View):
    """A share of the edges, drawn apart, lead from another node of the graph to another: some go, as many come."""

    share: float = 0.2

    def __post_init__(self) -> None:
        check_probability(self, "share")

    def __call__(self, batch: Batch) -> Batch:
        x = of_graphs(batch, self)
        drawn = _of_edges(batch, columns=3)
        firsts, counts = x.starts[x.of_edges], x.counts[x.of_edges]
        ends = firsts[:, None] + (drawn[:, 1:] * counts[:, None]).long()  # (e, 2)
        back = x.edges[0] > x.edges[1]
        ends = torch.where(back[:, None], ends.flip(1), ends).T
        other = drawn[:, 0] < self.share
        edges = torch.where(other, ends, x.edges)
        real = ~other | (edges[0] != edges[1])  # a new edge to the node itself is none
        return batch.with_x(x.with_edges(edges[:, real], None if x.marks is None else x.marks[real]))


@dataclass(frozen=True)
class DropEdges(View):
    """The graph without a share of the edges, each drawn apart."""

    share: float = 0.2

    def __post_init__(self) -> None:
        check_probability(self, "share")

    def __call__(self, batch: Batch) -> Batch:
        x: Linked = batch.x
        stays = _of_edges(batch)[:, 0] >= self.share
        return batch.with_x(x.with_edges(x.edges[:, stays], None if x.marks is None else x.marks[stays]))


@dataclass(frozen=True)
class MaskNodes(View):
    """A share of the nodes, rounded down, has the mean of the graph's numbers in place of its own."""

    share: float = 0.2

    def __post_init__(self) -> None:
        check_probability(self, "share")

    def __call__(self, batch: Batch) -> Batch:
        x = of_graphs(batch, self).floats()
        drawn = uniform_of_elements(batch, x.of, x.places)[:, 0]
        masked = ranks(drawn, x) >= staying(x, self.share)[x.of]
        mean = x.pool(x.nodes, "mean")[x.of]
        return batch.with_x(x.with_nodes(torch.where(masked[:, None], mean, x.nodes)))


@dataclass(frozen=True)
class MaskFeatures(View):
    """A share of the nodes' numbers, the same for all nodes of a graph, is zero."""

    share: float = 0.2

    def __post_init__(self) -> None:
        check_probability(self, "share")

    def __call__(self, batch: Batch) -> Batch:
        x: Linked = batch.x.floats()
        width = x.nodes.shape[1]
        if isinstance(x, Graphs):
            stays = (uniform(batch, width) >= self.share)[x.of]  # (v, d)
        else:
            stays = torch.rand(width, device=x.nodes.device) >= self.share  # (d,)
        return batch.with_x(x.with_nodes(x.nodes * stays))


@dataclass(frozen=True)
class OneOf(View):
    """One of several views, drawn for the whole batch.

    >>> OneOf((DropNodes(0.2), Subgraph(0.2))).views[0]
    DropNodes(share=0.2)
    """

    views: tuple[View, ...]

    def __post_init__(self) -> None:
        for view in self.views:
            check_view(view, "OneOf")

    def fitted(self, samples: Samples) -> "OneOf":
        return OneOf(tuple(view.fitted(samples) for view in self.views))

    def __call__(self, batch: Batch) -> Batch:
        return self.views[int(torch.randint(len(self.views), (), device=batch.labels.device))](batch)


def hide_nodes(batch: Batch, share: float) -> Bool[Tensor, " v"]:
    """Which nodes are hidden: a share of each graph's, rounded, at least one, and not all of several.

    Of nodes that share one graph each is hidden with that probability.
    """
    x: Linked = batch.x
    if isinstance(x, Nodes):
        return _of_the_graph(batch, x.ids)[:, 0] < share
    assert isinstance(x, Graphs)
    return ranks(uniform_of_elements(batch, x.of, x.places)[:, 0], x) < _hidden(x, share)[x.of]


def hidden_count(batch: Batch, share: float) -> float:
    """How many nodes `hide_nodes` hides; of nodes that share one graph, how many samples it hides on average."""
    x: Linked = batch.x
    return float(_hidden(x, share).sum()) if isinstance(x, Graphs) else len(batch) * share


def _hidden(x: Graphs, share: float) -> Int[Tensor, " n"]:
    return (x.counts * share).round().long().clamp(min=1).minimum((x.counts - 1).clamp(min=1))


def of_graphs(batch: Batch, view: View) -> Graphs:
    """The graphs of a batch.

    Raises:
        ValueError: its samples are nodes, which share one graph.
    """
    if not isinstance(batch.x, Graphs):
        raise ValueError(
            f"{type(view).__name__} is a view of graphs; got samples that are something else. Of nodes, DropEdges and "
            "MaskFeatures are views."
        )
    return batch.x


def ranks(values: Float[Tensor, " v"], x: Graphs) -> Int[Tensor, " v"]:
    """The place of each node among those of its graph by rising values, from 0; equal ones in their order."""
    order = values.sort(stable=True).indices
    order = order[x.of[order].sort(stable=True).indices]
    found = torch.empty_like(order)
    found[order] = x.places
    return found


def staying(x: Graphs, share: float) -> Int[Tensor, " n"]:
    """How many nodes of each graph stay without a share of them, rounded down; at least one."""
    return (x.counts - (x.counts * share).long()).clamp(min=1)


def _of_edges(batch: Batch, columns: int = 1) -> Float[Tensor, "e columns"]:
    """Numbers in [0, 1) for each edge, the same for both ways of it."""
    x: Linked = batch.x
    low, high = x.edges.amin(0), x.edges.amax(0)
    if isinstance(x, Graphs):
        firsts = x.starts[x.of_edges]
        low, high = low - firsts, high - firsts
        return uniform_of_elements(batch, x.of_edges, high * (high + 1) // 2 + low, columns=columns)
    assert isinstance(x, Nodes)
    ends = torch.stack([x.ids[x.edges[0]], x.ids[x.edges[1]]])
    low, high = ends.amin(0), ends.amax(0)
    return _of_the_graph(batch, high * (high + 1) // 2 + low, columns)


def _of_the_graph(batch: Batch, places: Int[Tensor, " m"], columns: int = 1) -> Float[Tensor, "m columns"]:
    """Numbers in [0, 1) by places in a graph that the whole batch shares."""
    seed = torch.randint(2**62, (1,), device=batch.labels.device)
    return hashed(seed, places, columns)
