"""How do embeddings of two modalities lie to each other: in one place, or in two cones apart?"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from replearn.evaluate.checks import Array, check_features, check_same_columns
from replearn.evaluate.geometry import alignment, uniformity

GAP, ALIGNMENT, UNIFORMITY = "gap", "alignment", "uniformity"


def modality_gap(a: Array, b: Array) -> float:
    r"""The distance between the centres of two modalities on the unit sphere.

    $$\Bigl\lVert \frac1n \sum_i \frac{a_i}{\lVert a_i \rVert} -
        \frac1m \sum_j \frac{b_j}{\lVert b_j \rVert} \Bigr\rVert_2$$

    0 where both have the same centre, 2 where each is one point, opposite to the other. A gap does not keep partners
    from finding each other: what counts there are differences within a modality.

    Args:
        a, b: embeddings of each modality, (n, d) and (m, d); scaled to unit length here, rows of zeros stay.

    Raises:
        ValueError: tables of other columns, or numbers that are not finite.

    Reference: Liang et al., NeurIPS 2022, section 4.1. https://arxiv.org/abs/2203.02053

    >>> modality_gap(np.array([[2.0, 0], [3, 0]]), np.array([[-1.0, 0]]))
    2.0
    """
    a, b = check_features(a, "a"), check_features(b, "b")
    check_same_columns(a, b, ("a", "b"))
    return float(np.linalg.norm(_unit(a).mean(0) - _unit(b).mean(0)))


def shared_space(embeddings: Mapping[str, Array]) -> dict[str, dict[str, float]]:
    """How the embeddings of samples' members lie in the space that they share.

    Args:
        embeddings: of each member, (n, d); row i of all is the same sample.

    Returns:
        By `A and B`: `gap` (see `modality_gap`) and `alignment`, the mean squared distance of partners; by member:
        `uniformity`, how evenly its embeddings fill the sphere (see `replearn.evaluate.uniformity`).

    Raises:
        ValueError: tables of unlike shape, fewer than two members or samples, or numbers that are not finite.

    >>> found = shared_space({"image": np.eye(2), "text": -np.eye(2)})
    >>> found["alignment"], found["uniformity"]
    ({'image and text': 4.0}, {'image': -4.0, 'text': -4.0})
    """
    if len(embeddings) < 2:
        raise ValueError(
            f"embeddings must be of two members at least; got {len(embeddings)}. Give those of another."
        )
    both = {f"{a} and {b}": (embeddings[a], embeddings[b]) for a, b in combinations(embeddings, 2)}
    return {
        GAP: {name: modality_gap(a, b) for name, (a, b) in both.items()},
        ALIGNMENT: {name: alignment(a, b) for name, (a, b) in both.items()},
        UNIFORMITY: {name: uniformity(z) for name, z in embeddings.items()},
    }


def _unit(rows: Array) -> Array:
    wide = rows.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.asarray(wide / np.maximum(length, np.finfo(np.float64).tiny))
