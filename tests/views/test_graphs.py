"""Views of graphs change what they say, as much as they say, and alike in parts and in the whole."""

import networkx
import numpy as np
import pytest
import torch

from made_graphs import made_graphs, made_nodes
from replearn.views import (
    Chain,
    DropEdges,
    DropNodes,
    MaskFeatures,
    MaskNodes,
    OneOf,
    RewireEdges,
    Subgraph,
    default_views,
    view_from_json,
    view_to_json,
)

GRAPHS, NODES = made_graphs(40), made_nodes()
ALL = (DropEdges(), DropNodes(), MaskFeatures(), MaskNodes(), RewireEdges(), Subgraph())
EVERY = (*ALL, OneOf(ALL), Chain(DropNodes(), MaskNodes()))
OF_NODES = (DropEdges(), MaskFeatures(), Chain(DropEdges(), MaskFeatures()))


def seen(view, batch, seed=0):
    torch.manual_seed(seed)
    return view(batch).x


def pairs(x):
    return sorted(map(tuple, x.edges.T.tolist()))


@pytest.mark.parametrize("view", EVERY, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_parts_of_a_joined_batch_see_what_the_whole_sees(view, seed):
    batch = GRAPHS[np.arange(40)]
    whole = seen(view, batch, seed)
    for start, stop in ((0, 7), (7, 40), (20, 21)):
        assert seen(view, batch.rows(start, stop), seed) == whole[start:stop]
    assert whole != seen(view, batch, seed + 2)


@pytest.mark.parametrize("view", OF_NODES, ids=str)
@pytest.mark.parametrize("hops", [None, 1])
def test_parts_of_a_batch_of_nodes_see_the_same_graph(view, hops):
    batch = made_nodes(hops=hops)[np.arange(20)]
    whole = seen(view, batch)
    part = seen(view, batch.rows(3, 9))
    assert part == whole[3:9]
    few = seen(view, made_nodes(hops=1)[np.arange(5)])
    edges = {(few.ids[a].item(), few.ids[b].item()) for a, b in few.edges.T.tolist()}
    there = {(whole.ids[a].item(), whole.ids[b].item()) for a, b in whole.edges.T.tolist()}
    assert edges <= there  # an edge is there in every batch with this seed, or in none


@pytest.mark.parametrize("view", EVERY, ids=str)
def test_what_has_no_direction_keeps_none(view):
    x = seen(view, GRAPHS[np.arange(40)])
    assert pairs(x) == sorted((b, a) for a, b in pairs(x))
    assert x.counts.min() >= 1
    assert torch.equal(x.of[x.edges[0]], x.of[x.edges[1]])


@pytest.mark.parametrize("view", [DropNodes(0.5), Subgraph(0.5)], ids=str)
def test_a_share_of_the_nodes_goes(view):
    batch = GRAPHS[np.arange(40)]
    counts = batch.x.counts
    left = seen(view, batch).counts
    assert torch.equal(left, counts - counts // 2)
    assert torch.equal(seen(type(view)(1.0), batch).counts, torch.ones(40, dtype=torch.int64))
    assert seen(type(view)(0.0), batch) == batch.x


def test_a_part_of_a_graph_is_connected():
    x = seen(Subgraph(0.4), GRAPHS[np.arange(40)])
    for place in range(40):
        own = x[place : place + 1]
        graph = networkx.Graph(pairs(own))
        graph.add_nodes_from(range(len(own.nodes)))
        assert networkx.is_connected(graph)


def test_a_part_grows_by_each_edge_with_the_same_chance():
    """From the middle of a star with a double edge, or from an end, of three nodes two stay: one of three pairs."""
    path = made_graphs(1)
    path.nodes, path.marks = np.zeros((3, 3), np.float32), np.zeros((4, 2), np.float32)
    path.edges = np.array([[0, 1, 1, 2], [1, 0, 2, 1]], np.int32)
    path.node_starts, path.edge_starts = np.array([0, 3]), np.array([0, 4])
    path.nodes[:, 0] = np.arange(3)
    batch = path[np.zeros(3000, np.int64)]
    kept = seen(Subgraph(0.4), batch)
    first = kept.nodes[kept.starts, 0]
    assert abs((first == 0).float().mean() - 0.5) < 0.04  # 0-1 or 1-2, never 0-2
    assert set(kept.counts.tolist()) == {2}


def test_edges_lead_elsewhere_at_the_share_and_keep_their_numbers():
    samples = made_graphs(300, seed=1)
    batch = samples[np.arange(300)]
    x = seen(RewireEdges(0.3), batch)
    large = batch.x.counts[batch.x.of_edges] > 9
    same = (x.edges.shape[1] - batch.x.edges.shape[1]) / batch.x.edges.shape[1]
    assert -0.15 < same <= 0
    before, after = set(pairs(batch.x)), set(pairs(x))
    assert 0.6 < len(before & after) / len(before) < 0.85
    assert large.any()
    assert len(x.marks) == x.edges.shape[1]
    assert seen(RewireEdges(0.0), batch) == batch.x == seen(DropEdges(0.0), batch)


def test_edges_are_dropped_at_the_share():
    batch = made_graphs(300)[np.arange(300)]
    left = seen(DropEdges(0.3), batch).edges.shape[1] / batch.x.edges.shape[1]
    assert abs(left - 0.7) < 0.04
    assert seen(DropEdges(1.0), batch).edges.shape == (2, 0)


def test_masked_nodes_have_the_mean_of_their_graph():
    batch = GRAPHS[np.arange(40)]
    x = seen(MaskNodes(0.5), batch)
    changed = (x.nodes != batch.x.nodes).any(1)
    mean = batch.x.pool(batch.x.nodes, "mean")[batch.x.of]
    torch.testing.assert_close(x.nodes[changed], mean[changed])
    counts = torch.bincount(batch.x.of[changed], minlength=40)
    several = batch.x.counts > 1
    assert torch.equal(counts[several], batch.x.counts[several] // 2)


def test_masked_numbers_are_those_of_all_nodes():
    x = seen(MaskFeatures(0.5), NODES[np.arange(9)])
    columns = (x.nodes == 0).all(0)
    assert 0 < columns.sum() < 5
    assert torch.equal(x.nodes[:, ~columns], NODES.nodes[:, ~columns])
    own = seen(MaskFeatures(0.5), GRAPHS[np.arange(40)])
    zero = own.nodes == 0
    assert torch.equal(zero, zero[own.starts][own.of])


def test_defaults_are_stored():
    for samples in (GRAPHS, NODES):
        for split in ("pair", "single", "weak_strong"):
            view = default_views(samples, split)
            assert view_from_json(view_to_json(view)) == view
    assert view_from_json(view_to_json(OneOf(ALL))) == OneOf(ALL)


def test_views_of_graphs_refuse_nodes():
    with pytest.raises(ValueError, match=r"DropNodes is a view of graphs.*Of nodes, DropEdges and"):
        DropNodes()(NODES[np.arange(3)])
    with pytest.raises(ValueError, match="share of Subgraph is a probability"):
        Subgraph(2.0)
