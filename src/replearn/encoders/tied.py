"""A decoder whose weights are the encoder's, transposed."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from replearn.encoders.base import Encoder
from replearn.encoders.dense import MLP, Linear


class Transposed(nn.Module):
    """The map back through a linear layer: `y -> y W + b`, with that layer's `W` and an own `b`.

    Args:
        linear: the layer, of weights `(out, in)`; they stay its own and are trained through it.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.linear = (linear,)  # in a tuple, so that it is no part of this module
        self.bias = nn.Parameter(linear.weight.new_zeros(linear.in_features))

    def forward(self, y: Float[Tensor, "n out"]) -> Float[Tensor, "n in"]:
        return F.linear(y, self.linear[0].weight.T, self.bias)


def tied_decoder(encoder: Encoder, code: nn.Linear, shape: tuple[int, ...]) -> nn.Module:
    """The mirror of `sample -> encoder -> code`, layer by layer, with the same weights; only biases and norms are own.

    Where the encoder has BatchNorm and ReLU before a layer, the decoder has them after its mirror image.

    Args:
        encoder: whose network is `Linear`, `MLP`, or lays samples flat (`nn.Flatten`).
        code: the layer after it.
        shape: of one sample.

    Raises:
        ValueError: the encoder is another network, of which there is no mirror image by transposed weights.

    Example:
        >>> import torch
        >>> from replearn.data import describe, load_data
        >>> from replearn.encoders import make_encoder
        >>> encoder, code = make_encoder("mlp", describe(load_data("digits"))), nn.Linear(256, 16)
        >>> tied_decoder(encoder, code, (1, 28, 28))(torch.zeros(4, 16)).shape
        torch.Size([4, 1, 28, 28])

    References: Hinton & Salakhutdinov, Science 2006 (whose decoder starts so). https://doi.org/10.1126/science.1127647
    """
    if not isinstance(encoder.body, Linear | MLP | nn.Flatten):
        raise ValueError(
            f"tied weights need an encoder that is linear or mlp; got {type(encoder.body).__name__}. "
            "Use encoder='mlp', or tied=False."
        )
    chain = [*(part for part in encoder.body.modules() if isinstance(part, nn.Linear | nn.ReLU)), code]
    layers: list[nn.Module] = []
    for part in reversed(chain):
        if isinstance(part, nn.Linear):
            layers.append(Transposed(part))
            width = part.in_features
        else:
            layers += [nn.BatchNorm1d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Unflatten(1, shape))
