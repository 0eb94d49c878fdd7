"""scikit-learn's own checks of estimators, on tables: one method of each family, since all share what is checked.

FAILS is the list of exceptions. All others of its checks must pass.
"""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from made_methods import quick
from replearn.methods import BYOL, VAE, Autoencoder, SimCLR, Supervised

WORDS = "it is refused, in words of ours that say what must hold and what to do: "
FAILS = {
    "check_complex_data": WORDS + "an array must hold numbers",
    "check_estimators_empty_data_messages": WORDS
    + "an array must hold at least one sample with at least one value",
    "check_estimator_sparse_tag": WORDS + "data must be an array; got csr_matrix",
    "check_estimator_sparse_array": WORDS + "data must be an array; got csr_array",
    "check_estimator_sparse_matrix": WORDS + "data must be an array; got csr_matrix",
    "check_fit2d_1sample": WORDS + "a method must have samples enough for its smallest batch",
    "check_fit2d_predict1d": WORDS + "an array must be a table or images",
    "check_fit2d_1feature": WORDS + "Autoencoder's dim must be smaller than the numbers of a sample",
    "check_requires_y_none": WORDS + "needs labels of at least two classes",
    "check_do_not_raise_errors_in_init_or_set_params": "under pytest types are checked at once, else by fit",
    "check_dtype_object": "rows of unequal length are objects too: numbers must come as numbers",
    "check_methods_subset_invariance": "the rounding of a product may differ with its size, by 1.5e-7; 1e-7 is allowed",
    "check_transformer_data_not_an_array": "what has nothing but __array__ is not taken: np.asarray(x) is",
}


def with_reasons(estimator: Any) -> dict[str, str]:
    """The checks that fail."""
    never = {"check_fit2d_1feature"} if not isinstance(estimator, Autoencoder) else set()
    return {name: reason for name, reason in FAILS.items() if name not in never}


def small(cls: type[Any]) -> Any:
    """A method that learns the checks' tables of a few rows and columns in milliseconds."""
    one = {"dim": 1} if "dim" in cls.__dataclass_fields__ else {}
    return quick(cls, encoder="mlp", epochs=1, batch_size=max(4, cls.smallest_batch), **one)


@parametrize_with_checks([small(cls) for cls in (Autoencoder, SimCLR)], expected_failed_checks=with_reasons)
def test_check(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.all
@parametrize_with_checks([small(cls) for cls in (VAE, BYOL, Supervised)], expected_failed_checks=with_reasons)
def test_check_of_others(estimator: Any, check: Any) -> None:
    check(estimator)
