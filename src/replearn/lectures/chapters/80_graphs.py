# %% [markdown]
# # Graphs: which change leaves a molecule what it is?
#
# Contrast asks for two views of one thing. Of a picture one knows what may be changed; of a graph one has to guess.
# Here are four guesses, a network that reads graphs, and what all of it is worth on 188 molecules.
#
# A layer of the graph isomorphism network adds to each node's numbers those of its neighbours $N(v)$; a graph is the
# sum of its nodes. Two views of a graph, $z$ and $z'$, must find each other among the $n$ graphs of a batch, as in
# SimCLR:
#
# $$h_v \leftarrow \mathrm{MLP}\left((1 + \epsilon) h_v + \sum_{u \in N(v)} h_u\right), \qquad
# h_G = \sum_v h_v, \qquad \ell = -\log \frac{\exp(z \cdot z' / \tau)}{\sum_k \exp(z \cdot z_k / \tau)}$$

# %%
epochs = 20  # passes over the molecules [1 to 200; small 1; full 60]
folds = 5  # parts, each judged by what was learned from the others [2 to 10; small 2; full 10]
seeds = 2  # trainings of each fold, with other random numbers [1 to 10; small 1; full 5]
share = 0.2  # of a graph that a view changes [0.05 to 0.8]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## The data, and the four augmentations
#
# MUTAG: 188 molecules without their hydrogen, an edge for each bond. The question is whether a molecule is mutagenic
# for a bacterium. Here is one of them, and three draws of each view. Colours are kinds of atoms: grey is carbon.

# %%
import numpy as np
import torch
from matplotlib.figure import Figure

from replearn import SimCLR, load_data
from replearn.lectures import expect
from replearn.report.kinds.graph import GraphLooks
from replearn.views import Pair
from replearn.views.graphs import DropNodes, MaskNodes, OneOf, RewireEdges, Subgraph

molecules = load_data("mutag")
torch.manual_seed(seed)
operators = {
    "nodes dropped": DropNodes(share),
    "edges elsewhere": RewireEdges(share),
    "nodes masked": MaskNodes(share),
    "a connected part": Subgraph(share),
}


one = molecules[np.array([3] * 3)]
figure = Figure(figsize=(9, 5.4), layout="constrained")
for column, (name, view) in zip(
    figure.subplots(3, 5).T, {"as it is": lambda batch: batch, **operators}.items(), strict=True
):
    for axes, picture in zip(column, GraphLooks().draw(view(one).x, 240), strict=True):
        axes.imshow(picture)
        axes.axis("off")
    column[0].set_title(name)
figure

# %% [markdown]
# Each is a guess about chemistry, and not quite right. Without an atom a molecule is another one; with a bond elsewhere
# it often can't exist. A masked atom has the mean of the molecule's numbers, and is drawn as what that is most of,
# carbon. The bet is that most of what matters stays. How much stays of what a chemist would
# count? Here is how often a view keeps the number of atoms, the number of bonds, and the numbers of each kind of atom:

# %%
import pandas as pd

from replearn.data.graphs.weisfeiler_lehman import subtree_counts

whole = molecules[np.arange(len(molecules))]
atoms = whole.x.floats().pool(whole.x.floats().nodes, "sum")  # (n, 7): how many of each kind


def kept(view):
    """Shares of molecules of which a view keeps something."""
    x = view(whole).x.floats()
    counts = x.pool(x.nodes, "sum")
    bonds = [torch.bincount(graphs.of_edges, minlength=graphs.n) for graphs in (x, whole.x)]
    return {
        "number of atoms": float((x.counts == whole.x.counts).float().mean()),
        "kinds of atoms": float((counts - atoms).abs().amax(1).lt(1e-3).float().mean()),
        "number of bonds": float((bonds[0] == bonds[1]).float().mean()),
    }


table = pd.DataFrame({name: kept(view) for name, view in operators.items()}).T
expect(
    "Edges that lead elsewhere leave the atoms as they were.", table["kinds of atoms"]["edges elsewhere"] == 1
)
expect(
    "Dropped nodes and connected parts change how many atoms there are, in nearly all molecules.",
    bool((table["number of atoms"][["nodes dropped", "a connected part"]] < 0.1).all()),
    "Take a larger --share.",
)
table

# %% [markdown]
# ## Training, and what it is worth
#
# GraphCL is SimCLR with these views: one of the four is drawn for each view of each batch. Each fold is judged by a
# linear classifier, and by a network, that have seen the other folds alone. Beside it stand rows that learn nothing of
# graphs: the counts of the kinds of atoms; the counts of subtrees that Weisfeiler and Lehman's test compares; and the
# same network with the random weights that it began with.

# %%
from replearn.evaluate import linear_probe
from replearn.evaluate.folds import stratified_folds

fold = stratified_folds(molecules.labels, folds, random_state=seed)
parts = [np.flatnonzero(fold == part) for part in range(folds)]
settings = {"views": Pair(OneOf(tuple(operators.values()))), "batch_size": 32, "epochs": epochs}


