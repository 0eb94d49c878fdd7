"""Graphs of files: read once into the cache, then from there, through memory maps."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from replearn.data.cache import cached
from replearn.data.graphs.reading import Read, put_together, tell
from replearn.data.graphs.samples import GraphSamples

VERSION = 1  # part of the cache's key: raise it when reading changes
ARRAYS = ("nodes", "edges", "node_counts", "edge_counts", "marks")


def stored(
    key: str,
    origin: str,
    read: Callable[[], tuple[Iterable[Read], Mapping[str, Any]]],
    *,
    strict: bool,
) -> tuple[GraphSamples, list[Any] | None]:
    """Samples of graphs, and their labels or None, read where the cache does not have them.

    Args:
        key: changes when the files do.
        origin: what they are of, in messages.
        read: the graphs and their details.
        strict: raise where one is left out.

    Raises:
        ValueError: none can be read, or what `strict` says.
        CacheError: the cache cannot be written.

    Warns:
        DataWarning: how many are left out, and why.
    """

    def build(folder: Path) -> None:
        graphs, details = read()
        made, labels = put_together(graphs, origin, details=details)
        counts = np.diff(made.node_starts), np.diff(made.edge_starts)
        for name, array in zip(ARRAYS, (made.nodes, made.edges, *counts, made.marks), strict=True):
            if array is not None:
                np.save(folder / f"{name}.npy", array)
        told = {"labels": labels, "names": made.names, "skipped": made.skipped, "details": made.details}
        (folder / "info.json").write_text(json.dumps(told))

    entry = cached(f"graphs-{VERSION}-{key}", build)
    info = json.loads((entry / "info.json").read_text())
    found = {
        name: np.load(entry / f"{name}.npy", mmap_mode="r")
        for name in ARRAYS
        if (entry / f"{name}.npy").is_file()
    }
    samples = GraphSamples(
        **found,
        names=info["names"],
        skipped=[(name, reason) for name, reason in info["skipped"]],
        details=info["details"],
    )
    tell(samples, origin, strict=strict)
    return samples, info["labels"]
