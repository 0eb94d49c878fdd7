"""Pictures between two real images: in pixels, and through a code."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from replearn.data import Samples
from replearn.evaluate.interpolation import linear_path, spherical_path
from replearn.methods import Model
from replearn.methods.inside import decoder_of
from replearn.report.appearance import has_pixels
from replearn.report.pictures import Strip, drawn, of_samples, strips_figure
from replearn.report.strips import draw_queries

Decode = Callable[[np.ndarray], np.ndarray]
STEPS = 9


def interpolation_strips(
    decode: Decode,
    samples: Samples,
    codes: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    *,
    centre: np.ndarray | None = None,
    steps: int = STEPS,
) -> list[list[Strip]]:
    """Three strips per pair: pixels mixed, the code moved straight, the code moved on an arc around `centre`.

    Each strip lies between the two real images; the second and third show what is decoded, ends included.

    Args:
        decode: from codes to images.
        samples: images.
        codes: of all samples (n, k).
        pairs: positions of the two samples to go between.
        centre: what arcs go around; the mean of the codes when None.
        steps: pictures between.
    """
    shares = np.linspace(0, 1, steps)
    middle = codes.mean(axis=0) if centre is None else centre
    found = []
    for pair in pairs:
        index = np.asarray(pair)
        real = of_samples(samples, index)
        a, b = (codes[[i]].astype(np.float64) - middle for i in pair)
        pixels = samples.subset(index).flat()
        mixed = linear_path(pixels[:1], pixels[1:], shares)[0].reshape(steps, *samples.shape)
        shown = {
            "pixels": mixed,
            "code, straight": decode(middle + linear_path(a, b, shares)[0]),
            "code, arc": decode(middle + spherical_path(a, b, shares)[0]),
        }
        found.append(
            [
                Strip(name, np.concatenate([real[:1], drawn(images), real[1:]]))
                for name, images in shown.items()
            ]
        )
    return found


def draw_ends(samples: Samples, count: int, *, random_state: int = 0) -> list[tuple[int, int]]:
    """Pairs of samples, of different classes where there are classes."""
    chosen = draw_queries(samples, 2 * count, np.random.default_rng(random_state)).tolist()
    half = len(chosen) // 2
    return list(zip(chosen[:half], chosen[half : 2 * half], strict=True))


def interpolation_figure(method: Any, samples: Samples, *, pairs: int = 4, random_state: int = 0) -> Figure:
    """What lies between pairs of real images, by pixels and through the code of a fitted method.

    Raises:
        ValueError: the samples are not images, or the method has no decoder.
    """
    decode = decoder_for_pictures(method, samples, "interpolation_figure")
    ends = draw_ends(samples, pairs, random_state=random_state)
    chosen = samples.subset(np.asarray(ends).ravel())
    strips = interpolation_strips(
        decode, chosen, codes_of(method, chosen), [(2 * i, 2 * i + 1) for i in range(len(ends))]
    )
    return strips_figure([strip for pair in strips for strip in pair])


def codes_of(method: Any, samples: Samples) -> np.ndarray:
    """The codes of samples by a fitted method of ours or of scikit-learn."""
    found: np.ndarray = method.transform(samples if isinstance(method, Model) else samples.flat())
    return found


def decoder_for_pictures(method: Any, samples: Samples, asked: str) -> Decode:
    """The decoder of a method whose samples are images.

    Raises:
        ValueError: they are not, or there is none.
    """
    if not has_pixels(samples):
        raise ValueError(f"{asked} must get images; got samples of kind {samples.kind}. Use the numbers.")
    decode = decoder_of(method, samples.shape)
    if decode is None:
        raise ValueError(
            f"{asked} must get a method with a decoder; {type(method).__name__} has no inverse_transform. "
            "Use an autoencoder, or PCA."
        )
    return decode
