"""Is what lies between two codes a sample, too? Paths between codes, and numbers for what they decode to."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float

from replearn.evaluate.checks import Array, check_features, check_same_columns
from replearn.evaluate.probe_space import ProbeSpace

PAIRS, STEPS = 256, 11
SMALL = 1e-6  # radians: nearer directions, or directions nearer to opposite, have no arc between them

Decode = Callable[[Array], Array]  # codes (m, k) to raw rows (m, d)
Path = Callable[[Array, Array, Array], Array]  # ends a, b (n, k) and shares (t,) to codes (n, t, k)


def linear_path(
    a: Float[np.ndarray, "n k"], b: Float[np.ndarray, "n k"], shares: Float[np.ndarray, " t"]
) -> Float[np.ndarray, "n t k"]:
    """Codes on the straight lines from rows of `a` to rows of `b`: `(1 - t) a + t b`.

    >>> linear_path(np.zeros((1, 2)), np.array([[2.0, 4.0]]), np.array([0.0, 0.5, 1.0]))[0].tolist()
    [[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]
    """
    t = shares[:, None]
    return np.asarray((1 - t) * a[:, None] + t * b[:, None])  # (n, t, k)


def spherical_path(
    a: Float[np.ndarray, "n k"], b: Float[np.ndarray, "n k"], shares: Float[np.ndarray, " t"]
) -> Float[np.ndarray, "n t k"]:
    r"""Codes on the arcs around the origin from rows of `a` to rows of `b`.

    $$\frac{\sin((1-t)\,\omega)}{\sin \omega}\, a + \frac{\sin(t\,\omega)}{\sin \omega}\, b,
      \qquad \cos \omega = \frac{a \cdot b}{\lVert a \rVert \lVert b \rVert}$$

    Codes drawn from a normal distribution of many dimensions all lie near a sphere, which a straight line
    leaves. Where directions are equal or opposite, or an end is the origin, the line is taken.

    References: Shoemake, SIGGRAPH 1985. https://doi.org/10.1145/325165.325242;
        White, "Sampling generative networks", 2016, section 2.2. https://arxiv.org/abs/1609.04468

    >>> spherical_path(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([0.5]))[0, 0].round(4).tolist()
    [0.7071, 0.7071]
    """
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    angle = np.arccos(np.clip((a * b).sum(axis=1) / np.where(size > 0, size, 1), -1, 1))
    bent = (size > 0) & (angle > SMALL) & (angle < np.pi - SMALL)
    angle = np.where(bent, angle, 1.0)[:, None]  # (n, 1)
    before = np.where(bent[:, None], np.sin((1 - shares) * angle) / np.sin(angle), 1 - shares)  # (n, t)
    after = np.where(bent[:, None], np.sin(shares * angle) / np.sin(angle), shares)
    return np.asarray(before[:, :, None] * a[:, None] + after[:, :, None] * b[:, None])  # (n, t, k)


PATHS: dict[str, Path] = {"linear": linear_path, "spherical": spherical_path}


@dataclass(frozen=True, eq=False)
class Interpolation:
    """How paths between codes of real samples decode, a number per path.

    Attributes:
        distance: of what lies between the ends to the real samples nearest to it; 1: as near as real ones are.
        straightness: chord over length of the decoded path, 0 to 1; 1: it goes straight. NaN of a path of no length.
    """

    distance: npt.NDArray[np.float64]
    straightness: npt.NDArray[np.float64]


def interpolate(
    codes: Array,
    decode: Decode,
    space: ProbeSpace,
    *,
    path: str = "linear",
    centre: Array | None = None,
    pairs: int = PAIRS,
    steps: int = STEPS,
    random_state: int = 0,
) -> Interpolation:
    """Decode paths between codes of real samples, and look at them in a probe space.

    Args:
        codes: of real samples (n, k), at least 2.
        decode: from codes (m, k) to raw rows (m, d); the identity for raw rows themselves: the row to beat.
        space: where distances are measured; see `probe_space`.
        path: "linear" or "spherical".
        centre: what arcs go around (k,); the origin when None.
        pairs: how many pairs of codes are drawn, at random.
        steps: points of a path, both ends included; distances are of those between the ends.
        random_state: seed of the draw.

    Raises:
        ValueError: fewer than 2 codes, an unknown path, no point between the ends, or decoded rows of other columns
            than the space's.

    >>> angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    >>> circle = lambda codes: np.c_[np.cos(codes[:, 0]), np.sin(codes[:, 0])]
    >>> from replearn.evaluate.probe_space import probe_space
    >>> space = probe_space(circle(angle[::2, None]), circle(angle[1::2, None]))
    >>> along = interpolate(angle[:, None], circle, space).distance.mean()
    >>> across = interpolate(circle(angle[:, None]), lambda rows: rows, space).distance.mean()
    >>> bool(along < 1.2), bool(across > 4)
    (True, True)
    """
    codes = check_features(codes, "codes").astype(np.float64)
    if len(codes) < 2:
        raise ValueError("codes must be of at least 2 samples to go between; got 1. Pass more samples.")
    if path not in PATHS:
        raise ValueError(f"path must be one of {', '.join(PATHS)}; got {path!r}.")
    if steps < 3:
        raise ValueError(f"steps must be at least 3, both ends and one between; got {steps}. 11 is usual.")
    first, second = draw_pairs(len(codes), pairs, random_state)
    middle = np.zeros(codes.shape[1]) if centre is None else np.asarray(centre, dtype=np.float64)
    points = middle + PATHS[path](
        codes[first] - middle, codes[second] - middle, np.linspace(0, 1, steps)
    )  # (p, t, k)
    rows = check_features(decode(points.reshape(-1, codes.shape[1])), "decoded rows")
    check_same_columns(space.components.T, rows, ("the probe space", "decoded rows"))
    seen = space.project(rows).reshape(len(first), steps, -1)  # (p, t, s)
    inner = rows.reshape(len(first), steps, -1)[:, 1:-1]  # (p, t - 2, d)
    distance = space.distances(inner.reshape(-1, rows.shape[1])).reshape(inner.shape[:2]).mean(axis=1)
    return Interpolation(distance, straightness(seen))


def straightness(paths: Float[np.ndarray, "n t s"]) -> Float[np.ndarray, " n"]:
    """Distance of a path's ends over its length, of each path: 1 is straight; NaN of a path of no length.

    >>> straightness(np.array([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]])).round(3).tolist()
    [0.707]
    """
    length = np.linalg.norm(np.diff(paths, axis=1), axis=2).sum(axis=1)
    chord = np.linalg.norm(paths[:, -1] - paths[:, 0], axis=1)
    return np.asarray(np.where(length > 0, chord / np.where(length > 0, length, 1), np.nan))


def draw_pairs(
    count: int, pairs: int, random_state: int = 0
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions of `pairs` pairs of different samples among `count`, at random.

    >>> first, second = draw_pairs(2, 4)
    >>> bool((first != second).all())
    True
    """
    draw = np.random.default_rng(random_state)
    first = draw.integers(0, count, pairs)
    return first, (first + draw.integers(1, count, pairs)) % count
