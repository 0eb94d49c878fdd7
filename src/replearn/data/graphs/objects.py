"""Graphs of other libraries: torch_geometric's `Data`, and networkx's. Neither library is imported."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from replearn.data.graphs.attributes import columns_of
from replearn.data.graphs.nodes import NodeSamples, checked
from replearn.data.graphs.reading import Read, degrees, tell_degrees

LABELS = ("label", "y", "class")  # of a networkx graph's attributes, the one that is its class


def is_data(one: Any) -> bool:
    """Whether this is a graph as torch_geometric has them."""
    return hasattr(one, "edge_index") and hasattr(one, "num_nodes")


def is_networkx(one: Any) -> bool:
    """Whether this is a graph of networkx."""
    return hasattr(one, "adj") and hasattr(one, "is_directed")


def is_dataset(data: Any) -> bool:
    """Whether this is a data set of torch_geometric."""
    return hasattr(data, "num_node_features") and hasattr(data, "__len__") and not is_data(data)


def of_data(graphs: Sequence[Any], origin: str) -> Iterator[Read]:
    """Those of torch_geometric: `x`, `edge_index`, `edge_attr` and `y` are read."""
    bare = any(graph.x is None for graph in graphs)
    if bare:
        tell_degrees(origin)
    for place, graph in enumerate(graphs):
        edges = _array(graph.edge_index, np.int64)
        nodes = degrees(edges, int(graph.num_nodes)) if bare else _array(graph.x, np.float32)
        marks = getattr(graph, "edge_attr", None)
        marks = None if marks is None else _array(marks, np.float32)
        yield Read(
            str(place),
            nodes[:, None] if nodes.ndim == 1 else nodes,
            edges.reshape(2, -1),
            marks[:, None] if marks is not None and marks.ndim == 1 else marks,
            _label(getattr(graph, "y", None)),
        )


def of_networkx(
    graphs: Sequence[Any], origin: str, names: Sequence[str] | None = None
) -> tuple[list[Read], dict[str, Any]]:
    """Those of networkx, by the attributes of their nodes, edges and, for its class, of a graph; and the columns."""
    nodes = [said for graph in graphs for _, said in graph.nodes(data=True)]
    rows, columns = columns_of(nodes)
    links = [list(graph.edges(data=True)) for graph in graphs]
    marks, _ = columns_of([said for edges in links for _, _, said in edges])
    if not columns:
        tell_degrees(origin)
    found, first, begun = [], 0, 0
    for place, (graph, edges) in enumerate(zip(graphs, links, strict=True)):
        number = {node: position for position, node in enumerate(graph.nodes)}
        ends = np.array([(number[a], number[b]) for a, b, _ in edges], np.int64).reshape(-1, 2).T
        own = marks[begun : begun + len(edges)]
        if not graph.is_directed():
            back = ends[0] != ends[1]  # a node's edge to itself stands there once
            ends = np.concatenate([ends, ends[::-1, back]], axis=1)
            own = np.concatenate([own, own[back]])
        label = next((graph.graph[name] for name in LABELS if name in graph.graph), None)
        mine = rows[first : first + len(graph)] if columns else degrees(ends, len(graph))
        name = str(place) if names is None else names[place]
        found.append(Read(name, mine, ends, own if marks.shape[1] else None, label))
        first, begun = first + len(graph), begun + len(edges)
    return found, {"columns": columns} if columns else {}


def nodes_of_data(graph: Any) -> tuple[NodeSamples, Any]:
    """The nodes of one graph of torch_geometric, with the masks of its public split, and their labels.

    Raises:
        ValueError: its parts do not fit together.
    """
    edges = _array(graph.edge_index, np.int64)
    nodes = degrees(edges, int(graph.num_nodes)) if graph.x is None else _array(graph.x, np.float32)
    masks = {}
    for name in ("train", "val", "test"):
        mask = getattr(graph, f"{name}_mask", None)
        if mask is not None:
            mask = _array(mask, bool)
            masks[name] = mask[:, 0] if mask.ndim == 2 else mask  # of several splits the first
    checked(nodes, edges, masks, "the graph")
    y = getattr(graph, "y", None)
    return NodeSamples(nodes, edges, masks=masks), None if y is None else _array(y, None).reshape(-1)


def nodes_of_networkx(graph: Any) -> tuple[NodeSamples, Any]:
    """The nodes of one graph of networkx; an attribute `label`, `y` or `class` is their class, others are numbers."""
    said = [dict(attributes) for _, attributes in graph.nodes(data=True)]
    name = next((name for name in LABELS if any(name in one for one in said)), None)
    labels = None if name is None else [one.pop(name, None) for one in said]
    rows, columns = columns_of(said)
    number = {node: position for position, node in enumerate(graph.nodes)}
    ends = np.array([(number[a], number[b]) for a, b in graph.edges()], np.int64).reshape(-1, 2).T
    if not graph.is_directed():
        ends = np.concatenate([ends, ends[::-1, ends[0] != ends[1]]], axis=1)
    if not columns:
        tell_degrees("the graph")
        rows = degrees(ends, len(graph))
    checked(rows, ends, {}, "the graph")
    return NodeSamples(rows, ends, names=[str(node) for node in graph.nodes]), labels


def _array(values: Any, dtype: Any) -> np.ndarray:
    found = values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)
    return found if dtype is None else found.astype(dtype)


def _label(y: Any) -> Any:
    """One class or number of a graph; None of what is none or several."""
    if y is None:
        return None
    found = _array(y, None).reshape(-1)
    return found[0].item() if len(found) == 1 else None
