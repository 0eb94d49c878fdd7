"""How well pixels were told: the mean over classes of intersection over union."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Int, UInt8

VOID = 255  # pixels that count nowhere


def pixel_confusion(
    found: UInt8[np.ndarray, "n h w"], truth: UInt8[np.ndarray, "m i j"], *, number: int
) -> Int[np.ndarray, "c c"]:
    """How many pixels of each class (rows: truth) were told to be of each (columns); unknown ones are left out.

    Args:
        found: what was said, 0 ... number - 1.
        truth: what is so, 0 ... number - 1, or 255 where nobody knows.
        number: of classes, the ground among them.

    Raises:
        ValueError: unlike shapes, or a class beyond them.
    """
    if found.shape != truth.shape:
        raise ValueError(f"masks must have the shape of the true ones, {truth.shape}; got {found.shape}.")
    known = truth != VOID
    said, true = found[known].astype(np.int64), truth[known].astype(np.int64)
    if len(true) and max(int(said.max()), int(true.max())) >= number:
        raise ValueError(f"masks must hold classes 0 ... {number - 1}; got {max(said.max(), true.max())}.")
    counts: Int[np.ndarray, "c c"] = np.bincount(number * true + said, minlength=number**2).reshape(
        number, number
    )
    return counts


def segmentation_scores(confusion: Int[np.ndarray, "c c"]) -> dict[str, float]:
    """`miou`, the mean over the classes in truth of intersection over union, and `accuracy`, of pixels.

        IoU of c = |found c and true c| / |found c or true c|

    The ground is a class as the others are, as in PASCAL VOC.

    Raises:
        ValueError: no pixel is known.

    References: Everingham et al., IJCV 2015, section 3.2 (5). https://doi.org/10.1007/s11263-014-0733-5

    >>> segmentation_scores(np.array([[6, 2], [0, 2]]))
    {'miou': 0.625, 'accuracy': 0.8}
    """
    both, true, said = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    there = true > 0
    if not there.any():
        raise ValueError("masks must hold at least one known pixel; got none. Score other scenes.")
    shares = both[there] / (true + said - both)[there]
    return {"miou": float(shares.mean()), "accuracy": float(both.sum() / confusion.sum())}


def segmentation_by_index(
    found: UInt8[np.ndarray, "n h w"], truth: UInt8[np.ndarray, "m i j"], *, number: int
) -> Callable[[Int[np.ndarray, " k"]], dict[str, float]]:
    """`segmentation_scores` of the masks at some positions, pixels being counted once; NaN where none is known.

    Args:
        found, truth, number: as `pixel_confusion` takes them.

    Raises:
        ValueError: see `pixel_confusion`.
    """
    if len(found) != len(truth):
        raise ValueError(f"masks must be one per true one; got {len(found)} for {len(truth)}.")
    counts = np.stack(
        [pixel_confusion(*of, number=number) for of in zip(found[:, None], truth[:, None], strict=True)]
    )

    def scores(index: Int[np.ndarray, " k"]) -> dict[str, float]:
        confusion = counts[index].sum(0)
        if not confusion.any():
            return dict.fromkeys(("miou", "accuracy"), float("nan"))
        return segmentation_scores(confusion)

    return scores