def right(rows, test):
    """How many molecules of the part `test` a linear classifier tells that has seen the others."""
    train = ~np.isin(np.arange(len(molecules)), test)
    labels = molecules.labels
    probe = linear_probe(rows[train], labels[train], rows[test], labels[test], random_state=seed)
    return round(probe.accuracy * len(test))


def judged(make, repeats=1):
    """The share of molecules that are told, by repeat; `make(train, repeat)` returns what makes rows of samples."""
    found = []
    for repeat in range(repeats):
        told = 0
        for test in parts:
            train = molecules.subset(np.setdiff1d(np.arange(len(molecules)), test))
            told += right(make(train, repeat)(molecules), test)
        found.append(told / len(molecules))
    return found


def simclr(train, repeat):
    return SimCLR(**settings, random_state=seed + repeat).fit(train).transform


def untrained(train, repeat):
    return SimCLR(**settings, random_state=seed + repeat).prepare(train).transform


scores = {
    "counts of atoms": judged(lambda train, repeat: lambda samples: atoms.numpy()),
    "counts of subtrees": judged(lambda train, repeat: lambda samples: subtree_counts(whole.x).numpy()),
    "untrained network": judged(untrained, seeds),
    "SimCLR (GraphCL)": judged(simclr, seeds),
}
chance = np.bincount(molecules.labels).max() / len(molecules)

# %% [markdown]
# ## How sure is that?
#
# An accuracy $p$ over $n$ molecules has a 95 % interval of about $\pm 2 \sqrt{p (1 - p) / n}$. With 188 molecules this
# is five points to either side, whatever the method.

# %%
from replearn.evaluate.intervals import wilson_interval

means = {name: float(np.mean(found)) for name, found in scores.items()}
spans = {name: wilson_interval(mean, len(molecules)) for name, mean in means.items()}
figure = Figure(figsize=(7, 2.6), layout="constrained")
axes = figure.subplots()
for place, name in enumerate(scores):
    axes.plot([100 * end for end in spans[name]], [place, place], color="#0b62c4", linewidth=2)
    axes.plot(
        [100 * found for found in scores[name]], [place] * len(scores[name]), "o", color="#0b62c4", alpha=0.6
    )
axes.axvline(100 * chance, color="#888", linestyle=":")
axes.set_yticks(range(len(scores)), list(scores))
axes.invert_yaxis()
axes.set_xlabel("accuracy in percent; dots: seeds; lines: 95 % intervals; dotted: the larger class")
axes.spines[["top", "right"]].set_visible(False)
figure

# %%
best = max(means, key=lambda name: means[name])
others = {name: span for name, span in spans.items() if name != best}
apart = [name for name, (_, high) in others.items() if high < spans[best][0]]
print(f"The larger class has {chance:.1%}. Highest: {best}, {means[best]:.1%}.")
print("Rows whose interval lies below that of the highest:", ", ".join(apart) or "none")
expect(
    "Every row beats the larger class: all intervals lie above it.",
    all(low > chance for low, _ in spans.values()),
    "With these folds and epochs not all do.",
)
expect(
    "What contrast learned is better than the untrained network.",
    means["SimCLR (GraphCL)"] > means["untrained network"],
    "On 188 graphs a random network with sums over neighbours is hard to beat; counts of its atoms do well, too.",
)
expect(
    "188 graphs can tell contrast from the untrained network: the intervals lie apart.",
    spans["SimCLR (GraphCL)"][0] > spans["untrained network"][1]
    or spans["untrained network"][0] > spans["SimCLR (GraphCL)"][1],
    "They can't. Tables with MUTAG in them, whoever printed them, tell little about methods.",
)
pd.DataFrame(
    {
        name: {"accuracy": means[name], "from": spans[name][0], "to": spans[name][1]}
        for name in sorted(means, key=lambda name: -means[name])
    }
).T

# %% [markdown]
# All rows are judged on the same molecules, so that a difference of two rows is a little surer than the two intervals
# look; and seeds differ, which makes it less sure. How many molecules would be needed to tell two points of difference?
#
# ## Exercise
#
# Compute this number: the $n$ at which the interval of SimCLR's accuracy is two points wide to either side, so that a
# row two points higher would lie outside of it.

# %% solution
p = means["SimCLR (GraphCL)"]
needed = int(np.ceil(4 * p * (1 - p) / 0.02**2))
low, high = wilson_interval(p, needed)
print(f"{needed:,} molecules: an interval from {low:.3f} to {high:.3f}. MUTAG has {len(molecules)}.")
expect("MUTAG is too small for it.", needed > len(molecules))

# %% [markdown]
# ## Papers
#
# - GraphCL: You and others, *Graph contrastive learning with augmentations*, [2020](https://arxiv.org/abs/2010.13902)
# - The network: Xu, Hu, Leskovec and Jegelka, *How powerful are graph neural networks?*,
#   [2019](https://arxiv.org/abs/1810.00826)
# - Subtrees: Shervashidze and others, [2011](https://jmlr.org/papers/v12/shervashidze11a.html)
# - The molecules: Debnath and others, [1991](https://doi.org/10.1021/jm00106a046)
# - Doubts about small sets of graphs: Errica and others, *A fair comparison of graph neural networks for graph
#   classification*, [2020](https://arxiv.org/abs/1912.09893)
