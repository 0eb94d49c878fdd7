"""Graphs, each a sample; molecules among them."""

import logging
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from replearn.data.asked import Asked, Found
from replearn.data.graphs.files import ENDINGS, holds_graphs, of_files, of_tu, tu_name
from replearn.data.graphs.objects import is_data, is_dataset, is_networkx, of_data, of_networkx
from replearn.data.graphs.reading import assembled
from replearn.data.graphs.stored import stored
from replearn.data.graphs.tables import molecule_samples
from replearn.data.graphs.weisfeiler_lehman import subtree_counts
from replearn.data.kinds.base import Kind
from replearn.data.records import is_record_file
from replearn.data.samples import Samples
from replearn.data.sources import FolderSource

log = logging.getLogger("replearn")


class Graph(Kind):
    """Unions of graphs. As rows they are the sums of their nodes' numbers: of molecules, counts of atoms."""

    plural: ClassVar[str] = "graphs"
    offers: ClassVar[frozenset[str]] = frozenset()

    def claims(self, data: Any) -> bool:
        """Lists of graphs of torch_geometric or networkx, folders of TU Dortmund, GraphML or edge lists."""
        if isinstance(data, str | Path):
            folder = Path(data).expanduser()
            return tu_name(folder) is not None or holds_graphs(folder)
        if is_dataset(data):
            return len(data) > 1
        return isinstance(data, list | tuple) and bool(data) and (is_data(data[0]) or is_networkx(data[0]))

    def read(self, data: Any, asked: Asked) -> Found:
        """Samples of what is claimed, or of SMILES in a list or a table's column, and their labels.

        Raises:
            ValueError: no graph can be read.
        """
        if not (self.claims(data) or _may_be_smiles(data)):
            named = repr(str(data)) if isinstance(data, str | Path) else type(data).__name__
            raise ValueError(
                "graphs must be a list of torch_geometric's or networkx's, a folder of TU Dortmund, of GraphML or of "
                f"edge lists, or SMILES in a list or a table; got {named}. Leave kind out."
            )
        if isinstance(data, str | Path):
            path = Path(data).expanduser()
            if not path.is_dir():
                return molecule_samples(path, asked)
            name = tu_name(path)
            if name is not None:
                source = FolderSource(path, lambda file: file.startswith(f"{name}_"))
                return *stored(source.key, str(path), lambda: of_tu(path, name), strict=asked.strict), None
            source = FolderSource(path, lambda file: file.lower().endswith(ENDINGS))
            return *stored(source.key, str(path), lambda: of_files(path), strict=asked.strict), None
        if hasattr(data, "columns") or isinstance(data[0], str):
            return molecule_samples(data, asked)
        if is_networkx(data[0]):
            graphs, details = of_networkx(data, "the list")
            return *assembled(graphs, "the list", strict=asked.strict, details=details), None
        return *assembled(of_data(list(data), "the list"), "the list", strict=asked.strict), None

    def options_like(self, expected: Any) -> dict[str, Any]:
        """Tables are read as molecules."""
        return {"kind": "graph"}

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"] | None:
        """Counts of Weisfeiler and Lehman's subtrees."""
        return np.concatenate([subtree_counts(samples[part].x).numpy() for part in samples.parts()])


def _may_be_smiles(data: Any) -> bool:
    """Whether data without a word on it are texts or a table, of which SMILES may be a part."""
    if isinstance(data, str | Path):
        return is_record_file(Path(data))
    listed = isinstance(data, list | tuple) and bool(data) and isinstance(data[0], str)
    return listed or hasattr(data, "columns")
