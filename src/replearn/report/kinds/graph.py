"""Graphs are drawn: nodes as dots, coloured by the largest of their numbers, where edges would have them be."""

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image, ImageDraw

from replearn.data.graphs import Graphs, Nodes
from replearn.report.kinds.base import Looks, Shown

LARGEST = 120  # nodes that are drawn of a graph: the first one, and those that are nearest to it
AROUND = 40  # nodes that are drawn around one
SIDE = 48  # pixels
FINE = 4  # drawn so many times as large, and made smaller
PAPER, LINE, ROOT = (255, 255, 255), (150, 150, 160), (20, 20, 30)
# Of the columns, the first grey, as carbon is; after the last it begins again.
COLOURS = (
    *((110, 115, 125), (40, 90, 200), (215, 60, 50), (45, 150, 70), (130, 70, 180)),
    *((20, 150, 160), (235, 145, 30), (200, 80, 150), (125, 90, 60), (165, 160, 40)),
)


class GraphLooks(Looks):
    """Unions of graphs."""

    shown: ClassVar[Shown | None] = "picture"

    def cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 3, SIDE

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s 3"]:
        """Of large graphs a part."""
        return np.stack([_drawn(*_part(*graph, LARGEST), side) for graph in _each(x)])


class NodeLooks(GraphLooks):
    """Nodes of one graph: each with what lies within two steps of it, itself with a ring."""

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s 3"]:
        assert isinstance(x, Nodes)
        nodes, edges = x.nodes.cpu().numpy(), x.edges.cpu().numpy()
        found = [_part(nodes, edges, AROUND, first=root, steps=2) for root in x.roots.tolist()]
        return np.stack([_drawn(*part, side, ringed=True) for part in found])


def _each(x: Graphs) -> list[tuple[np.ndarray, np.ndarray]]:
    """The nodes and edges of each graph."""
    ends = x.counts.cumsum(0).cpu().numpy()[:-1]
    nodes = np.split(x.nodes.cpu().numpy(), ends)
    order = np.argsort(x.of_edges.cpu().numpy(), kind="stable")
    owners = x.of_edges.cpu().numpy()[order]
    edges = (x.edges - x.starts[x.of_edges]).cpu().numpy()[:, order]
    split = np.split(edges, np.searchsorted(owners, np.arange(1, x.n)), axis=1)
    return list(zip(nodes, split, strict=True))


def _part(
    nodes: Float[np.ndarray, "v d"],
    edges: Int[np.ndarray, "2 e"],
    most: int,
    *,
    first: int = 0,
    steps: int | None = None,
) -> tuple[Float[np.ndarray, "k d"], Int[np.ndarray, "2 m"]]:
    """At most so many nodes, the first one at the beginning and those that are nearest to it; its edges."""
    if steps is None and len(nodes) <= most:
        return nodes, edges
    chosen, last, far = [first], {first}, 0
    inside = {first}
    while last and len(chosen) < most and (steps is None or far < steps):
        near = np.isin(edges[0], list(last)) | np.isin(edges[1], list(last))
        last = set(edges[:, near].ravel().tolist()) - inside
        chosen += sorted(last)
        inside |= last
        far += 1
    chosen = chosen[:most]
    place = np.full(len(nodes), -1)
    place[chosen] = np.arange(len(chosen))
    moved = place[edges]
    return nodes[chosen], moved[:, (moved >= 0).all(0)]


def _drawn(
    nodes: Float[np.ndarray, "v d"], edges: Int[np.ndarray, "2 e"], side: int, *, ringed: bool = False
) -> UInt8[np.ndarray, "s s 3"]:
    size = side * FINE
    picture = Image.new("RGB", (size, size), PAPER)
    pen = ImageDraw.Draw(picture)
    dot = size * float(np.clip(0.22 / np.sqrt(max(1, len(nodes))), 0.015, 0.08))
    where = dot * 1.5 + layout(len(nodes), edges) * (size - 3 * dot)
    for a, b in {(min(pair), max(pair)) for pair in edges.T.tolist()}:
        pen.line([*where[a], *where[b]], fill=LINE, width=max(1, int(dot / 3)))
    for place, (x, y) in enumerate(where.tolist()):
        numbers = nodes[place]
        colour = COLOURS[int(numbers.argmax()) % len(COLOURS)] if numbers.any() else LINE
        ring = ROOT if ringed and place == 0 else None
        pen.ellipse(
            [x - dot, y - dot, x + dot, y + dot], fill=colour, outline=ring, width=max(1, int(dot / 3))
        )
    return np.asarray(picture.resize((side, side), Image.Resampling.LANCZOS))


def layout(nodes: int, edges: Int[np.ndarray, "2 e"], *, rounds: int = 30) -> Float[np.ndarray, "v 2"]:
    """Places in the unit square whose distances are as the numbers of steps between nodes, as far as it goes.

    They begin by classical scaling and are moved to make the stress less.

    Reference: Gansner, Koren and North, GD 2004, section 2.3. https://doi.org/10.1007/978-3-540-31843-9_25
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    if nodes < 2:
        return np.full((nodes, 2), 0.5)
    matrix = coo_array((np.ones(edges.shape[1]), tuple(edges)), shape=(nodes, nodes)).tocsr()
    steps = shortest_path(matrix, directed=False, unweighted=True)
    longest = steps[np.isfinite(steps)].max()
    steps[~np.isfinite(steps)] = longest + 2  # other parts lie apart
    centred = steps**2 - (steps**2).mean(0) - (steps**2).mean(1)[:, None] + (steps**2).mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    where = vectors[:, -2:] * np.sqrt(values[-2:].clip(1e-6))
    where = where + 1e-3 * np.stack([np.cos(np.arange(nodes)), np.sin(np.arange(nodes))], axis=1)
    weights = 1 / (steps + np.eye(nodes)) ** 2 - np.eye(nodes)
    for _ in range(rounds):
        apart = where[:, None] - where[None]  # (v, v, 2)
        far = np.linalg.norm(apart, axis=2).clip(1e-6)
        pulled = where[None] + apart * (steps / far)[..., None]
        where = (weights[..., None] * pulled).sum(1) / weights.sum(1)[:, None]
    where = where - where.min(0)
    found: np.ndarray = (where + (where.max() - where.max(0)) / 2) / max(where.max(), 1e-6)
    return found
