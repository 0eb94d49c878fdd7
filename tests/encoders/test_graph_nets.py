"""Networks of graphs: rows do not mix, the order of nodes does not matter, layers are those of their papers."""

import sys

import numpy as np
import pytest
import torch

from made_graphs import made_graphs, made_nodes
from replearn.encoders import GAT, GCN, GIN, make_encoder
from replearn.encoders.graph_net import GraphEncoder

pytest.importorskip("torch_geometric", reason="needs replearn[graph]")
SAMPLES = {"marked": made_graphs(), "unmarked": made_graphs(marks=False), "nodes": made_nodes()}
CASES = [(name, kind) for name in ("auto", "gin", "gcn", "gat") for kind in SAMPLES]


def made(name, kind, **given):
    torch.manual_seed(0)
    return make_encoder(name, SAMPLES[kind]).eval()


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_rows_do_not_mix_and_parts_are_the_whole(name, kind):
    encoder, samples = made(name, kind), SAMPLES[kind]
    assert isinstance(encoder, GraphEncoder)
    batch = samples[np.arange(20)]
    with torch.no_grad():
        h = encoder(batch)
        assert h.shape == (20, encoder.dim)
        assert h.isfinite().all()
        torch.testing.assert_close(encoder(batch.rows(3, 9)), h[3:9], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(encoder(samples[np.array([8, 2])]), h[[8, 2]], rtol=1e-4, atol=1e-5)
        layers = encoder.layers(batch)
        assert [len(layer) for layer in layers] == [20] * len(encoder.body.stages)
        last = torch.cat(layers, 1) if encoder.body.concatenate else layers[-1]
        torch.testing.assert_close(last, h)
        states = encoder.read(batch, "states")
        torch.testing.assert_close(batch.x.pool(states, encoder.body.pooling), layers[-1])


@pytest.mark.parametrize("name", ["gin", "gcn", "gat"])
def test_the_order_of_nodes_does_not_matter(name):
    encoder = made(name, "marked")
    x = SAMPLES["marked"][np.arange(30)].x
    draw = np.random.default_rng(0)
    moved = torch.from_numpy(np.concatenate([draw.permutation(np.flatnonzero(x.of == g)) for g in range(30)]))
    back = torch.empty_like(moved)
    back[moved] = torch.arange(len(moved))
    other = x.with_nodes(x.nodes[moved]).with_edges(back[x.edges], x.marks)
    with torch.no_grad():
        torch.testing.assert_close(encoder.read(x), encoder.read(other), rtol=1e-4, atol=1e-5)


def test_layers_are_those_of_their_papers():
    x = SAMPLES["unmarked"][np.arange(5)].x
    count = len(x.nodes)
    adjacency = torch.zeros(count, count).index_put((x.edges[1], x.edges[0]), torch.ones(1), accumulate=True)
    isomorphism = GIN(3).eval().stages[0]
    wanted = isomorphism.nn(x.nodes + adjacency @ x.nodes)
    torch.testing.assert_close(isomorphism(x.nodes, x.edges), wanted, rtol=1e-4, atol=1e-5)
    convolution = GCN(3).eval().stages[0]
    own = adjacency + torch.eye(count)
    scale = own.sum(1).rsqrt()
    wanted = scale[:, None] * own * scale @ x.nodes @ convolution.lin.weight.T + convolution.bias
    torch.testing.assert_close(convolution(x.nodes, x.edges), wanted, rtol=1e-4, atol=1e-5)


def test_numbers_of_edges_are_read():
    encoder, x = made("gin", "marked"), SAMPLES["marked"][np.arange(5)].x
    with torch.no_grad():
        assert not torch.equal(encoder.read(x), encoder.read(x.with_edges(x.edges, x.marks + 1)))


def test_numbers_of_nodes_are_put_in_place_and_summed():
    encoder, batch = made("gin", "marked"), SAMPLES["marked"][np.arange(5)]
    which = torch.arange(len(batch.x.nodes)) % 3 == 0
    other = encoder.with_numbers(batch, which, torch.full((1, 3), 0.5))
    seen = encoder.numbers(other)
    torch.testing.assert_close(seen[which], torch.full_like(seen[which], 0.5))
    torch.testing.assert_close(seen[~which], encoder.numbers(batch)[~which])
    assert encoder.sums(batch, torch.ones(len(which), 1))[:, 0].tolist() == batch.x.counts.tolist()


def test_large_numbers_of_nodes_are_scaled_and_small_ones_are_not():
    samples = made_graphs()
    samples.nodes[:, 1] = samples.nodes[:, 1] * 1e4 + 5e4
    samples.nodes[:, 2] = samples.nodes[:, 2] > 0
    nodes = make_encoder("gin", samples).standardise(samples[np.arange(30)]).nodes
    assert abs(nodes[:, 1].mean()) < 1e-3
    assert set(nodes[:, 2].tolist()) == {0, 1}


@pytest.mark.parametrize("pooling", ["sum", "mean", "max"])
def test_a_module_of_ones_own_is_an_encoder(pooling):
    net = GIN(3, 2, width=8, depth=2, pooling=pooling, concatenate=False)
    encoder = make_encoder(net, SAMPLES["marked"])
    assert encoder.dim == 8
    with torch.autocast("cpu", torch.bfloat16):
        assert encoder(SAMPLES["marked"][np.arange(4)]).shape == (4, 8)


def test_what_is_wrong_is_told():
    with pytest.raises(ValueError, match="width must be a multiple of heads; got 10 and 4"):
        GAT(3, width=10)
    with pytest.raises(
        ValueError, match=r"encoder must be auto, gin, gcn, gat or a module; got 'gim'. Nearest: gin"
    ):
        make_encoder("gim", SAMPLES["marked"])
    with pytest.raises(ValueError, match="an encoder must read"):
        make_encoder(GIN(4, 2), SAMPLES["marked"])


def test_without_torch_geometric_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    with pytest.raises(ValueError, match=r"pip install 'replearn\[graph\]'"):
        make_encoder("gin", SAMPLES["marked"])
