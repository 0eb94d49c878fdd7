"""Where samples lie on a map: t-SNE of some, others beside their nearest; principal components; or UMAP.

h (n, d) --t-SNE of 5,000--> places of these --three nearest of them--> places of all (n, 2)
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from replearn.data.needed import needed
from replearn.evaluate import nearest
from replearn.evaluate.checks import Array
from replearn.report.map import FEWEST, embed_in_plane, principal, scaled, turn

Way = Literal["tsne", "pca", "umap"]
TSNE = 5000  # samples that t-SNE places: about 1.5 s of a core for 1,000
FITTED = 50_000  # samples that UMAP learns its map from
BESIDE = 3  # of the nearest, between which another sample is put
ASKED, NEAR = 500, 10  # samples by which a map is measured, and neighbours of each
BANK = 20_000  # samples among which a map is measured


@dataclass(frozen=True, eq=False)
class Places:
    """Where samples lie.

    Attributes:
        xy: `(n, 2)` in [-1, 1].
        told: how they were placed, in a sentence.
        kept: share of the ten nearest by the representation that are among the ten nearest on the map.
    """

    xy: Float[np.ndarray, "n 2"]
    told: str
    kept: float


def place(rows: Float[np.ndarray, "n d"], way: Way = "tsne", *, random_state: int = 0) -> Places:
    """The places of all rows.

    Of more than 5,000 rows t-SNE places 5,000, drawn at random; each other row lies at the mean of the three of these
    that are nearest by cosine, weighted by how near they are. UMAP learns from at most 50,000, and places the others
    itself.

    Args:
        rows: representations.
        way: `tsne` (van der Maaten & Hinton 2008, as in reports), `pca`, or `umap` (McInnes et al. 2018, of the
            package umap-learn).
        random_state: seed of the draws.

    Raises:
        ValueError: umap-learn is not installed.

    >>> found = place(np.eye(12, dtype=np.float32), "pca")
    >>> found.xy.shape, found.told
    ((12, 2), 'principal components of 12 samples')
    """
    n, draw = len(rows), np.random.default_rng(random_state)
    few = n < FEWEST
    if way == "pca" or few:
        xy = principal(rows, random_state)[:, :2]
        told = f"principal components of {n:,} samples" + ("; t-SNE needs 8" if few and way != "pca" else "")
    elif way == "umap":
        xy, told = _by_umap(rows, draw, random_state)
    else:
        xy, told = _by_tsne(rows, draw, random_state)
    return Places(scaled(xy), told, kept_neighbours(rows, xy, draw))


def kept_neighbours(rows: Array, xy: Array, draw: np.random.Generator) -> float:
    """Share of the ten nearest of 500 samples by the representation (cosine) that are among their ten nearest on the
    map, both sought among at most 20,000."""
    some = draw.permutation(len(rows))[:BANK]
    k = min(NEAR + 1, len(some))
    if k < 3:
        return 1.0
    asked = some[:ASKED]
    by_rows = nearest(rows[asked], rows[some], k=k)[0]
    by_places = nearest(xy[asked], xy[some], k=k, metric="euclidean")[0]
    shared = 0
    for own, (first, second) in enumerate(zip(by_rows, by_places, strict=True)):
        a, b = (set(found[found != own][: k - 1].tolist()) for found in (first, second))
        shared += len(a & b)
    return shared / (len(asked) * (k - 1))


def alike(xy: Float[np.ndarray, "n 2"], like: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """A map turned and mirrored to lie like another one."""
    return scaled(xy @ turn(xy, like))


def _by_tsne(rows: Array, draw: np.random.Generator, random_state: int) -> tuple[Array, str]:
    n = len(rows)
    if n <= TSNE:
        return embed_in_plane(rows, random_state=random_state), f"t-SNE of {n:,} samples"
    some = np.sort(draw.permutation(n)[:TSNE])
    others = np.setdiff1d(np.arange(n), some)
    xy = np.empty((n, 2))
    xy[some] = embed_in_plane(rows[some], random_state=random_state)
    found, similarity = nearest(rows[others], rows[some], k=BESIDE)
    weight = np.exp((similarity - similarity[:, :1]) * 10)  # (m, 3)
    xy[others] = (xy[some][found] * weight[..., None]).sum(1) / weight.sum(1, keepdims=True)
    return xy, (
        f"t-SNE of {TSNE:,} of {n:,} samples; the other {len(others):,} lie between the {BESIDE} of these that are "
        "nearest to them"
    )


def _by_umap(rows: Array, draw: np.random.Generator, random_state: int) -> tuple[Array, str]:
    umap = needed("umap", "--map umap needs")
    n = len(rows)
    some = np.sort(draw.permutation(n)[:FITTED])
    fitted = umap.UMAP(
        n_neighbors=min(15, len(some) - 1), metric="cosine", random_state=random_state, n_jobs=1
    ).fit(rows[some])
    if n <= FITTED:
        return np.asarray(fitted.embedding_), f"UMAP of {n:,} samples"
    others = np.setdiff1d(np.arange(n), some)
    xy = np.empty((n, 2))
    xy[some], xy[others] = fitted.embedding_, fitted.transform(rows[others])
    return xy, f"UMAP of {FITTED:,} of {n:,} samples; it placed the other {len(others):,} afterwards"
