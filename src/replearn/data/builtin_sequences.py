"""Built-in genes, which make bacteria resistant, and molecules: as SMILES, as graphs."""

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files

import numpy as np

from replearn.data.fasta import fasta_records, read_header
from replearn.data.graphs import GraphSamples
from replearn.data.samples import Samples
from replearn.data.sequences import SequenceSamples, Spelling
from replearn.data.splits import stratified_test
from replearn.data.targets import read_targets

FOLDER = files("replearn.data") / "builtin"
FEWEST_GROUPS = 9  # of a class that is told from others
MOST = 300  # genes of a class
MOST_RINGS = 4  # beyond which molecules are of one class
MEASURED = ("logp", "tpsa", "weight")


def resfinder() -> tuple[SequenceSamples, np.ndarray]:
    """Genes that make bacteria resistant, by the drug; groups are families of genes.

    Left out: drugs with fewer than nine groups, genes that stand under two drugs or more, and of a drug with more than
    300 genes (beta-lactam) all but 300, drawn at random.
    """
    rows = [(*read_header(header), text) for header, text in _genes()]
    drugs: dict[str, set[str | None]] = defaultdict(set)
    for _, drug, _, text in rows:
        drugs[text].add(drug)
    rows = [row for row in rows if len(drugs[row[3]]) == 1]
    families: dict[str | None, set[str | None]] = defaultdict(set)
    for _, drug, family, _ in rows:
        families[drug].add(family)
    kept = sorted(str(drug) for drug, found in families.items() if len(found) >= FEWEST_GROUPS)
    rows = [row for row in rows if row[1] in kept]
    labels = np.array([kept.index(str(drug)) for _, drug, _, _ in rows], dtype=np.int64)
    draw = np.random.default_rng(0)
    order = [draw.permutation(np.flatnonzero(labels == label))[:MOST] for label in range(len(kept))]
    index = np.sort(np.concatenate(order))
    samples = SequenceSamples(
        [rows[i][3] for i in index],
        labels[index],
        alphabet="dna",
        spelling=Spelling("kmers"),
        classes=kept,
        names=[rows[i][0] for i in index],
    )
    samples.groups = np.array([str(rows[i][2]) for i in index])
    return samples, _apart(samples)


def _genes() -> Iterator[tuple[str, str]]:
    with (FOLDER / "resfinder.fasta.gz").open("rb") as file:
        yield from fasta_records(file, "resfinder.fasta.gz")


def molecules() -> tuple[SequenceSamples, np.ndarray]:
    """Molecules by their number of rings, with three targets; groups are scaffolds."""
    with (FOLDER / "molecules.csv.gz").open("rb") as file, gzip.open(file) as rows:
        found = list(csv.DictReader(io.TextIOWrapper(rows, encoding="utf-8")))
    rings = np.array([int(row["rings"]) for row in found])
    samples = SequenceSamples(
        [row["smiles"] for row in found],
        rings.clip(max=MOST_RINGS).astype(np.int64),
        alphabet="smiles",
        spelling=Spelling("characters"),
        classes=[*map(str, range(MOST_RINGS)), f"{MOST_RINGS} or more"],
    )
    columns = {name: [float(row[name]) for row in found] for name in MEASURED}
    samples.targets = read_targets(columns, len(samples))
    samples.groups = np.array([row["scaffold"] for row in found])
    return samples, _apart(samples)


def _apart(samples: SequenceSamples) -> np.ndarray:
    """A fifth of each class, no group of which is elsewhere; what is of no group stands alone."""
    assert samples.labels is not None
    assert samples.groups is not None
    alone = np.char.add("\0", np.arange(len(samples)).astype(str))
    _, units = np.unique(np.where(samples.groups == "", alone, samples.groups), return_inverse=True)
    return stratified_test(samples.labels, test=0.2, random_state=0, units=units)


def mutag() -> tuple[Samples, np.ndarray]:
    with (FOLDER / "mutag.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    graph, edges, labels = (
        found["graph_id"].astype(np.int64),
        found["edge_index"],
        found["label"].astype(np.int64),
    )
    counts = np.bincount(graph)
    first = np.cumsum(counts) - counts
    order = np.argsort(graph[edges[0]], kind="stable")
    owner = graph[edges[0]][order]
    samples = GraphSamples(
        np.eye(len(found["node_label_names"]))[found["node_label"]],
        edges[:, order] - first[owner],
        *(counts, np.bincount(owner, minlength=len(counts))),
        np.eye(len(found["edge_label_names"]))[found["edge_label"]][order],
        labels=labels,
        classes=found["label_names"].tolist(),
        details={"columns": found["node_label_names"].tolist()},
    )
    return samples, stratified_test(labels, test=0.2, random_state=0)
