"""Tracking: labels of a clip's first frame carried along by what is alike, and how well they were carried.

    maps (n, t, d, i, j), labels of frame 1 --frame by frame, from the most alike places--> labels (n, t, ...)

Any network's maps will do; dot products say how alike two places are.
"""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

WIDE = 0.04  # of a point as a label, a deviation as a share of the frame's side


def propagate(
    maps: Float[np.ndarray, "n t d i j"],
    masks: Int[np.ndarray, "m h w"],
    *,
    context: int = 3,
    alike: int = 5,
    temperature: float = 1.0,
) -> Int[np.ndarray, "n t h w"]:
    """Masks of the first frames, carried through all frames.

    A place takes the labels of the places that are most like it, in the first frame and in some of the last, weighed
    by a softmax of dot products; masks are brought to the maps' size, and back.

    Args:
        maps: of each frame, whose dot products say how alike places are; of `ColourTracking`, `method.maps(samples)`.
        masks: which thing each pixel of the first frame is of, from 0, the ground.
        context: frames before a frame that are looked at, besides the first one.
        alike: places that are taken from.
        temperature: of the softmax.

    Returns:
        Masks of all frames, the first ones as they were given.

    Raises:
        ValueError: unlike numbers of clips, or a setting out of its range.

    References: Vondrick et al., ECCV 2018, section 3.6. https://arxiv.org/abs/1806.09594

    >>> maps = np.eye(4).reshape(1, 1, 4, 2, 2).repeat(3, 1)
    >>> propagate(maps, np.array([[[0, 1], [0, 0]]]), alike=1)[0, 2].tolist()
    [[0, 1], [0, 0]]
    """
    _check(len(maps), len(masks), "masks", context=context, alike=alike, temperature=temperature)
    things, size = int(masks.max()) + 1, masks.shape[1:]
    first = F.one_hot(torch.from_numpy(masks.astype(np.int64)), things).movedim(3, 1).float()  # (n, k, h, w)
    small = F.adaptive_avg_pool2d(first, maps.shape[3:])
    carried = _carried(maps, small, context=context, alike=alike, temperature=temperature)  # (n, t, k, i, j)
    wide = F.interpolate(carried.flatten(0, 1), size, mode="bilinear")
    found: np.ndarray = wide.argmax(1).view(len(maps), -1, *size).numpy()
    found[:, 0] = masks
    return found


def propagate_points(
    maps: Float[np.ndarray, "n t d i j"],
    points: Float[np.ndarray, "m k 2"],
    *,
    context: int = 3,
    alike: int = 5,
    temperature: float = 1.0,
) -> Float[np.ndarray, "n t k 2"]:
    """Points of the first frames, carried through all frames: each is a spot that is carried as masks are.

    Args:
        maps, context, alike, temperature: as `propagate` takes them.
        points: down and across, as shares of the frame's sides.

    Returns:
        Points in all frames, the first ones as they were given.

    Raises:
        ValueError: as of `propagate`.
    """
    _check(len(maps), len(points), "points", context=context, alike=alike, temperature=temperature)
    grid = [(torch.arange(side) + 0.5) / side for side in maps.shape[3:]]
    at = torch.from_numpy(np.asarray(points, dtype=np.float32))
    far = [(along - at[..., axis, None]) / max(WIDE, 1 / len(along)) for axis, along in enumerate(grid)]
    spots = torch.exp(-(far[0].square()[..., :, None] + far[1].square()[..., None, :]) / 2)  # (n, k, i, j)
    carried = _carried(maps, spots, context=context, alike=alike, temperature=temperature)  # (n, t, k, i, j)
    weights = carried / carried.sum((3, 4), keepdim=True).clamp_min(1e-9)
    down, across = (weights.sum(4 - axis) @ along for axis, along in enumerate(grid))  # (n, t, k) each
    found: np.ndarray = torch.stack([down, across], dim=3).numpy()
    found[:, 0] = points
    return found


def mask_iou(found: Int[np.ndarray, "n t h w"], truth: Int[np.ndarray, "n t h w"]) -> Float[np.ndarray, " _"]:
    """Intersection over union of the things in each frame after the first, mean over clips and things.

    What isn't there in the first frame counts nowhere.

    >>> masks = np.array([[[[0, 1]], [[1, 1]]]])
    >>> mask_iou(masks, masks[:, [0, 0]]).tolist()
    [0.5]
    """
    if found.shape != truth.shape:
        raise ValueError(f"masks must have the shape of the true ones, {truth.shape}; got {found.shape}.")
    shares = []
    for thing in range(1, int(truth[:, 0].max()) + 1):
        there = (truth[:, 0] == thing).any((1, 2))
        one, other = found[there, 1:] == thing, truth[there, 1:] == thing
        both, either = (one & other).sum((2, 3)), (one | other).sum((2, 3))
        shares.append(both / either.clip(1))  # (m, t-1)
    if not shares:
        raise ValueError("masks must hold a thing in a first frame; all are ground.")
    mean: np.ndarray = np.concatenate(shares).mean(0)
    return mean


def points_found(
    found: Float[np.ndarray, "n t k 2"], truth: Float[np.ndarray, "n t k 2"], *, near: float = 0.1
) -> Float[np.ndarray, " _"]:
    """The share of points in each frame after the first that are found, as near as a share of the frame's side.

    >>> points = np.zeros((1, 3, 1, 2))
    >>> points_found(points, points + np.array([0, 0.05, 0.2])[:, None, None]).tolist()
    [1.0, 0.0]
    """
    hit: Bool[np.ndarray, "n t k"] = np.linalg.norm(found - truth, axis=3) <= near
    mean: np.ndarray = hit[:, 1:].mean((0, 2))
    return mean


def _carried(
    maps: np.ndarray, labels: Float[Tensor, "n k i j"], *, context: int, alike: int, temperature: float
) -> Float[Tensor, "n t k i j"]:
    """Shares of labels in all frames."""
    size, carried = labels.shape[2:], []
    for own, first in zip(maps, labels, strict=True):
        f = torch.from_numpy(np.ascontiguousarray(own)).float().flatten(2)  # (t, d, p)
        told = [first.flatten(1)]  # (k, p) each
        for frame in range(1, len(f)):
            seen = sorted({0, *range(max(0, frame - context), frame)})
            before = torch.cat([f[place] for place in seen], dim=1)  # (d, q)
            scores, places = (f[frame].T @ before / temperature).topk(min(alike, before.shape[1]), dim=1)
            known = torch.cat([told[place] for place in seen], dim=1)  # (k, q)
            told.append((known[:, places] * scores.softmax(1)).sum(2))
        carried.append(torch.stack(told).view(len(told), -1, *size))
    return torch.stack(carried)


def _check(clips: int, given: int, what: str, **settings: float) -> None:
    if clips != given:
        raise ValueError(f"{what} must be those of {clips:,} clips; got {given:,}.")
    low = {
        name: value for name, value in settings.items() if not value >= (1 if name != "temperature" else 1e-9)
    }
    for name, value in low.items():
        raise ValueError(
            f"{name} must be {'greater than 0' if name == 'temperature' else 'at least 1'}; got {value}."
        )
