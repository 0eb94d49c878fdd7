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
        of = convolutions()

        def stage(wide: int) -> nn.Module:
            inner = nn.Sequential(nn.Linear(wide, width), nn.ReLU(), nn.Linear(width, width))
            made: nn.Module = of.GINEConv(inner, edge_dim=edge_dim) if edge_dim else of.GINConv(inner)
            return made

        super().__init__(
            [stage(in_dim if place == 0 else width) for place in range(depth)],
            dim=width,
            marked=edge_dim > 0,
            pooling=pooling,
            concatenate=concatenate,
        )
