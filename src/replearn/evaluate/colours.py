"""How well images are coloured: predicted colours beside true ones, whoever predicted them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from replearn.encoders.colours import ColourBins, colours_of
from replearn.objectives.colours import balanced_accuracy, chroma_ratio, colour_error
from replearn.views.lab import lab

Array = np.ndarray


@dataclass(frozen=True)
class ColourScore:
    """How well images are coloured, pixel by pixel.

    Attributes:
        balanced_accuracy: mean over the bins of colour that occur of the share of their pixels that get this bin.
        chroma_ratio: mean distance from grey over that of the truth: 0 is grey, 1 as colourful as the truth.
        rmse: root of the mean squared distance of (a, b), in units of Lab. Grey and the mean colour do well in it.
    """

    balanced_accuracy: float
    chroma_ratio: float
    rmse: float


def colour_score(predicted: Array, true: Array) -> ColourScore:
    """How near the colours of images are to the true ones; their lightness is not looked at.

    The share of pixels that get their bin rewards grey, the commonest colour, so that the bins count alike here.

    Args:
        predicted, true: sRGB in [0, 1], `(n, 3, h, w)`.

    Raises:
        ValueError: they are no images of one shape and three channels.

    Reference: Zhang, Isola & Efros, ECCV 2016, section 3.1. https://arxiv.org/abs/1603.08511

    >>> red = np.zeros((1, 3, 2, 2), np.float32)
    >>> red[:, 0] = 1
    >>> score = colour_score(red, red)
    >>> score.balanced_accuracy, score.chroma_ratio, score.rmse
    (1.0, 1.0, 0.0)
    """
    if predicted.shape != true.shape or true.ndim != 4 or true.shape[1] != 3 or not true.size:
        raise ValueError(
            "images must be predicted and true ones of one shape (n, 3, h, w); "
            f"got {predicted.shape} and {true.shape}. Give as many as there are true ones."
        )
    return _score(_colours(predicted), _colours(true))


def colour_baselines(train: Array, true: Array) -> dict[str, ColourScore]:
    """The scores of two guesses that look at nothing: `grey`, and the `mean colour` of training images.

    Raises:
        ValueError: as `colour_score` does.
    """
    colour_score(true, true)
    right = _colours(true)
    mean = _colours(train).mean(0)
    return {
        "grey": _score(torch.zeros_like(right), right),
        "mean colour": _score(mean.expand_as(right), right),
    }


def colour_table(rows: dict[str, ColourScore]) -> pd.DataFrame:
    """Scores by name, one line each."""
    return pd.DataFrame({name: vars(score) for name, score in rows.items()}).T


def _score(colours: Tensor, right: Tensor) -> ColourScore:
    bins = ColourBins()
    guessed, true = (bins.shares(part)[0][:, 0] for part in (colours, right))
    return ColourScore(
        float(balanced_accuracy(guessed, true)),
        float(chroma_ratio(colours, right)),
        float(colour_error(colours, right)),
    )


def _colours(images: Array) -> Float[Tensor, "m 2"]:
    """a and b of every pixel."""
    x = torch.as_tensor(np.asarray(images), dtype=torch.float32)
    return colours_of(lab(x)[:, 1:]).movedim(1, 3).reshape(-1, 2)
