"""k-means as an autoencoder: the code says which centre is nearest, and the decoder is a table of the centres.

    x --nearest centre--> one-hot code --centres--> reconstruction --squared error(x)--> inertia

What k-means makes small, its inertia, is the squared error of this reconstruction. scikit-learn's class learns the
centres; added is which code `transform` returns, and the way back.

References: MacQueen, Berkeley Symposium 1967. https://projecteuclid.org/euclid.bsmsp/1200512992
    Coates, Lee & Ng, AISTATS 2011, section 3.2 (soft code). https://proceedings.mlr.press/v15/coates11a.html
"""

from difflib import get_close_matches
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn import cluster

from replearn.methods.checks import check_codes

CODES = ("one-hot", "soft", "distance")


class CentreCode:
    """Codes by `cluster_centers_`, and the way back, for scikit-learn's classes of k-means."""

    code: str
    cluster_centers_: np.ndarray

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Learn the centres.

        Raises:
            ValueError: the code is unknown, or the samples are fewer than the centres.
        """
        if self.code not in CODES:
            near = get_close_matches(str(self.code), CODES, n=1, cutoff=0.0)[0]
            raise ValueError(
                f"code must be one of {', '.join(CODES)}; got {self.code!r}. Did you mean {near!r}?"
            )
        return super().fit(X, y, sample_weight)  # type: ignore[misc]

    def transform(self, X: Any) -> Float[np.ndarray, "n k"]:
        """The code of each row."""
        distances: np.ndarray = super().transform(X)  # type: ignore[misc]  # (n, k)
        if self.code == "distance":
            return distances
        if self.code == "soft":
            return np.asarray(np.maximum(distances.mean(axis=1, keepdims=True) - distances, 0))
        return np.asarray(np.eye(distances.shape[1], dtype=distances.dtype)[distances.argmin(axis=1)])

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Float[np.ndarray, "n k"]:
        """Learn the centres, and code the rows that they were learned from."""
        codes: np.ndarray = self.fit(X, y, sample_weight).transform(X)
        return codes

    def inverse_transform(self, codes: Any) -> Float[np.ndarray, "n d"]:
        """Rows from codes: the centre that a one-hot code or the least distance names; the mean of centres, weighted
        by a soft code.

        Raises:
            ValueError: codes are of another width, or not finite.
        """
        codes = check_codes(codes, len(self.cluster_centers_))
        if self.code == "distance":
            return np.asarray(self.cluster_centers_[codes.argmin(axis=1)])
        total = codes.sum(axis=1, keepdims=True)
        shares = np.divide(codes, total, out=np.full_like(codes, 1 / codes.shape[1]), where=total > 0)
        return np.asarray(shares @ self.cluster_centers_)


class KMeans(CentreCode, cluster.KMeans):  # type: ignore[misc]
    """Clusters around centres, as an autoencoder whose code is one-hot.

    All but `code` is as in `sklearn.cluster.KMeans`:

    n_clusters : number of centres
    code : one-hot (which centre is nearest), soft (how much nearer than the mean distance each centre is), distance
    n_init : how often to start anew
    max_iter : passes at most

    >>> x = np.array([[0.0], [1.0], [9.0], [11.0]])
    >>> model = KMeans(2, random_state=0).fit(x)
    >>> model.inverse_transform(model.transform(x)).ravel().tolist(), model.inertia_
    ([0.5, 0.5, 10.0, 10.0], 2.5)
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        code: str = "one-hot",
        init: Any = "k-means++",
        n_init: Any = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
    ) -> None:
        super().__init__(
            n_clusters,
            init=init,
            n_init=n_init,
            max_iter=max_iter,
            tol=tol,
            verbose=verbose,
            random_state=random_state,
            copy_x=copy_x,
            algorithm=algorithm,
        )
        self.code = code


class MiniBatchKMeans(CentreCode, cluster.MiniBatchKMeans):  # type: ignore[misc]
    """Clusters around centres, learned from a batch at a time: for many samples or many centres.

    All but `code` is as in `sklearn.cluster.MiniBatchKMeans`:

    n_clusters : number of centres
    code : one-hot (which centre is nearest), soft (how much nearer than the mean distance each centre is), distance
    batch_size : samples per step
    max_iter : passes at most
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        code: str = "one-hot",
        init: Any = "k-means++",
        max_iter: int = 100,
        batch_size: int = 1024,
        verbose: int = 0,
        compute_labels: bool = True,
        random_state: Any = None,
        tol: float = 0.0,
        max_no_improvement: int | None = 10,
        init_size: int | None = None,
        n_init: Any = "auto",
        reassignment_ratio: float = 0.01,
    ) -> None:
        super().__init__(
            n_clusters,
            init=init,
            max_iter=max_iter,
            batch_size=batch_size,
            verbose=verbose,
            compute_labels=compute_labels,
            random_state=random_state,
            tol=tol,
            max_no_improvement=max_no_improvement,
            init_size=init_size,
            n_init=n_init,
            reassignment_ratio=reassignment_ratio,
        )
        self.code = code
