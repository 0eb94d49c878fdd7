"""Graphs of a few nodes, and a graph whose nodes are samples."""

import numpy as np

from replearn.data import Samples, load_data
from replearn.data.graphs import GraphSamples, NodeSamples


def made_graphs(n: int = 30, *, marks: bool = True, seed: int = 0) -> GraphSamples:
    """Trees and rings with a few more edges, of one to twelve nodes; three classes."""
    draw = np.random.default_rng(seed)
    counts = draw.integers(1, 13, n)
    edges, sizes = [], []
    for count in counts.tolist():
        ends = [(draw.integers(node), node) for node in range(1, count)]
        ends += [tuple(draw.choice(count, 2, replace=False)) for _ in range(count // 4)]
        both = np.array([pair for a, b in ends for pair in ((a, b), (b, a))], np.int64).reshape(-1, 2)
        edges.append(both.T)
        sizes.append(len(both))
    numbers = np.repeat(draw.normal(size=(sum(sizes) // 2, 2)), 2, axis=0)
    nodes = draw.normal(size=(counts.sum(), 3))
    classes = ("a", "b", "c")
    labels = np.arange(n) % 3
    return GraphSamples(
        *(nodes, np.concatenate(edges, axis=1), counts, sizes),
        numbers if marks else None,
        labels=labels,
        classes=classes,
    )


def made_nodes(n: int = 60, *, hops: int | None = None, seed: int = 0) -> NodeSamples:
    """Nodes of three classes, whose neighbours are mostly of their own."""
    draw = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    pairs = draw.integers(0, n, (2, 6 * n))
    kept = (labels[pairs[0]] == labels[pairs[1]]) | (draw.random(6 * n) < 0.1)
    pairs = pairs[:, kept & (pairs[0] != pairs[1])]
    edges = np.concatenate([pairs, pairs[::-1]], axis=1)
    nodes = draw.normal(size=(n, 5)) + np.eye(5)[labels]
    masks = {"train": np.arange(n) < n // 2, "test": np.arange(n) >= n // 2}
    return NodeSamples(nodes, edges, labels=labels, classes=("a", "b", "c"), masks=masks, hops=hops)


def few_molecules() -> Samples:
    return load_data("mutag").subset(np.arange(0, 188, 2))
