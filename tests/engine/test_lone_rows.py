"""Batch statistics of one row are none: what would need them is refused in one line, by every method."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from lanes import one_of_each
from made_methods import CLASSES, few, kind, quick
from replearn.methods import Trained
from replearn.transfer import FineTune

OF_PLACES = ("Colorization", "ContextEncoder", "IBOT", "IJEPA", "MAE", "SimMIM")  # which refuse an mlp
TRAINED = [cls for cls in CLASSES if issubclass(cls, Trained)]


@pytest.mark.parametrize("given", [{"batch_size": 1}, {"batch_size": 8, "slice_size": 1}])
@pytest.mark.parametrize("cls", one_of_each(TRAINED))
def test_one_row_is_learned_from_or_refused(cls: type[Any], given: dict[str, Any]) -> None:
    encoder = {"encoder": "mlp"} if kind(cls) == "image" and cls.__name__ not in OF_PLACES else {}
    method = quick(cls, epochs=1, **encoder, **given)
    samples, error = few(cls).subset(np.arange(8)), None
    try:
        method.fit(samples)
    except ValueError as refused:
        error = str(refused)
    if error is not None:
        assert "\n" not in error
        assert any(
            words in error for words in ("batch_size must", "slice_size must be", "way must", "window")
        ), error
        assert not hasattr(method, "history_")


@pytest.mark.parametrize("encoder", ["mlp", "cnn"])
def test_a_last_batch_of_one_row_is_left_out_and_slices_are_even(encoder: str) -> None:
    from replearn.methods.reconstruction.vae import VAE

    known = {field.name for field in fields(VAE)}
    assert "slice_size" in known
    samples = few(VAE).subset(np.arange(9))
    for given in ({"batch_size": 4}, {"batch_size": 9, "slice_size": 4}):
        method = quick(VAE, encoder=encoder, epochs=1, **given).fit(samples)
        assert np.isfinite(method.transform(samples)).all()


def test_a_task_says_so_too() -> None:
    samples = few(TRAINED[0]).subset(np.arange(12))
    with pytest.raises(
        ValueError, match="batch_size must be at least 2 for networks with batch normalisation"
    ):
        FineTune(encoder="mlp", epochs=1, batch_size=1, device="cpu").fit(samples)
    FineTune(encoder="mlp", epochs=1, batch_size=1, trained="frozen", device="cpu").fit(samples)
