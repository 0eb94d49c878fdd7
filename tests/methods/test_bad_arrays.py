"""Every public function of a fitted method that takes an array says in one line what is wrong with it."""

import inspect
from typing import Any

import numpy as np
import pytest

from lanes import one_of_each
from made_methods import CLASSES, few, fitted, kind
from replearn.methods import Model

# What takes samples, and what takes codes; `sample` takes a number.
TAKEN = {
    "transform": "samples",
    "log_likelihood": "samples",
    "inverse_transform": "codes",
    "sample": "number",
}


def own(cls: type[Any]) -> list[str]:
    """Functions of ours among these that a method has; scikit-learn's own say what they say."""
    found = [name for name in TAKEN if callable(getattr(cls, name, None))]
    return [name for name in found if inspect.getmodule(getattr(cls, name)).__name__.startswith("replearn")]


def good(method: Any, what: str) -> np.ndarray:
    if what == "samples":
        images = few(type(method))[np.arange(4)].x.numpy()
        return (images / 255).astype(np.float32)
    dim = method.representation_dim if isinstance(method, Model) else len(method.cluster_centers_)
    return np.full((4, dim), 0.5, dtype=np.float32)


def bad(rows: np.ndarray, what: str) -> dict[str, Any]:
    holed, endless = rows.copy(), rows.copy()
    holed[1], endless[2] = np.nan, np.inf
    found = {"nan": holed, "inf": endless, "wide": np.concatenate([rows, rows], axis=1)}
    return found | ({"names": np.full(rows.shape, "a"), "flat": rows[0]} if what == "codes" else {})


@pytest.mark.parametrize("cls", one_of_each(cls for cls in CLASSES if set(own(cls)) - {"transform"}))
def test_bad_arrays_are_one_line(cls: type[Any]) -> None:
    method = fitted(cls)
    for name in own(cls):
        call, what = getattr(method, name), TAKEN[name]
        if what == "number":
            for n in (0, -1):
                with pytest.raises(ValueError, match="n must be at least 1"):
                    call(n)
            continue
        if what == "samples" and (kind(cls) != "image" or not isinstance(method, Model)):
            continue
        rows = good(method, what)
        assert len(call(rows)) == 4
        assert len(call(rows.tolist())) == 4
        for wrong, array in bad(rows, what).items():
            with pytest.raises(ValueError, match=" must ") as error:
                call(array)
            assert "\n" not in str(error.value), (name, wrong)
            if wrong in ("nan", "inf"):
                assert "must be finite; got NaN or infinity in 1 of 4" in str(error.value), (name, wrong)
