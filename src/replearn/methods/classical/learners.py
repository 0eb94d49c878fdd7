"""scikit-learn's learners of atoms: vectors in, `(atoms, d)` out."""

from collections.abc import Callable
from difflib import get_close_matches

import numpy as np
from jaxtyping import Float
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA

from replearn.methods.classical.ica import FastICA
from replearn.methods.classical.sparse_coding import MiniBatchDictionaryLearning

Learner = Callable[[np.ndarray, int, int], np.ndarray]


def centres(x: Float[np.ndarray, "m d"], atoms: int, seed: int) -> Float[np.ndarray, "k d"]:
    """Centres of k-means."""
    learner = MiniBatchKMeans(atoms, n_init=1, batch_size=4096, random_state=seed)
    return np.asarray(learner.fit(x).cluster_centers_)


def principal(x: Float[np.ndarray, "m d"], atoms: int, seed: int) -> Float[np.ndarray, "k d"]:
    """Principal components, of norm 1."""
    return np.asarray(PCA(atoms, random_state=seed).fit(x).components_)


def independent(x: Float[np.ndarray, "m d"], atoms: int, seed: int) -> Float[np.ndarray, "k d"]:
    """The filters of independent component analysis, of norm 1."""
    return _unit(FastICA(atoms, whiten="unit-variance", tol=1e-3, random_state=seed).fit(x).components_)


def sparse(x: Float[np.ndarray, "m d"], atoms: int, seed: int) -> Float[np.ndarray, "k d"]:
    """A dictionary by which few atoms make up each vector; of norm 1."""
    learner = MiniBatchDictionaryLearning(
        atoms, batch_size=256, max_iter=5, fit_algorithm="cd", random_state=seed
    )
    return _unit(learner.fit(x).components_)


LEARNERS: dict[str, Learner] = {
    "kmeans": centres,
    "pca": principal,
    "ica": independent,
    "dictionary": sparse,
}
BOUNDED = ("pca", "ica")  # have no more atoms than there are directions


def check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raises ValueError where a name is none of those known."""
    if value not in known:
        near = get_close_matches(value, known, n=1, cutoff=0.0)[0]
        raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}. Did you mean {near!r}?")


def _unit(x: np.ndarray) -> np.ndarray:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))
