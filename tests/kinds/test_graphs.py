"""Graphs and nodes go through the methods, the engine and the commands as any samples do."""

from pathlib import Path

import numpy as np
import pytest

import replearn
from lanes import one_of_each
from made_graphs import few_molecules, made_nodes
from made_methods import labelled_for, quick
from replearn.cli import main
from replearn.methods import Trained, registry

pytest.importorskip("torch_geometric", reason="needs replearn[graph]")
QUICK = {"encoder": "auto", "batch_size": 32, "epochs": 1, "device": "cpu"}
EXACT = {"batch_size": 32, "epochs": 1, "optimizer": "sgd", "device": "cpu", "precision": "32-true"}


def samples_of(kind):
    return few_molecules() if kind == "graph" else made_nodes()


def served(kind):
    return one_of_each([(name, kind) for name, entry in registry().items() if kind in entry.kinds])


@pytest.mark.parametrize(("name", "kind"), [*served("graph"), *served("node")])
def test_every_method_whose_needs_they_meet_learns_from_them(name, kind, tmp_path):
    method = quick(registry()[name].cls, **QUICK)
    samples = labelled_for(type(method), samples_of(kind))
    before = method.prepare(samples).transform(samples)
    after = method.fit(samples, run=tmp_path / "run").transform(samples)
    assert np.isfinite(after).all()
    assert isinstance(method, Trained) != np.array_equal(before, after)
    np.testing.assert_array_equal(replearn.load(tmp_path / "run").transform(samples), after)


def test_methods_serve_them_that_say_nothing_of_them():
    for name in ("simclr", "vicreg", "byol", "supcon", "supervised"):
        assert {"graph", "node"} <= set(registry()[name].kinds)


@pytest.mark.parametrize("kind", ["graph", "node"])
def test_same_seed_same_bits_and_slices_have_the_gradient_of_the_whole(kind):
    """Without BatchNorm, whose statistics are those of slices."""
    samples = samples_of(kind)
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = registry()["simclr"].cls(**EXACT).prepare(samples).encoder_.body
    for place in range(len(net.ends)):
        net.ends[place] = torch.nn.ReLU()
    one, again, sliced = (
        replearn.SimCLR(encoder=net, **EXACT, slice_size=size).fit(samples).transform(samples)
        for size in (None, None, 7)
    )
    np.testing.assert_array_equal(one, again)
    np.testing.assert_allclose(one, sliced, rtol=1e-3, atol=1e-4)


@pytest.mark.all
def test_all_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def told(*words):
        assert main([*map(str, words)]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    told("fit", "simclr", "mutag", "--run", "r", "--epochs", 2)
    told("embed", "r", "mutag", "--out", "rows.npy")
    assert np.load("rows.npy").shape == (188, 96)
    found = told("evaluate", "r", "mutag")
    assert "hand-made features" in found
    assert "raw input" in found
    told("finetune", "r", "mutag", "--to", "f", "--epochs", 1)
    told("report", "r")
    assert "data:image/png;base64" in Path("r/report.html").read_text()
    made = made_nodes(90)
    np.savez("g.npz", x=made.nodes.numpy(), edge_index=made.edges.numpy(), y=made.labels)
    options = ("--data", "g.npz", "--seeds", 1, "--epochs", 1, "--run", "c")
    assert "hand-made features" in told("compare", "simclr", "byol", *options)


def test_a_table_of_smiles_on_the_command_line(tmp_path, monkeypatch, capsys):
    pytest.importorskip("rdkit", reason="needs replearn[molecules]")
    monkeypatch.chdir(tmp_path)
    chains = ["C" * length + end for length in range(1, 21) for end in ("O", "N")]
    lines = [f"{smiles},{smiles[-1]}" for smiles in chains]
    Path("m.csv").write_text("smiles,label\n" + "\n".join(lines) + "\n")
    assert main(["fit", "simclr", "m.csv", "--kind", "graph", "--run", "r", "--epochs", "1"]) == 0
    assert "--kind graph" in capsys.readouterr().out
    assert main(["evaluate", "r", "m.csv"]) == 0
    assert "hand-made features" in capsys.readouterr().out
    assert main(["fit", "simclr", "mutag", "--kind", "graph", "--run", "s"]) == 2
    assert "--kind is for files and folders" in capsys.readouterr().err
