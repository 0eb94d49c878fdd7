"""Sparse coding: a dictionary of atoms, of which few make up each sample.

    x --orthogonal matching pursuit--> sparse code --atoms--> reconstruction --squared error(x) + price--> loss

References: Mairal et al., ICML 2009. https://doi.org/10.1145/1553374.1553463
    Olshausen & Field, Nature 1996. https://doi.org/10.1038/381607a0
"""

from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn import decomposition


class MiniBatchDictionaryLearning(decomposition.MiniBatchDictionaryLearning):  # type: ignore[misc]
    """A dictionary of atoms, of which few make up each sample; learned from a batch at a time.

    Computes in double: in single precision, coordinate descent warns thousands of times that it did not converge. All
    else is as in `sklearn.decomposition.MiniBatchDictionaryLearning`:

    n_components : number of atoms
    alpha : price of a number of the code that is not zero, in learning
    fit_algorithm : lars, or cd (several times faster)
    transform_algorithm : omp, lars, lasso_lars, lasso_cd or threshold
    batch_size : samples per step
    max_iter : passes at most
    """

    def fit(self, X: Any, y: Any = None) -> "MiniBatchDictionaryLearning":
        """Learn from rows."""
        super().fit(np.asarray(X, dtype=np.float64))
        return self

    def transform(self, X: Any) -> Float[np.ndarray, "n k"]:
        """The code of each row."""
        codes: np.ndarray = super().transform(np.asarray(X, dtype=np.float64))
        return codes

    def fit_transform(self, X: Any, y: Any = None) -> Float[np.ndarray, "n k"]:
        """Learn from rows, and code them."""
        return self.fit(X).transform(X)
