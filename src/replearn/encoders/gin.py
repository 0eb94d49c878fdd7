"""Graph isomorphism network: a node's state is what a small network makes of its own and the sum of its neighbours'.

    h_i' = f((1 + e) h_i + sum over neighbours j of h_j)          with numbers of edges: of relu(h_j + W m_ij)

Reference: Xu et al., ICLR 2019, equation 4.1. https://arxiv.org/abs/1810.00826
With numbers of edges: Hu et al., ICLR 2020, appendix C. https://arxiv.org/abs/1905.12265
"""

from torch import nn

from replearn.data.graphs.content import Pooling
from replearn.encoders.graph_net import GraphNet, convolutions


class GIN(GraphNet):
    """`depth` layers, whose pooled states stand side by side: `dim` = width · depth.

    Args:
        in_dim: numbers of a node.
        edge_dim: numbers of an edge; 0: they have none, or are not read.
        width: numbers of a node's state.
        depth: layers.
        pooling, concatenate: see `GraphNet`.
    """

    def __init__(
        self,
        in_dim: int,
        edge_dim: int = 0,
        *,
        width: int = 32,
        depth: int = 3,
        pooling: Pooling = "sum",
        concatenate: bool = True,
    ) -> None:
        super().__init__(
            [_layer(in_dim if place == 0 else width, width, edge_dim) for place in range(depth)],
            dim=width,
            marked=edge_dim > 0,
            pooling=pooling,
            concatenate=concatenate,
        )
        self.edge_dim = edge_dim

    def layer(self, wide: int, out: int) -> nn.Module:
        return _layer(wide, out, self.edge_dim)


def _layer(wide: int, out: int, edge_dim: int) -> nn.Module:
    of = convolutions()
    inner = nn.Sequential(nn.Linear(wide, out), nn.ReLU(), nn.Linear(out, out))
    made: nn.Module = of.GINEConv(inner, edge_dim=edge_dim) if edge_dim else of.GINConv(inner)
    return made
