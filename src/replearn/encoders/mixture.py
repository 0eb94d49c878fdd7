"""A learned mixture of a network's layers: each task weighs them for itself."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class LayerMixture(nn.Module):
    r"""One representation of those of all layers.

    With the layers' representations `h_0 ... h_L` (of texts, or of each token), weights `s = softmax(w)` and a scale:

        mixture = γ Σ_j s_j h_j

    At the beginning all layers weigh alike and `γ` is 1: the mixture is their mean.

    Args:
        layers: their number, L + 1 where what goes into the first layer counts.
        normalise: scale each `h_j` to mean 0 and variance 1 over its numbers first (layer normalisation), for layers
            of unlike size.

    Raises:
        ValueError: there is no layer, or another number of them than said.

    References: Peters et al., NAACL 2018 (ELMo), equation 1, section 3.2. https://arxiv.org/abs/1802.05365

    >>> mixture = LayerMixture(2)
    >>> mixture([torch.zeros(1, 3), torch.ones(1, 3)]).tolist()
    [[0.5, 0.5, 0.5]]
    """

    def __init__(self, layers: int, *, normalise: bool = False) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(
                f"a mixture must be of at least 1 layer; got {layers}. Name the number of layers."
            )
        self.normalise = normalise
        self.weights = nn.Parameter(torch.zeros(layers))  # w
        self.scale = nn.Parameter(torch.ones(()))  # γ

    @property
    def shares(self) -> Float[Tensor, " l"]:
        """How much each layer weighs, `s`: positive, of sum 1."""
        return self.weights.softmax(0)

    def forward(self, layers: Sequence[Float[Tensor, "*n d"]]) -> Float[Tensor, "*n d"]:
        if len(layers) != len(self.weights):
            raise ValueError(
                f"this mixture must be given {len(self.weights)} layers; got {len(layers)}. Make it for as many."
            )
        if self.normalise:
            layers = [nn.functional.layer_norm(h, h.shape[-1:]) for h in layers]
        mixed = (torch.stack(list(layers), -1) * self.shares).sum(-1)  # (*n, d)
        return self.scale * mixed
