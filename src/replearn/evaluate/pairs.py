"""Do vectors of texts tell how alike two texts are to people, and find the text that belongs to another?"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from replearn.evaluate.checks import Array, check_features, check_same_columns
from replearn.evaluate.neighbours import CHUNK

AT = (1, 5, 10)


def relatedness(a: Array, b: Array, scores: Array) -> dict[str, float]:
    """How well the cosine of two vectors follows the score that people gave the pair.

    Nothing is learned. Cosines need not lie on a line with the scores, so read Spearman's correlation first.

    Args:
        a, b: vectors of the first and the second of each pair, (n, d).
        scores: of the pairs, (n,).

    Returns:
        `spearman` and `pearson`, from -1 to 1.

    Raises:
        ValueError: tables that differ in shape, fewer than 2 pairs, or scores that are all alike.

    References: Reimers, Beyer & Gurevych, COLING 2016 (why ranks). https://aclanthology.org/C16-1009

    >>> a, b = np.array([[1.0, 0], [1, 0], [1, 0]]), np.array([[1.0, 0], [1, 1], [0, 1]])
    >>> relatedness(a, b, np.array([5, 3, 1]))["spearman"]
    1.0
    """
    a, b = _paired(a, b)
    return correlations((_unit(a) * _unit(b)).sum(1), scores)


def correlations(told: Array, scores: Array) -> dict[str, float]:
    """Spearman's and Pearson's correlation; 0 where all that is told is alike.

    Raises:
        ValueError: other than one number for each score, fewer than 2, not finite, or scores that are all alike.

    >>> correlations(np.array([1.0, 2.0, 9.0]), np.array([1.0, 2.0, 3.0]))
    {'spearman': 1.0, 'pearson': 0.917...}
    """
    told, scores = np.asarray(told, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if told.shape != scores.shape or told.ndim != 1 or len(told) < 2:
        raise ValueError(
            f"scores must be one for each of at least 2 pairs; got shape {scores.shape} for {told.shape}. Check both."
        )
    if not np.isfinite(told).all() or not np.isfinite(scores).all() or np.ptp(scores) == 0:
        raise ValueError(
            "scores must be finite and not all alike; these are not. Leave out pairs without one."
        )
    return {"spearman": _correlation(rankdata(told), rankdata(scores)), "pearson": _correlation(told, scores)}


def retrieval(
    queries: Array, documents: Array, *, wanted: Array | None = None, same: Array | None = None
) -> dict[str, float]:
    r"""Is the document that belongs to a query among those most like it?

    Documents are ranked by cosine; of documents as like as the wanted one half count as ranked before it, so that
    vectors that are all alike find no more than chance does. With the rank r_i of the wanted document:

        recall@k = (1/n) Σ_i [r_i <= k],      MRR = (1/n) Σ_i 1 / r_i

    Args:
        queries: rows (n, d).
        documents: rows (m, d).
        wanted: position of the document that belongs to each query, (n,); None: of the same position.
        same: a number of each document that equal ones share, (m,): each of them is right where one is, and the best of
            them counts; None: no two are equal.

    Returns:
        `recall@1`, `recall@5`, `recall@10` (for those below m) and `mrr`.

    Raises:
        ValueError: tables of other columns, or a position of no document.

    References: Voorhees, TREC-8, 1999 (mean reciprocal rank).
        https://trec.nist.gov/pubs/trec8/papers/qa_report.pdf

    >>> retrieval(np.eye(3), np.eye(3)[[0, 2, 1]])
    {'recall@1': 0.333..., 'mrr': 0.6}
    """
    queries, documents = check_features(queries, "queries"), check_features(documents, "documents")
    check_same_columns(queries, documents, ("queries", "documents"))
    places = np.arange(len(queries)) if wanted is None else np.asarray(wanted)
    if (
        places.shape != (len(queries),)
        or not len(queries)
        or not 0 <= places.min() <= places.max() < len(documents)
    ):
        raise ValueError(
            f"wanted must be a position below {len(documents)} for each of {len(queries)} queries; it is not. "
            "Give wanted=, or as many documents as queries."
        )
    numbers = np.arange(len(documents)) if same is None else np.asarray(same)
    if numbers.shape != (len(documents),):
        raise ValueError(
            f"same must be a number for each of {len(documents)} documents; got {numbers.shape}."
        )
    rows, keys = _unit(queries), _unit(documents)
    step = max(1, CHUNK // len(keys))
    ranks = np.concatenate(
        [
            _ranks(rows[at : at + step] @ keys.T, numbers == numbers[places[at : at + step], None])
            for at in range(0, len(rows), step)
        ]
    )
    recalls = {f"recall@{k}": float((ranks <= k).mean()) for k in AT if k < len(documents)}
    return recalls | {"mrr": float((1 / ranks).mean())}


def _ranks(cosines: Float[np.ndarray, "n m"], right: Bool[np.ndarray, "n m"]) -> Float[np.ndarray, " n"]:
    """Rank of the best of each query's right documents among the others, from 1."""
    own = np.where(right, cosines, -np.inf).max(1, keepdims=True)
    near = np.abs(cosines - own) <= 1e-6
    return np.asarray(1 + ((cosines > own) & ~near & ~right).sum(1) + (near & ~right).sum(1) / 2)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return round(float(a @ b / size), 12) if size > 0 else 0.0


def _unit(rows: Array) -> Array:
    wide = rows.astype(np.float64)
    length: Array = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.asarray(wide / np.maximum(length, np.finfo(np.float64).tiny))


def _paired(a: Array, b: Array) -> tuple[Array, Array]:
    a, b = check_features(a, "a"), check_features(b, "b")
    if a.shape != b.shape:
        raise ValueError(
            f"a and b must be two tables of one shape; got {a.shape} and {b.shape}. Pair them row by row."
        )
    return a, b
