"""Graphs and nodes as samples: unions, what is read, and what is wrong with it."""

import sys
from types import SimpleNamespace

import networkx
import numpy as np
import pandas as pd
import pytest
import torch

from made_graphs import made_graphs, made_nodes
from replearn.data import as_samples, load_data
from replearn.data.graphs import NodeSamples
from replearn.data.graphs.weisfeiler_lehman import subtree_counts
from replearn.data.kinds import KINDS
from replearn.data.told import DataWarning


@pytest.mark.parametrize("marks", [True, False])
def test_a_batch_is_the_union_of_its_graphs_in_any_order(marks):
    samples = made_graphs(marks=marks)
    index = np.array([7, 3, 3, 29, 0])
    x = samples[index].x
    assert len(x) == 5
    assert samples.shape == ((3, 2) if marks else (3,))
    for place, position in enumerate(index):
        assert x[place : place + 1] == samples[np.array([position])].x
    assert x[1:2] == x[2:3] != x[0:1]
    assert len(x[2:2]) == len(x[4:1]) == 0
    assert x[:] == x.to("cpu") == x.floats()
    with pytest.raises(ValueError, match="taken in order"):
        x[::2]


def test_equal_graphs_share_bytes_and_a_number():
    samples = made_graphs()
    twice = samples[np.r_[0:30, 0:30]]
    ids, content = twice.ids(), list(twice.x.each())
    assert torch.equal(ids[:30], ids[30:])
    assert content[:30] == content[30:]
    assert len(set(ids.tolist())) == len(set(content)) == 30
    assert torch.equal(twice.rows(11, 40).ids(), ids[11:40])


@pytest.mark.parametrize("how", ["sum", "mean", "max"])
def test_pooling_is_that_of_each_graph(how):
    x = made_graphs()[np.arange(30)].x
    states = torch.randn(len(x.nodes), 4)
    own = {
        "sum": lambda rows: rows.sum(0),
        "mean": lambda rows: rows.mean(0),
        "max": lambda rows: rows.amax(0),
    }
    wanted = torch.stack([own[how](states[x.of == graph]) for graph in range(30)])
    torch.testing.assert_close(x.pool(states, how), wanted)


def test_what_is_kept_is_the_induced_graph():
    x = made_graphs()[np.arange(30)].x
    chosen = torch.rand(len(x.nodes)) < 0.5
    part = x.kept(chosen)
    names = torch.arange(len(x.nodes))[chosen]
    inside = chosen[x.edges].all(0)
    assert torch.equal(names[part.edges], x.edges[:, inside])
    assert torch.equal(part.marks, x.marks[inside])
    assert part.n == 30
    assert next(iter(part.each())) == next(iter(part[:1].each()))


def test_samples_have_rows_statistics_subsets_and_fingerprints():
    samples = made_graphs()
    part = samples.subset(np.arange(5, 20))
    np.testing.assert_allclose(part.flat(), samples.flat()[5:20], rtol=1e-6)
    assert part.statistics[0].shape == (3,)
    assert part.fingerprint() != samples.fingerprint()
    assert samples.fingerprint() == made_graphs().fingerprint()


def data(nodes, edges, y=None, marks=None):
    """A graph as torch_geometric has it."""
    x = torch.tensor(nodes, dtype=torch.float32)
    return SimpleNamespace(
        x=x,
        edge_index=torch.tensor(edges).reshape(2, -1),
        edge_attr=None if marks is None else torch.tensor(marks),
        y=None if y is None else torch.tensor([y]),
        num_nodes=len(x),
    )


