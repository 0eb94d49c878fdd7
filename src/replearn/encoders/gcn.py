"""Graph convolution: a node's state is a mean of its own and its neighbours', weighted by their degrees.

    h_i' = W sum over j in neighbours and i of h_j / sqrt(d_i d_j)

Reference: Kipf and Welling, ICLR 2017, equation 2. https://arxiv.org/abs/1609.02907
"""

from torch import nn

from replearn.data.graphs.content import Pooling
from replearn.encoders.graph_net import GraphNet, convolutions


class GCN(GraphNet):
    """`depth` layers; the representation is the last one's states, of graphs their mean.

    Args:
        in_dim: numbers of a node.
        width: numbers of a node's state.
        depth: layers.
        pooling, concatenate, plain_end: see `GraphNet`.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        width: int = 256,
        depth: int = 2,
        pooling: Pooling = "mean",
        concatenate: bool = False,
        plain_end: bool = False,
    ) -> None:
        stages = [_layer(in_dim if place == 0 else width, width) for place in range(depth)]
        super().__init__(
            stages, dim=width, marked=False, pooling=pooling, concatenate=concatenate, plain_end=plain_end
        )

    def layer(self, wide: int, out: int) -> nn.Module:
        return _layer(wide, out)


def _layer(wide: int, out: int) -> nn.Module:
    made: nn.Module = convolutions().GCNConv(wide, out)
    return made
