"""The binary tree of hierarchical softmax: frequent words are few turns away (Huffman 1952)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from replearn.engine.compiled import compiled


class Tree(NamedTuple):
    """The way to each word.

    Attributes:
        starts: int64 `(n + 1,)`: the way to word i is at `starts[i] : starts[i + 1]` of the others.
        nodes: int32: numbers of the nodes on the way, from the root on, each below n - 1.
        turns: float32: 0 or 1, the way taken there.
    """

    starts: np.ndarray
    nodes: np.ndarray
    turns: np.ndarray


def no_tree() -> Tree:
    """Stands in where none is needed."""
    return Tree(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))


def huffman(counts: Int[np.ndarray, " n"]) -> Tree:
    """The tree in which words that occur `counts` times are reached by the fewest turns, in the mean.

    >>> tree = huffman(np.array([4, 2, 1, 1]))
    >>> np.diff(tree.starts)
    array([1, 2, 3, 3])
    """
    order = np.argsort(counts, kind="stable")
    return Tree(*_ways(counts.astype(np.int64), order))


@compiled
def _ways(counts: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join the two lightest until one is left; leaves come sorted, and joined ones come out sorted."""
    n = len(counts)
    weight, parent, turn = np.zeros(2 * n, np.int64), np.zeros(2 * n, np.int64), np.zeros(2 * n, np.float32)
    weight[:n] = counts
    leaf, inner = 0, n  # the next leaf, by order, and the next joined node
    for made in range(n, 2 * n - 1):
        for side in range(2):
            if leaf < n and (inner == made or weight[order[leaf]] <= weight[inner]):
                child = order[leaf]
                leaf += 1
            else:
                child = inner
                inner += 1
            parent[child], turn[child] = made, side
            weight[made] += weight[child]
    root = 2 * n - 2
    starts = np.zeros(n + 1, np.int64)
    for word in range(n):
        length, node = 0, word
        while node != root:
            node = parent[node]
            length += 1
        starts[word + 1] = starts[word] + length
    nodes, turns = np.empty(starts[n], np.int32), np.empty(starts[n], np.float32)
    for word in range(n):
        node = word
        for place in range(starts[word + 1] - 1, starts[word] - 1, -1):
            turns[place] = turn[node]
            node = parent[node]
            nodes[place] = node - n
    return starts, nodes, turns
