"""Graph attention: a node's state is a mean of its own and its neighbours', weighted by how they fit together.

    h_i' = sum over j in neighbours and i of a_ij W h_j,    a_i = softmax over j of a · leaky_relu(W_1 h_i + W_2 h_j)

Reference: Brody et al., ICLR 2022, equation 7, after Veličković et al., ICLR 2018. https://arxiv.org/abs/2105.14491
"""

from torch import nn

from replearn.data.graphs.content import Pooling
from replearn.encoders.graph_net import GraphNet, convolutions


class GAT(GraphNet):
    """`depth` layers; the representation is the last one's states, of graphs their mean.

    Args:
        in_dim: numbers of a node.
        edge_dim: numbers of an edge, by which attention goes, too; 0: they have none, or are not read.
        width: numbers of a node's state, a multiple of `heads`.
        depth: layers.
        heads: that attend apart, each of width / heads numbers.
        pooling, concatenate: see `GraphNet`.
    """

    def __init__(
        self,
        in_dim: int,
        edge_dim: int = 0,
        *,
        width: int = 128,
        depth: int = 2,
        heads: int = 4,
        pooling: Pooling = "mean",
        concatenate: bool = False,
    ) -> None:
        if width % heads:
            raise ValueError(
                f"width must be a multiple of heads; got {width} and {heads}. Change one of them."
            )
        stages = [_layer(in_dim if place == 0 else width, width, heads, edge_dim) for place in range(depth)]
        super().__init__(stages, dim=width, marked=edge_dim > 0, pooling=pooling, concatenate=concatenate)
        self.heads, self.edge_dim = heads, edge_dim

    def layer(self, wide: int, out: int) -> nn.Module:
        return _layer(wide, out, self.heads if out % self.heads == 0 else 1, self.edge_dim)


def _layer(wide: int, out: int, heads: int, edge_dim: int) -> nn.Module:
    conv = convolutions().GATv2Conv
    made: nn.Module = conv(wide, out // heads, heads, edge_dim=edge_dim or None)
    return made
