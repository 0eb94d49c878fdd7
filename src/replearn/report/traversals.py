"""Pictures of what each number of a code stands for: it moves, the others stay."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from replearn.data import Samples
from replearn.evaluate.traversal import traverse, typical, unit_order
from replearn.methods.inside import divergences_of
from replearn.report.interpolations import codes_of, decoder_for_pictures
from replearn.report.pictures import Strip, drawn, strips_figure

UNITS, STEPS = 12, 9


def traversal_strips(
    decode: Callable[[np.ndarray], np.ndarray],
    codes: np.ndarray,
    *,
    divergences: np.ndarray | None = None,
    units: int = UNITS,
    steps: int = STEPS,
) -> list[Strip]:
    """A strip per unit, those that say most first, from the 2 % to the 98 % quantile of its codes.

    Args:
        decode: from codes to images.
        codes: of many samples (n, k); all but one unit stay at those of the most typical sample.
        divergences: what each unit tells, in nats, or None: their variance orders them.
        units: strips at most.
        steps: pictures in a strip.
    """
    order = unit_order(codes, divergences)[:units]
    rows = traverse(codes[typical(codes)], codes, order, steps=steps)  # (r, steps, k)
    pictures = drawn(decode(rows.reshape(-1, codes.shape[1])))  # (r · steps, s, s, c)
    said = codes.var(axis=0) if divergences is None else divergences
    said_by = "variance" if divergences is None else "KL"
    return [
        Strip(f"{number + 1}: {said_by} {said[number]:.2g}", own)
        for number, own in zip(order.tolist(), np.split(pictures, len(order)), strict=True)
    ]


def traversal_figure(method: Any, samples: Samples, *, units: int = UNITS, steps: int = STEPS) -> Figure:
    """A row of pictures per unit of a fitted method, ordered by KL divergence (a VAE) or variance.

    Raises:
        ValueError: the samples are not images, or the method has no decoder.
    """
    decode = decoder_for_pictures(method, samples, "traversal_figure")
    told = divergences_of(method, samples)
    codes = codes_of(method, samples)
    return strips_figure(traversal_strips(decode, codes, divergences=told, units=units, steps=steps))
