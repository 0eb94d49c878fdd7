"""`ColourBins`: colours as shares of bins, and back; rare ones are given more weight."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.views.lab import OFFSET, SPAN, colour_bins

NEIGHBOURS = 5
SIGMA = 5.0  # in units of Lab
GREY = 5.0  # what lies no farther from grey in a and b, in units of Lab, counts as grey


class ColourBins(nn.Module):
    """The bins of `replearn.views.lab.colour_bins`, each with a weight.

    References: Zhang, Isola & Efros, ECCV 2016, sections 2.1 to 2.3. https://arxiv.org/abs/1603.08511
    """

    bins: Tensor
    weights: Tensor

    def __init__(self) -> None:
        super().__init__()
        bins = colour_bins()
        self.register_buffer("bins", bins.clone())
        self.register_buffer("weights", torch.ones(len(bins)))

    def __len__(self) -> int:
        return len(self.bins)

    def shares(self, colours: Float[Tensor, "m 2"]) -> tuple[Int[Tensor, "m 5"], Float[Tensor, "m 5"]]:
        """The 5 bins nearest to each colour, the nearest first, and their shares of it: by a Gaussian, of sum 1."""
        apart, nearest = torch.cdist(colours.to(self.bins), self.bins).topk(NEIGHBOURS, largest=False)
        return nearest, (-0.5 * (apart / SIGMA).square()).softmax(1)

    def mean(self, logits: Float[Tensor, "m q"], temperature: float) -> Float[Tensor, "m 2"]:
        """The annealed mean: of the bins, after the softmax is sharpened by a temperature below 1.

        At 1 it is the mean, which is greyish; towards 0 the mode, which is spotty.
        """
        return (logits.to(self.bins) / temperature).softmax(1) @ self.bins

    def weigh(self, prior: Float[Tensor, " q"], uniform: float) -> None:
        """Weights that are the inverse of the prior mixed with a uniform one: 1 in the prior's mean.

            w_q = k / ((1 - u) p_q + u / Q),   with k so that  sum_q p_q w_q = 1

        Args:
            prior: how often each bin occurs, of sum 1.
            uniform: the share `u` of the uniform distribution, in (0, 1].
        """
        rare = 1 / ((1 - uniform) * prior + uniform / len(prior))
        self.weights.copy_(rare / (prior * rare).sum())


def colours_of(x: Float[Tensor, "n 2 h w"]) -> Float[Tensor, "n 2 h w"]:
    """a and b in units of Lab, of what `replearn.views.lab.lab` has scaled to [0, 1]."""
    return x * SPAN - OFFSET


def scaled_colours(x: Float[Tensor, "n 2 h w"]) -> Float[Tensor, "n 2 h w"]:
    """The inverse of `colours_of`."""
    return (x + OFFSET) / SPAN


def coloured(colours: Float[Tensor, "n 2 h w"]) -> Tensor:
    """Which images have a place that is not grey, `(n,)`."""
    return (colours.abs() > GREY).flatten(1).any(1)
