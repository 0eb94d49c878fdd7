"""Discriminators: how real a sample looks together with its code."""

from itertools import pairwise
from math import prod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from replearn.encoders.conv import halvings
from replearn.encoders.dense import is_small

SLOPE = 0.2  # of leaky ReLUs below zero


def make_discriminator(shape: tuple[int, ...], dim: int) -> nn.Module:
    """A discriminator of pairs: convolutions of large images, of all else one MLP.

    Small is what `replearn.encoders.dense.is_small` says.

    Args:
        shape: of one sample.
        dim: numbers of the code.

    Example:
        >>> type(make_discriminator((1, 28, 28), 50)).__name__
        'DenseDiscriminator'
    """
    flat = is_small(shape) or len(shape) != 3
    return DenseDiscriminator(shape, dim) if flat else ConvDiscriminator(shape, dim)


class FadingNoise(nn.Module):
    """Noise on what a discriminator reads, less and less of it: `x + (1 - progress) · std · noise`.

    What is left is a buffer, so that a resumed training goes on with it.

    Args:
        std: of the noise at the beginning.
    """

    std: Tensor

    def __init__(self, std: float) -> None:
        super().__init__()
        self.first = std
        self.register_buffer("std", torch.tensor(float(std)))

    def forward(self, x: Float[Tensor, "n ..."], drawn: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """`x` with noise, given standard normal numbers."""
        return x + self.std * drawn

    def fade(self, progress: float) -> None:
        """Leave as much as is due after this share of training."""
        self.std.fill_(self.first * (1 - progress))


class Rebuilt(nn.Module):
    """A network that is copied and pickled by what it was made from and its weights.

    torch pickles no network with spectral norm.

    Args:
        made_from: the arguments that make it again.
    """

    def __init__(self, *made_from: Any) -> None:
        super().__init__()
        self.made_from = made_from

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.made_from, self.state_dict(), self.training)


def _again(
    cls: type[Rebuilt], made_from: tuple[Any, ...], state: dict[str, Tensor], training: bool
) -> Rebuilt:
    with torch.random.fork_rng([]):  # its first weights are drawn in vain
        net = cls(*made_from)
    first = next(iter(state.values()))
    net.to(first.device, first.dtype).load_state_dict(state)
    return net.train(training)


class ConvDiscriminator(Rebuilt):
    """Scores of pairs of an image and a code: for large images.

        x --convolutions--> h_x,   z --mlp--> h_z;   h_x, h_z --mlp--> score

    All weights have spectral norm 1 (Miyato et al., ICLR 2018, https://arxiv.org/abs/1802.05957), and nothing is
    normalised over the batch: a score is a function of its pair alone.

    Args:
        shape: `(c, h, w)` of one sample; sizes are halved until they are small.
        dim: numbers of the code.
        hidden: width of `h_x` and `h_z`.
    """

    def __init__(self, shape: tuple[int, ...], dim: int, hidden: int = 256) -> None:
        super().__init__(shape, dim, hidden)
        self.of_sample = _of_images(shape, hidden)
        self.of_code = _dense(dim, hidden, hidden)
        self.of_pair = nn.Sequential(*_dense(2 * hidden, hidden, hidden), spectral_norm(nn.Linear(hidden, 1)))

    def forward(self, x: Float[Tensor, "n c h w"], z: Float[Tensor, "n dim"]) -> Float[Tensor, "n 1"]:
        score: Tensor = self.of_pair(torch.cat([self.of_sample(x), self.of_code(z)], dim=1))  # (n, 1)
        return score


class DenseDiscriminator(nn.Module):
    """Scores of pairs of a sample and a code by one MLP, which reads both at once: for small samples.

        x, z --side by side--> mlp --> score

    Samples have zero mean and unit variance, codes about so; codes are multiplied by `sqrt(d / dim)`, so that the
    many numbers of a sample do not drown the few of its code. Nothing is normalised over the batch.

    Args:
        shape: of one sample, of `d` numbers.
        dim: numbers of the code.
        hidden: width of the two hidden layers.
    """

    def __init__(self, shape: tuple[int, ...], dim: int, *, hidden: int = 256) -> None:
        super().__init__()
        self.weight_of_code = (prod(shape) / dim) ** 0.5
        self.layers = nn.Sequential(
            nn.Linear(prod(shape) + dim, hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, 1),
        )

    def forward(self, x: Float[Tensor, "n ..."], z: Float[Tensor, "n dim"]) -> Float[Tensor, "n 1"]:
        pair = torch.cat([x.flatten(1), self.weight_of_code * z], dim=1)  # (n, d + dim)
        score: Tensor = self.layers(pair)  # (n, 1)
        return score


class ImageDiscriminator(Rebuilt):
    """Scores of images alone, by convolutions whose weights have spectral norm 1.

    Args:
        shape: `(c, h, w)` of one sample.
        hidden: width of the layer before the score.
    """

    def __init__(self, shape: tuple[int, ...], hidden: int = 256) -> None:
        super().__init__(shape, hidden)
        self.net = nn.Sequential(_of_images(shape, hidden), spectral_norm(nn.Linear(hidden, 1)))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1"]:
        score: Tensor = self.net(x)  # (n, 1)
        return score


def _dense(in_dim: int, hidden: int, out_dim: int) -> nn.Sequential:
    widths = in_dim, hidden, out_dim
    layers = [nn.Sequential(spectral_norm(nn.Linear(a, b)), nn.LeakyReLU(SLOPE)) for a, b in pairwise(widths)]
    return nn.Sequential(*layers)


def _of_images(shape: tuple[int, ...], hidden: int, *, width: int = 32) -> nn.Sequential:
    sizes = halvings(*shape[1:])
    widths = [shape[0], *(width * 2 ** min(2, step) for step in range(max(1, len(sizes) - 1)))]
    stride = 2 if len(sizes) > 1 else 1
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [
            spectral_norm(nn.Conv2d(before, after, 3, stride=stride, padding=1)),
            nn.LeakyReLU(SLOPE),
        ]
    numbers = widths[-1] * prod(sizes[-1])
    return nn.Sequential(
        *layers, nn.Flatten(), spectral_norm(nn.Linear(numbers, hidden)), nn.LeakyReLU(SLOPE)
    )