GOOD = data([[1.0], [2.0]], [[0, 1], [1, 0]], 1)
BAD = {
    "a NaN": (data([[1.0], [float("nan")]], [[0], [1]], 0), "'1' has a number that is not finite, at node 1"),
    "no node": (data(np.zeros((0, 1)), [], 0), "'1' has no node"),
    "an edge to nowhere": (data([[1.0]], [[0], [4]], 0), "an edge to node 4, and its nodes are 0 to 0"),
    "other numbers": (data([[1.0, 2.0]], [], 0), "has 2 numbers a node and 0 an edge, most have 1 and 0"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_graph_is_left_out_with_its_name_and_the_reason(what):
    bad, says = BAD[what]
    with pytest.warns(DataWarning, match="1 of 3 graphs of the list are left out") as told:
        samples = as_samples([GOOD, bad, GOOD])
    assert says in str(told[0].message)
    assert (len(samples), samples.labels.tolist(), list(samples.names)) == (2, [1, 1], ["0", "2"])
    assert samples.skipped[0][0] == "1"
    with pytest.raises(ValueError, match="strict: 1 of 3"):
        as_samples([GOOD, bad, GOOD], strict=True)
    with pytest.raises(ValueError, match="labels must hold one label per sample"), pytest.warns(DataWarning):
        as_samples([GOOD, bad, GOOD], [0, 1, 0])


def test_if_no_graph_is_left_it_is_an_error():
    with pytest.raises(ValueError, match="at least one graph that can be read; got '0' has no node"):
        as_samples([BAD["no node"][0]])


def test_loops_and_lone_nodes_are_kept_and_said(caplog):
    caplog.set_level("INFO", logger="replearn")
    samples = as_samples([GOOD, data([[1.0], [1.0]], [[0], [0]]), data([[3.0]], [])])
    assert len(samples) == 3
    assert "1 edges lead from a node to itself; they are kept" in caplog.text
    assert samples[np.array([2])].x.counts.tolist() == [1]


def test_graphs_of_torch_geometric_and_networkx_are_read_alike():
    geometric = pytest.importorskip("torch_geometric.data", reason="needs replearn[graph]")
    mutag = load_data("mutag").subset(np.arange(6))
    unions = [mutag[np.array([place])].x for place in range(6)]
    one = [
        geometric.Data(x=x.nodes, edge_index=x.edges, edge_attr=x.marks, y=torch.tensor([place % 2]))
        for place, x in enumerate(unions)
    ]
    samples = as_samples(one)
    assert (samples.kind, samples.shape, samples.classes) == ("graph", (7, 4), ("0", "1"))
    for place, x in enumerate(unions):
        assert samples[np.array([place])].x == x
    other = []
    for place, x in enumerate(unions):
        graph = networkx.Graph(label=place % 2)
        graph.add_nodes_from((node, {"x": row}) for node, row in enumerate(x.nodes.tolist()))
        graph.add_edges_from(
            (a, b, {"m": m}) for (a, b), m in zip(x.edges.T.tolist(), x.marks.tolist(), strict=True) if a < b
        )
        other.append(graph)
    read = as_samples(other)
    assert read.labels.tolist() == samples.labels.tolist()
    np.testing.assert_array_equal(read.flat(), samples.flat())
    np.testing.assert_array_equal(KINDS["graph"].features(read), KINDS["graph"].features(samples))


def test_names_of_nodes_become_columns(caplog):
    caplog.set_level("INFO", logger="replearn")
    water = networkx.Graph([("o", "h1"), ("o", "h2")])
    networkx.set_node_attributes(water, {"o": "O", "h1": "H", "h2": "H"}, "element")
    samples = as_samples([water, water])
    assert samples.details == {"columns": ["element H", "element O"]}
    assert samples.flat().tolist() == [[2, 1], [2, 1]]
    bare = as_samples([networkx.path_graph(3)])
    assert bare.shape == (16,)
    assert bare.flat()[0, :3].tolist() == [0, 2, 1]
    assert "their degree, up to 15, stands for them" in caplog.text


def as_tu(folder, samples):
    """Write samples in the form of TU Dortmund."""
    x = samples[np.arange(len(samples))].x
    lines = {
        "A": [f"{a + 1}, {b + 1}" for a, b in x.edges.T.tolist()],
        "graph_indicator": [str(graph + 1) for graph in x.of.tolist()],
        "graph_labels": samples.labels.tolist(),
        "node_labels": x.nodes.argmax(1).tolist(),
        "edge_labels": x.marks.argmax(1).tolist(),
    }
    for name, found in lines.items():
        (folder / f"NAME_{name}.txt").write_text("\n".join(map(str, found)) + "\n")


def test_a_folder_of_tu_dortmund_is_read(tmp_path):
    mutag = load_data("mutag")
    as_tu(tmp_path, mutag)
    samples = as_samples(tmp_path)
    assert samples.labels.tolist() == mutag.labels.tolist()
    assert samples[np.arange(188)].x == mutag[np.arange(188)].x
    assert as_samples(tmp_path).fingerprint() == samples.fingerprint()  # from the cache
    (tmp_path / "NAME_graph_labels.txt").write_text("1\n-1\n" * 94)
    signed = as_samples(tmp_path)
    assert (signed.classes, signed.labels[:3].tolist()) == (("-1", "1"), [1, 0, 1])
    (tmp_path / "NAME_graph_labels.txt").write_text("1\n0\n")
    with pytest.raises(ValueError, match=r"NAME_graph_labels.txt must have 188 lines.*got 2"):
        as_samples(tmp_path)
    (tmp_path / "NAME_graph_labels.txt").write_text("1\nyes\n")
    with pytest.raises(ValueError, match="must hold numbers, by commas"):
        as_samples(tmp_path)


def test_folders_of_graphml_and_edge_lists_are_read(tmp_path):
    for place in range(4):
        folder = tmp_path / "ab"[place % 2]
        folder.mkdir(exist_ok=True)
        graph = networkx.cycle_graph(3 + place)
        if place == 3:
            networkx.write_edgelist(graph, folder / "3.edgelist")
        else:
            networkx.write_graphml(graph, folder / f"{place}.graphml")
    (tmp_path / "a" / "bad.graphml").write_text("<graphml")
    for _ in range(2):  # read, and from the cache
        with pytest.warns(DataWarning, match=r"1 of 5 graphs.*'a/bad.graphml' can't be read"):
            samples = as_samples(tmp_path)
    assert (samples.classes, samples.labels.tolist()) == (("a", "b"), [0, 0, 1, 1])
    assert list(samples.names) == ["a/0.graphml", "a/2.graphml", "b/1.graphml", "b/3.edgelist"]
    assert samples[np.arange(4)].x.counts.tolist() == [3, 5, 4, 6]


def test_molecules_are_read_of_a_column_of_smiles(tmp_path):
    pytest.importorskip("rdkit", reason="needs replearn[molecules]")
    frame = pd.DataFrame(
        {
            "smiles": ["CCO", "c1ccccc1", "C(", "", "[Na+].[Cl-]"],
            "label": list("abaab"),
            "site": list("ppqqr"),
        }
    )
    frame.to_csv(tmp_path / "m.csv", index=False)
    for given in (tmp_path / "m.csv", frame):
        with pytest.warns(
            DataWarning, match=r"2 of 5 graphs.*'row 3' is no molecule that rdkit reads"
        ) as told:
            samples = as_samples(given, kind="graph", groups="site")
        assert "'row 4' has no SMILES" in str(told[0].message)
        assert samples.labels.tolist() == [0, 1, 1]
        assert samples.groups.tolist() == ["p", "p", "r"]
        assert samples.shape == (17, 6)
    x = samples[np.arange(3)].x
    assert x.counts.tolist() == [3, 6, 2]
    assert torch.bincount(x.of_edges, minlength=3).tolist() == [4, 12, 0]
    assert samples.flat()[0, [0, 2, 13]].tolist() == [2, 1, 6]  # carbon, oxygen, hydrogen
    assert as_samples(["CC", "CO"], kind="graph").kind == "graph"
    assert as_samples(["CC", "CO"]).kind == "text"
    with pytest.raises(ValueError, match=r"must have a column 'smile'; it has"):
        as_samples(frame, kind="graph", text="smile")


def test_without_rdkit_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(ValueError, match=r"pip install 'replearn\[molecules\]'"):
        as_samples(["CC"], kind="graph")


def test_subtrees_do_not_depend_on_the_order_of_nodes():
    draw = np.random.default_rng(0)
    x = load_data("mutag")[np.arange(10)].x
    moved = torch.from_numpy(np.concatenate([draw.permutation(np.flatnonzero(x.of == g)) for g in range(10)]))
    back = torch.empty_like(moved)
    back[moved] = torch.arange(len(moved))
    other = x.with_nodes(x.nodes[moved]).with_edges(back[x.edges], x.marks)
    torch.testing.assert_close(subtree_counts(x), subtree_counts(other), rtol=0, atol=0)
    rings = [
        networkx.cycle_graph(6),
        networkx.disjoint_union(networkx.cycle_graph(3), networkx.cycle_graph(3)),
    ]
    found = KINDS["graph"].features(as_samples(rings))
    np.testing.assert_array_equal(found[0], found[1])  # the pair that the test can't tell apart
    stars = KINDS["graph"].features(as_samples([networkx.star_graph(3), networkx.path_graph(4)]))
    assert not np.array_equal(stars[0], stars[1])


def test_what_lies_around_nodes_is_enough_to_smooth_them():
    whole, part = made_nodes(), made_nodes(hops=3)
    index = np.array([5, 50, 7])
    assert len(whole[index].x.nodes) == 60
    np.testing.assert_allclose(
        KINDS["node"].features(part.subset(index)), KINDS["node"].features(whole)[index], rtol=1e-4, atol=1e-5
    )
    near = made_nodes(hops=1)[index].x
    assert len(near.nodes) < 60
    assert near.ids[near.roots].tolist() == index.tolist()
    np.testing.assert_array_equal(near.flat(), whole[index].x.flat())
    assert torch.equal(whole[index].ids(), part[index].ids())
    assert whole[index].x[1:].roots.tolist() == [50, 7]


def test_nodes_of_one_graph_are_read(tmp_path):
    made = made_nodes()
    labels = np.where(np.arange(60) < 4, -1, made.labels)
    np.savez(
        tmp_path / "g.npz",
        x=made.nodes.numpy(),
        edge_index=made.edges.numpy(),
        y=labels,
        train_mask=made.masks["train"],
    )
    read = as_samples(tmp_path / "g.npz")
    assert (read.kind, read.shape, read.labels.tolist()) == ("node", (5,), labels.tolist())
    assert read.part("train").labels.tolist() == labels[:30].tolist()
    with pytest.raises(ValueError, match="got 'val', there are 'train'"):
        read.part("val")
    graph = SimpleNamespace(x=made.nodes, edge_index=made.edges, y=torch.from_numpy(labels), num_nodes=60)
    assert as_samples(graph).fingerprint() == read.fingerprint()
    club = as_samples(networkx.relabel_nodes(networkx.path_graph(4), str))
    assert (club.kind, list(club.names), club.shape) == ("node", ["0", "1", "2", "3"], (16,))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"x": np.full((3, 2), np.nan)}, "3 of 3 nodes have others, the first is number 0"),
        ({"edge_index": np.array([[0, 1], [1, 9]])}, "1 lead elsewhere, the first to node 9"),
        ({"edge_index": np.zeros((3, 2))}, r"must have edges \(2, e\); got shape \(3, 2\)"),
        ({"x": np.zeros((0, 2))}, r"must have numbers of nodes \(v, d\)"),
        ({"train_mask": np.ones(4, bool)}, r"must have a mask train of 3; got shape \(4,\)"),
    ],
)
def test_a_bad_graph_of_nodes_is_refused(tmp_path, changed, says):
    arrays = {"x": np.zeros((3, 2)), "edge_index": np.array([[0, 1], [1, 0]])} | changed
    np.savez(tmp_path / "g.npz", **arrays)
    with pytest.raises(ValueError, match=says) as raised:
        as_samples(tmp_path / "g.npz")
    assert "\n" not in str(raised.value)


def test_a_file_that_lacks_a_part_is_refused(tmp_path):
    np.savez(tmp_path / "g.npz", x_data=np.zeros(3), edge_index=np.zeros((2, 0)))
    with pytest.raises(ValueError, match="must hold x, or x_data"):
        as_samples(tmp_path / "g.npz")
    assert NodeSamples(np.eye(2), np.zeros((2, 0), np.int64))[np.arange(2)].x.edges.shape == (2, 0)
