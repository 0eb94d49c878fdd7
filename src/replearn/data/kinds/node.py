"""The nodes of one graph, each a sample."""

import zipfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float

from replearn.data.asked import Asked, Found
from replearn.data.graphs.nodes import NodeSamples, checked, planetoid
from replearn.data.graphs.objects import is_data, is_dataset, is_networkx, nodes_of_data, nodes_of_networkx
from replearn.data.kinds.base import Kind
from replearn.data.samples import Samples


class Node(Kind):
    """Nodes of one graph. As rows they are their own numbers, without their neighbours'."""

    plural: ClassVar[str] = "nodes"
    offers: ClassVar[frozenset[str]] = frozenset()

    def claims(self, data: Any) -> bool:
        """One graph of torch_geometric or networkx, and `.npz` files with `edge_index` and numbers of nodes."""
        if isinstance(data, str | Path):
            path = Path(data).expanduser()
            return path.suffix.lower() == ".npz" and path.is_file() and _is_planetoid(path)
        if is_dataset(data):
            return len(data) == 1
        return is_data(data) or is_networkx(data)

    def read(self, data: Any, asked: Asked) -> Found:
        """The nodes, and their labels.

        Raises:
            ValueError: the parts of the graph do not fit together.
        """
        if not self.claims(data):
            named = repr(str(data)) if isinstance(data, str | Path) else type(data).__name__
            raise ValueError(
                "nodes must be those of one graph of torch_geometric or networkx, or of a .npz file with edge_index "
                f"and x; got {named}. Leave kind out."
            )
        if isinstance(data, str | Path):
            path = Path(data).expanduser()
            try:
                with np.load(path, allow_pickle=False) as file:
                    arrays = {name: file[name] for name in file.files}
                found = planetoid(arrays)
            except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
                reason = " ".join(str(error).split())
                raise ValueError(
                    f"{path} must hold x, or x_data, x_indices, x_indptr and x_shape, and edge_index; got an error: "
                    f"{reason:.100}. Save it again."
                ) from error
            checked(found["nodes"], found["edges"], found["masks"], str(path))
            return NodeSamples(**found), arrays.get("y"), None
        if is_networkx(data):
            return *nodes_of_networkx(data), None
        return *nodes_of_data(data[0] if is_dataset(data) else data), None

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"] | None:
        """A²X: the numbers of all nodes, twice averaged over neighbours as graph convolutions do, without weights.

        Reference: Wu et al., ICML 2019, equation 8. https://arxiv.org/abs/1902.07153
        """
        return np.concatenate([smoothed(samples[part].x, 2).numpy() for part in samples.parts()])


def smoothed(x: Any, steps: int) -> Float[torch.Tensor, "n d"]:
    """The samples' rows of D^-1/2 (A + I) D^-1/2 to the power of `steps`, times the nodes' numbers."""
    own = torch.arange(len(x.nodes))
    edges = torch.cat([x.edges, own.expand(2, -1)], dim=1)
    scale = torch.bincount(edges[1], minlength=len(own)).float().rsqrt()
    weights = scale[edges[0]] * scale[edges[1]]
    matrix = torch.sparse_coo_tensor(edges.flip(0), weights, (len(own), len(own)), check_invariants=False)
    rows = x.nodes.float()
    for _ in range(steps):
        rows = torch.sparse.mm(matrix, rows)
    found: torch.Tensor = rows[x.roots]
    return found


def _is_planetoid(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as file:
            names = {name.removesuffix(".npy") for name in file.namelist()}
    except (zipfile.BadZipFile, OSError):
        return False
    return "edge_index" in names and bool(names & {"x", "x_data"})
