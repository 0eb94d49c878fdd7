"""Graphs in files: a folder in the form of TU Dortmund, GraphML, and edge lists."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from replearn.data.graphs.objects import of_networkx
from replearn.data.graphs.reading import Read, degrees, one_hot, refusal, tell_degrees
from replearn.data.progress import progress
from replearn.data.sources import folder_labels, walk

LISTS = (".edgelist", ".edges")
ENDINGS = (".graphml", *LISTS)
LOOKED_AT = 200  # files and folders that tell what a folder holds


def tu_name(folder: Path) -> str | None:
    """What comes before `_A.txt` in a folder in the form of TU Dortmund; None of any other."""
    if not folder.is_dir():
        return None
    for file in sorted(folder.glob("*_A.txt")):
        name = file.name.removesuffix("_A.txt")
        if (folder / f"{name}_graph_indicator.txt").is_file():
            return name
    return None


def holds_graphs(folder: Path) -> bool:
    """Whether a folder's first files, or those of its folders, are of graphs."""
    if not folder.is_dir():
        return False
    for number, file in enumerate(folder.glob("*")):
        if file.suffix.lower() in ENDINGS:
            return True
        if file.is_dir() and any(inside.suffix.lower() in ENDINGS for inside in _first(file)):
            return True
        if number >= LOOKED_AT:
            return False
    return False


def _first(folder: Path) -> list[Path]:
    return [file for file, _ in zip(folder.glob("*"), range(5), strict=False)]


def of_tu(folder: Path, name: str) -> tuple[Iterator[Read], dict[str, Any]]:
    """The graphs of a folder in the form of TU Dortmund, and what is known of their columns.

    `NAME_A.txt` and `NAME_graph_indicator.txt` must be there; labels and attributes of nodes, edges and graphs are read
    where they are.

    Raises:
        ValueError: a file has other lines than it must.
    """
    graph = _table(folder, name, "graph_indicator", None)[:, 0].astype(np.int64)
    pairs = _table(folder, name, "A", None).astype(np.int64) - 1  # (e, 2), from 0
    if (np.diff(graph) < 0).any():
        raise ValueError(
            f"{folder / name}_graph_indicator.txt must list the nodes graph by graph; they are mixed. Sort them."
        )
    numbers = np.unique(graph)
    nodes, columns = _numbers(folder, name, "node", len(graph))
    marks, _ = _numbers(folder, name, "edge", len(pairs))
    labels = _table(folder, name, "graph_labels", len(numbers))
    classes: list[Any] = labels[:, 0].tolist() if labels.shape[1] else [None] * len(numbers)
    if labels.size and labels.min() < 0:  # -1 is a class here, as in MUTAG's own files
        classes = [f"{label:g}" for label in classes]
    if not nodes.shape[1]:
        tell_degrees(str(folder))
    firsts = np.searchsorted(graph, numbers)
    lasts = np.searchsorted(graph, numbers, side="right")
    order = np.argsort(graph[pairs[:, 0].clip(0, len(graph) - 1)], kind="stable")
    pairs, marks = pairs[order], marks[order]
    owner = graph[pairs[:, 0].clip(0, len(graph) - 1)]

    def each() -> Iterator[Read]:
        for place, number in enumerate(numbers):
            first, last = firsts[place], lasts[place]
            begun, ended = np.searchsorted(owner, [number, number + 1])
            edges = pairs[begun:ended].T - first
            yield Read(
                str(number),
                nodes[first:last] if nodes.shape[1] else degrees(edges, last - first),
                edges,
                marks[begun:ended] if marks.shape[1] else None,
                classes[place],
            )

    return each(), {"columns": columns} if columns else {}


def _numbers(folder: Path, name: str, what: str, lines: int) -> tuple[np.ndarray, list[str]]:
    """What is said of nodes or of edges: labels as a column each, then attributes."""
    labels = _table(folder, name, f"{what}_labels", lines)
    attributes = _table(folder, name, f"{what}_attributes", lines)
    parts, columns = [], []
    for column in labels.T.astype(np.int64):
        rows, known = one_hot(column.tolist())
        parts.append(rows)
        columns += [f"label {one}" for one in known]
    columns += [f"attribute {place}" for place in range(attributes.shape[1])]
    return np.concatenate([*parts, attributes.astype(np.float32)], axis=1), columns


def _table(folder: Path, name: str, what: str, lines: int | None) -> np.ndarray:
    """The numbers of a file, `(lines, columns)`; without columns if there is no such file."""
    import pandas as pd

    path = folder / f"{name}_{what}.txt"
    if not path.is_file():
        return np.zeros((lines or 0, 0))
    try:
        found = pd.read_csv(path, header=None, skipinitialspace=True, dtype=np.float64).to_numpy()
    except (ValueError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} must hold numbers, by commas; got {reason:.100}. Correct it.") from error
    if lines is not None and len(found) != lines:
        raise ValueError(
            f"{path} must have {lines:,} lines, as many as there are; got {len(found):,}. Correct it."
        )
    return found


def of_files(folder: Path) -> tuple[list[Read], dict[str, Any]]:
    """The graphs of a folder's GraphML files and edge lists, of the class of their sub-folder; and the columns."""
    import networkx

    names = sorted(name for name, _ in walk(folder, []) if Path(name).suffix.lower() in ENDINGS)
    graphs, refused = {}, {}
    with progress("reading graphs", len(names)) as advance:
        for name in names:
            try:
                is_list = name.lower().endswith(LISTS)
                graphs[name] = (networkx.read_edgelist if is_list else networkx.read_graphml)(folder / name)
            except Exception as error:  # what a parser raises is not documented
                reason = " ".join(str(error).split())
                refused[name] = refusal(name, f"can't be read ({type(error).__name__}: {reason:.80})")
            advance(1)
    read, details = of_networkx([*graphs.values()], str(folder), [*graphs])
    found = {one.name: one for one in read} | refused
    labels, classes = folder_labels(names)
    ordered = [found[name] for name in names]
    if labels is not None:
        for one, label in zip(ordered, labels.tolist(), strict=True):
            one.label = None if label < 0 else classes[label]
    return ordered, details
