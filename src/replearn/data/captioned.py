"""Drawn pictures with captions, "a red circle at the top left": some combinations are kept for the test.

    colour, shape, place --size, shift and ground drawn--> picture 3 x 32 x 32
                         ------------------------------> "a red circle at the top left"

Who has learned what a colour, a shape and a place look like knows pictures of combinations that were never shown.
"""

from itertools import product

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data.pairs import PairSamples
from replearn.data.samples import ArraySamples
from replearn.data.text import TextSamples

SIDE = 32
COLOURS = {
    "red": (200, 40, 40),
    "green": (40, 150, 60),
    "blue": (50, 80, 200),
    "yellow": (225, 195, 40),
    "purple": (140, 60, 170),
    "black": (30, 30, 30),
}
SHAPES = ("circle", "square", "triangle", "ring", "cross", "bar")
PLACES = tuple(
    " ".join(filter(None, (row, column))) or "centre"
    for row, column in product(("top", "", "bottom"), ("left", "", "right"))
)
EACH = 12  # pictures of a combination
HELD_OUT = 0.2  # of the combinations


def captioned(*, each: int = EACH, random_state: int = 0) -> tuple[PairSamples, np.ndarray]:
    """Pictures and captions, `each` of every combination, and the positions of those of held-out combinations.

    Members are `image`, uint8 `(3, 32, 32)`, and `text`; labels are the shapes, factors colour, shape and place.

    Args:
        each: pictures of a combination.
        random_state: seed of sizes, shifts, grounds, and of which combinations are held out.

    Raises:
        ValueError: there is no picture of a combination.

    >>> samples, test = captioned(each=1)
    >>> len(samples), len(test), samples.members["text"].texts[0]
    (324, 65, 'a red circle at the top left')
    """
    if each < 1:
        raise ValueError(f"each must be at least 1, pictures of a combination; got {each}.")
    rng = np.random.default_rng(random_state)
    combinations = np.array(list(product(range(len(COLOURS)), range(len(SHAPES)), range(len(PLACES)))))
    held = rng.permutation(len(combinations))[: round(HELD_OUT * len(combinations))]
    factors = combinations.repeat(each, axis=0)  # (n, 3)
    n = len(factors)
    colour, shape, place = factors.T
    centre = (np.stack([place % 3, place // 3], 1) + 0.5) / 3 + rng.uniform(-0.05, 0.05, (n, 2))
    size, ground = rng.uniform(0.09, 0.14, n), rng.uniform(200, 250, (n, 3))
    ink = np.array(list(COLOURS.values()))[colour] + rng.uniform(-20, 20, (n, 3))
    cover = np.concatenate(
        [_drawn(shape[part], centre[part], size[part]) for part in np.array_split(np.arange(n), -(-n // 512))]
    )
    noise = rng.normal(0, 6, (n, 1, SIDE, SIDE))
    images = cover * ink[:, :, None, None] + (1 - cover) * ground[:, :, None, None] + noise
    names = list(COLOURS)
    texts = [f"a {names[c]} {SHAPES[s]} {_where(PLACES[p])}" for c, s, p in factors]
    members = {
        "image": ArraySamples(images.clip(0, 255).round().astype(np.uint8)),
        "text": TextSamples(texts),
    }
    samples = PairSamples(members, shape.astype(np.int64), classes=SHAPES, names=texts)
    samples.factors, samples.factor_names = factors, ("colour", "shape", "place")
    return samples, np.flatnonzero(np.isin(np.arange(n) // each, held))


def _where(place: str) -> str:
    return "in the centre" if place == "centre" else f"at the {place}"


def _drawn(shape: np.ndarray, centre: np.ndarray, size: np.ndarray) -> Float[np.ndarray, "n 1 h w"]:
    """How much of each pixel is covered, by the distance to the outline, in pixels."""
    places = (torch.arange(SIDE, dtype=torch.float64) + 0.5) / SIDE
    centres, sizes = torch.from_numpy(centre), torch.from_numpy(size).view(-1, 1, 1)
    x = (places.view(1, 1, -1) - centres[:, 0].view(-1, 1, 1)) / sizes  # (n, h, w)
    y = (places.view(1, -1, 1) - centres[:, 1].view(-1, 1, 1)) / sizes
    outside = torch.stack([_distance(name, x, y) for name in SHAPES])[
        torch.from_numpy(shape), torch.arange(len(x))
    ]
    return (0.5 - outside * sizes * SIDE).clamp(0, 1)[:, None].numpy()  # type: ignore[no-any-return]


def _distance(shape: str, x: Tensor, y: Tensor) -> Tensor:
    """Distance to the outline of a shape of size 1, below 0 inside of it (nearly, beyond corners)."""
    radius = (x.square() + y.square()).sqrt()
    if shape == "circle":
        return radius - 1
    if shape == "square":
        return torch.maximum(x.abs(), y.abs()) - 0.9
    if shape == "triangle":
        return torch.maximum(0.87 * x.abs() - 0.5 * y, y) - 0.6
    if shape == "ring":
        return (radius - 0.8).abs() - 0.25
    if shape == "cross":
        return torch.minimum(
            torch.maximum(x.abs() - 1.1, y.abs() - 0.3), torch.maximum(y.abs() - 1.1, x.abs() - 0.3)
        )
    return torch.maximum(x.abs() - 1.2, y.abs() - 0.35)  # a bar
