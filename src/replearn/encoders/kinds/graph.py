"""Graphs and nodes: networks in which nodes read their neighbours, by torch_geometric's layers."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn

from replearn.data.graphs import Graphs, Nodes
from replearn.encoders.base import Described, Encoder
from replearn.encoders.gat import GAT
from replearn.encoders.gcn import GCN
from replearn.encoders.gin import GIN
from replearn.encoders.graph_net import GraphEncoder, scale_of
from replearn.encoders.kinds.base import ENCODER, Maker, Networks

NODES = "nodes"  # what a kind may offer here: networks that have states of nodes, and layers that tell their numbers


def _gin(shape: tuple[int, ...], *, width: int = 32, depth: int = 3) -> nn.Module:
    return GIN(*shape, width=width, depth=depth)


def _gcn(shape: tuple[int, ...], *, width: int = 256, depth: int = 2) -> nn.Module:
    return GCN(shape[0], width=width, depth=depth)


def _gat(shape: tuple[int, ...], *, width: int = 128, depth: int = 2) -> nn.Module:
    return GAT(*shape, width=width, depth=depth)


class GraphNetworks(Networks):
    """Graphs, of which nodes have `shape[0]` numbers and edges `shape[1]`, if there is one."""

    bodies: ClassVar[Mapping[str, Maker]] = {"gin": _gin, "gcn": _gcn, "gat": _gat}
    offers: ClassVar[frozenset[str]] = frozenset({ENCODER, NODES})

    def auto(self, samples: Described) -> str:
        return "gin"

    def content(self, samples: Described, n: int, device: torch.device) -> Any:
        """Graphs of one node each."""
        own = torch.arange(n, device=device)
        marks = torch.zeros(0, *samples.shape[1:], device=device) if len(samples.shape) > 1 else None
        nodes = torch.zeros(n, samples.shape[0], device=device)
        return Graphs(nodes, torch.zeros(2, 0, dtype=torch.int64, device=device), marks, of=own, n=n)

    def make(self, spec: str | nn.Module, samples: Described) -> Encoder:
        made = super().make(spec, samples)
        if isinstance(spec, Encoder):
            return made
        mean, std = scale_of(*samples.statistics)
        return GraphEncoder(made.body, dim=made.dim, mean=mean, std=std)


class NodeNetworks(GraphNetworks):
    """Nodes of one graph, of `shape[0]` numbers."""

    def auto(self, samples: Described) -> str:
        return "gcn"

    def content(self, samples: Described, n: int, device: torch.device) -> Any:
        """Nodes without edges."""
        own = torch.arange(n, device=device)
        edges = torch.zeros(2, 0, dtype=torch.int64, device=device)
        return Nodes(torch.zeros(n, samples.shape[0], device=device), edges, None, own, own)
