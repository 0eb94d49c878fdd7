"""GraphMAE: what its paper asks for."""

import numpy as np
import pytest
import torch

from made_graphs import few_molecules, made_graphs, made_nodes
from replearn import GraphMAE
from replearn.methods.needs import kinds_served
from replearn.objectives.prediction import cosine_errors
from replearn.views.graphs import hide_nodes

pytest.importorskip("torch_geometric", reason="needs replearn[graph]")
GRAPHS, NODES = made_graphs(), made_nodes()
EXACT = {"batch_size": 15, "epochs": 1, "optimizer": "sgd", "device": "cpu", "precision": "32-true"}


def prepared(samples, **given):
    method = GraphMAE(batch_size=15, device="cpu", **given).prepare(samples)
    for module in method.modules().values():
        module.eval()
    return method


def test_errors_are_those_of_the_paper():
    told, true = torch.randn(2, 7, 4, dtype=torch.float64)
    for gamma in (1.0, 2.0, 3.0):
        wanted = [
            (1 - float(a @ b) / (float(a @ a) ** 0.5 * float(b @ b) ** 0.5)) ** gamma
            for a, b in zip(told, true, strict=True)
        ]
        np.testing.assert_allclose(cosine_errors(told, true, gamma=gamma), wanted)
    assert cosine_errors(told, torch.zeros_like(true)).tolist() == [1.0] * 7


@pytest.mark.parametrize("samples", [GRAPHS, NODES], ids=["graphs", "nodes"])
def test_only_hidden_nodes_count_and_their_own_numbers_are_not_seen(samples):
    method = prepared(samples, gamma=3.0)
    batch = samples[np.arange(len(samples))]
    torch.manual_seed(0)
    loss = method.loss(batch)
    torch.manual_seed(0)
    hidden = hide_nodes(batch, 0.5)
    told = method.predict(batch, hidden)
    errors = cosine_errors(told, method.encoder_.numbers(batch), gamma=3.0)
    torch.testing.assert_close(loss, errors[hidden].mean())
    other = method.encoder_.with_numbers(batch, hidden, torch.full_like(told, 7.0))
    torch.testing.assert_close(method.predict(other, hidden), told)
    loss.backward()
    assert method.token_.weight.grad.abs().sum() > 0


def test_states_of_hidden_nodes_are_left_out_before_the_decoder():
    method = prepared(GRAPHS)
    batch = GRAPHS[np.arange(30)]
    hidden = hide_nodes(batch, 0.5)
    states = torch.randn(len(batch.x.nodes), method.encoder_.body.width)
    moved = states + hidden[:, None] * torch.randn_like(states)
    told = method.decoder_(states, batch, hidden)
    torch.testing.assert_close(method.decoder_(moved, batch, hidden), told)
    assert not torch.equal(method.decoder_(moved + 1, batch, hidden), told)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_of_each_graph_is_hidden_alike_in_parts_and_in_the_whole(share):
    batch = GRAPHS[np.arange(30)]
    torch.manual_seed(1)
    whole = hide_nodes(batch, share)
    counts = torch.bincount(batch.x.of[whole], minlength=30)
    several = batch.x.counts > 1
    assert (counts >= 1).all()
    assert (counts < batch.x.counts)[several].all()
    assert ((counts - batch.x.counts * share).abs() <= 1).all()
    torch.manual_seed(1)
    part = hide_nodes(batch.rows(9, 20), share)
    assert torch.equal(part, whole[(batch.x.of >= 9) & (batch.x.of < 20)])
    torch.manual_seed(1)
    assert abs(hide_nodes(NODES[np.arange(5)], share).float().mean() - share) < 0.2


def test_slices_have_the_gradient_of_the_whole():
    net = GraphMAE(**EXACT).prepare(GRAPHS).encoder_.body
    for place in range(len(net.ends)):
        net.ends[place] = torch.nn.ReLU()
    one, sliced = (
        GraphMAE(encoder=net, **EXACT, slice_size=size).fit(GRAPHS).transform(GRAPHS) for size in (None, 4)
    )
    np.testing.assert_allclose(one, sliced, rtol=1e-3, atol=1e-4)


def test_it_learns_and_shows_what_it_was_asked():
    samples = few_molecules()
    method = GraphMAE(batch_size=30, epochs=20, learning_rate=3e-3, device="cpu").fit(samples)
    losses = [row["loss"] for row in method.history_.rows]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    shown = method.exhibit(samples[np.arange(4)])
    assert list(shown.pictures) == ["seen", "predicted", "true"]
    assert len(shown.pictures["predicted"]) == 4
    seen, true = shown.pictures["seen"].nodes, shown.pictures["true"].nodes
    assert 0 < (seen != true).any(1).float().mean() < 1


def test_what_is_wrong_is_told():
    assert kinds_served(GraphMAE) == ("graph", "node")
    with pytest.raises(ValueError, match=r"share must lie in \(0, 1\)"):
        GraphMAE(share=1.0, epochs=1, batch_size=8).fit(GRAPHS)
    with pytest.raises(ValueError, match=r"gamma must be at least 1; got 0\.5"):
        GraphMAE(gamma=0.5, epochs=1, batch_size=8).fit(GRAPHS)
