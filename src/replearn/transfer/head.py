"""Heads: from what an encoder tells to answers, a row of numbers per sample or per token."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from replearn.encoders.mixture import LayerMixture
from replearn.transfer.features import Features

NEVER = -1e4  # the logit of what can't be
SMALLEST = 1e-6  # a deviation below it is none


class Head(nn.Module):
    """One linear layer over features of common scale.

        layers --mixture--> h --centred, divided by one number--> W h + b

    W begins at zero, b at what the answers' frequencies say.

    Features of encoders differ in size a hundredfold; scaled, one learning rate suits them all. Of a pair whose texts
    were read apart, `h = [a; b; |a - b|; a * b]` (Mou et al., ACL 2016, section 3.2: https://arxiv.org/abs/1512.08422).

    Args:
        dim: numbers per feature.
        outputs: numbers per answer.
        layers: of which the mixture is learned; 1 for none.
        apart: whether features are of pairs read apart.
    """

    mean: Tensor
    size: Tensor

    def __init__(self, dim: int, outputs: int, *, layers: int = 1, apart: bool = False) -> None:
        super().__init__()
        self.apart = apart
        self.dim = 4 * dim if apart else dim
        self.mixture = LayerMixture(layers) if layers > 1 else None
        self.register_buffer("mean", torch.zeros(self.dim))
        self.register_buffer("size", torch.ones(()))
        self.linear = from_zero(self.dim, outputs)

    def forward(self, features: Features) -> Float[Tensor, "n *t c"]:
        answers: Tensor = self.linear(self.scaled(features))
        return answers

    def scaled(self, features: Features) -> Float[Tensor, "n *t d"]:
        """What the linear layer reads."""
        return (self.mixed(features) - self.mean) / self.size

    def mixed(self, features: Features) -> Float[Tensor, "n *t d"]:
        """One row of numbers for all layers and both sides."""
        layers = features.x.unbind(1)
        h: Tensor = (
            self.mixture(layers) if self.mixture is not None else layers[0]
        )  # (n, d), (n, 2, d), (n, t, d)
        if not self.apart:
            return h
        a, b = h.unbind(1)
        return torch.cat([a, b, (a - b).abs(), a * b], dim=1)  # (n, 4 d)

    def pooled(self, features: Features) -> Float[Tensor, "n d"]:
        """A row per sample: of tokens the mean."""
        h = self.scaled(features)
        return h if features.mask is None else masked_mean(h, features.mask)

    def unscaled(self, features: Features) -> Float[Tensor, "m d"]:
        """A row per sample, or per token that is there, before it is scaled."""
        h = self.mixed(features)
        return h if features.mask is None else h[features.mask]

    @torch.no_grad()
    def begin_at(self, prior: Float[Tensor, " c"]) -> None:
        """Say this before anything is learned."""
        self.linear.bias.copy_(prior)

    @torch.no_grad()
    def scale_by(self, rows: Float[Tensor, "m d"]) -> None:
        """Take centre and size from some rows."""
        self.mean.copy_(rows.mean(0))
        deviation = (rows - rows.mean(0)).square().mean().sqrt()
        self.size.copy_(torch.where(deviation > SMALLEST, deviation, torch.ones_like(deviation)))


class SpanHead(Head):
    """For each label how likely its span begins and ends at each token; at position 0, that there is none.

    Devlin et al., NAACL 2019, section 4.3, has `S h_i` and `E h_i` for tokens, and those of [CLS] for no span; here the
    mean of all tokens' states has a layer of its own for it, so that any network over tokens will do.
    https://arxiv.org/abs/1810.04805
    """

    def __init__(self, dim: int, outputs: int, *, layers: int = 1, apart: bool = False) -> None:
        super().__init__(dim, outputs, layers=layers, apart=apart)
        self.none = from_zero(dim, outputs)

    @torch.no_grad()
    def begin_at(self, prior: Float[Tensor, " c"]) -> None:
        """Say this of "there is none" before anything is learned."""
        self.none.bias.copy_(prior)

    def forward(self, features: Features) -> Float[Tensor, "n _ c"]:
        assert features.mask is not None
        h = self.scaled(features)  # (n, t, d)
        there = self.linear(h).masked_fill(~features.mask[..., None], NEVER)  # (n, t, c)
        return torch.cat([self.none(masked_mean(h, features.mask))[:, None], there], dim=1)


def from_zero(dim: int, outputs: int) -> nn.Linear:
    """A linear layer that says nothing at first: random weights would be noise wherever few samples tell better."""
    layer = nn.Linear(dim, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def masked_mean(h: Float[Tensor, "n t d"], mask: Bool[Tensor, "n t"]) -> Float[Tensor, "n d"]:
    """The mean over tokens that are there."""
    return (h * mask[..., None]).sum(1) / mask.sum(1).clamp_min(1)[:, None]
