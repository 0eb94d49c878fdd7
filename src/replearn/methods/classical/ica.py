"""Independent components: directions along which the data are as far from normal as can be.

    x --less its mean--> whitened --rotation--> independent code --mixing--> reconstruction

The code spans what principal components span, so a linear probe without regularisation can't tell the two apart.

References: Hyvärinen, IEEE Transactions on Neural Networks 1999. https://doi.org/10.1109/72.761722
"""

from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn import decomposition
from sklearn.utils.validation import check_array


class FastICA(decomposition.FastICA):  # type: ignore[misc]
    """Independent components of rows, also of rows that have constant columns, such as the corner of digits.

    scikit-learn's class gives each direction the sign of its first number, which is 0 where the first column is
    constant: such directions are lost. Here constant columns are left out of the learning. All else is as in
    `sklearn.decomposition.FastICA`:

    n_components : numbers in the code
    fun : logcosh, exp or cube, what is taken for far from normal
    max_iter : steps at most
    tol : change at which to stop
    whiten : unit-variance, arbitrary-variance or False
    """

    components_: np.ndarray
    mixing_: np.ndarray

    def fit(self, X: Any, y: Any = None) -> "FastICA":
        """Learn from rows."""
        x = check_array(X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        varying = x.max(axis=0) > x.min(axis=0)
        super().fit(x[:, varying])
        self.components_ = _spread(self.components_, varying)
        self.mixing_ = _spread(self.mixing_.T, varying).T
        self.mean_ = x.mean(axis=0)
        self.n_features_in_ = x.shape[1]
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Float[np.ndarray, "n k"]:
        """Learn from rows, and code them."""
        codes: np.ndarray = self.fit(X).transform(X)
        return codes


def _spread(rows: Float[np.ndarray, "k v"], varying: np.ndarray) -> Float[np.ndarray, "k d"]:
    """The rows with zeros for the columns that were left out."""
    whole = np.zeros((len(rows), len(varying)), dtype=rows.dtype)
    whole[:, varying] = rows
    return whole
