"""Maps: representations of some test samples in the plane, by t-SNE."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from replearn.comparison import Comparison, Representation, is_baseline

POINTS = 1500  # samples on a map
TOTAL = 5000  # points on all maps: t-SNE takes about 1.5 s of a core for 1,000 points
FEWEST = 8  # t-SNE of fewer points is noise: they are shown by their principal components
COMPONENTS = 50  # kept before t-SNE, as in its paper


@dataclass(frozen=True, eq=False)
class Maps:
    """Where the samples `index` of the test part lie, for each representation named.

    Attributes:
        index: positions in the test samples (n,).
        places: for each representation, `(n, 2)` in [-1, 1].
        tsne: whether t-SNE made them; principal components otherwise.
    """

    index: np.ndarray
    places: dict[str, np.ndarray]
    tsne: bool


def make_maps(comparison: Comparison, *, points: int = POINTS, random_state: int = 0) -> Maps:
    """Maps of representations, all of the same test samples; best first, so that it is shown first.

    Of learned representations the four best by kNN are drawn (the first four where there is none), then all
    baselines.

    Args:
        comparison: its scores choose and order the representations.
        points: samples at most; fewer where there are more than four maps.
        random_state: seed of the choice of samples and of t-SNE.
    """
    rows = _chosen_rows(comparison)
    n = len(comparison.test)
    count = min(n, points, max(TOTAL // max(1, len(rows)), 500))
    index = np.sort(np.random.default_rng(random_state).permutation(n)[:count])
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = list(pool.map(lambda row: embed_in_plane(row.test[index], random_state=random_state), rows))
    # Turned and mirrored to lie like the first map: going from one to another, only real moves are seen.
    places = {row.name: scaled(place @ turn(place, found[0])) for row, place in zip(rows, found, strict=True)}
    return Maps(index, places, count >= FEWEST)


def embed_in_plane(rows: Float[np.ndarray, "n d"], *, random_state: int = 0) -> Float[np.ndarray, "n 2"]:
    """t-SNE of the rows, begun at their principal components; of fewer than 8 rows, these components alone.

    Reference: van der Maaten & Hinton, JMLR 2008. https://jmlr.org/papers/v9/vandermaaten08a.html

    >>> embed_in_plane(np.eye(5)).shape
    (5, 2)
    """
    parts = principal(rows, random_state)
    spread = float(parts[:, 0].std()) if len(parts) else 0.0
    if len(rows) < FEWEST or spread < 1e-12:
        return parts[:, :2]
    tsne = TSNE(
        init=np.ascontiguousarray(parts[:, :2] / spread * 1e-4, dtype=np.float32),
        perplexity=min(30.0, (len(rows) - 1) / 3),
        max_iter=500,
        angle=0.7,  # a coarser far field than the default 0.5: a quarter less time, 2 % more divergence
        random_state=random_state,
    )
    # One thread: t-SNE's many short steps would spend their time waiting for each other on a busy machine.
    with threadpool_limits(1, user_api="openmp"):
        place: np.ndarray = tsne.fit_transform(parts / spread)
    return place


def _chosen_rows(comparison: Comparison) -> list[Representation]:
    """Best first by kNN, or by what comes first in the scores; what was not learned last."""
    scores = comparison.scores
    by_knn = scores[scores["measure"] == "kNN"].groupby("representation")["mean"].mean().to_dict()
    learned = [row for row in comparison.rows if not is_baseline(row.name)]
    learned = sorted(learned, key=lambda row: -by_knn.get(row.name, 0.0))[:4]
    return learned + [row for row in comparison.rows if is_baseline(row.name)]


def principal(rows: np.ndarray, random_state: int) -> Float[np.ndarray, "n k"]:
    """Principal components, 2 to 50; columns of zeros where there are fewer."""
    rows = rows.astype(np.float64) - rows.mean(axis=0)
    rank = min(COMPONENTS, *rows.shape)
    if rank < min(rows.shape):
        from sklearn.utils.extmath import randomized_svd

        left, sigma, right = randomized_svd(rows, rank, random_state=random_state)
    else:
        left, sigma, right = np.linalg.svd(rows, full_matrices=False)
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])  # SVD leaves the signs open
    parts = left * sigma * np.where(signs == 0, 1, signs)  # (n, k)
    return np.pad(parts, ((0, 0), (0, max(0, 2 - parts.shape[1]))))


def turn(place: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The rotation or reflection (2, 2) that brings places nearest to the target (Procrustes)."""
    left, _, right = np.linalg.svd((place - place.mean(axis=0)).T @ (target - target.mean(axis=0)))
    return np.asarray(left @ right)


def scaled(place: np.ndarray) -> np.ndarray:
    """Centred, the farthest coordinate at 1."""
    if not len(place):
        return place
    place = place - (place.max(axis=0) + place.min(axis=0)) / 2
    return np.asarray(place / max(float(np.abs(place).max()), 1e-12))
