"""Every number of every method: what can't be is one ValueError before anything is learned, and no other failure."""

import dataclasses
import math
import re

import numpy as np
import pytest

from lanes import one_of_each
from made_colours import in_colour, needs_colour
from made_texts import made_texts
from replearn.engine.health import NotFinite
from replearn.methods import Method, Model, SimCLR, registry
from replearn.methods.needs import kinds_served

VALUES = (-1, 0, 10**30, math.nan, math.inf, -math.inf, 1e30)
SMALL = {
    "epochs": 1, "batch_size": 16, "dim": 4, "hidden": 8, "window": 8, "length": 8, "vocabulary": 400, "least": 1,
    "tokenizer": "bytes", "prototypes": 8, "queue": 32, "drawn": 500, "words": 4, "atoms": 4, "device": "cpu",
    "way": 2, "shots": 1, "queries": 1, "inner_steps": 1,
}  # fmt: skip
BASE = {field.name for field in dataclasses.fields(Method)}
TEXTS = made_texts(64)
IMAGES = np.random.default_rng(0).integers(0, 255, (64, 16, 16), dtype=np.uint8)
LABELS = [0, 1] * 32


def numbers(cls) -> list[str]:
    return [
        field.name
        for field in dataclasses.fields(cls)
        if re.search(r"\b(int|float)\b", str(field.type)) and (field.name not in BASE or cls is SimCLR)
    ]


CASES = [
    (name, field)
    for name, entry in registry().items()
    if issubclass(entry.cls, Model)
    for field in numbers(entry.cls)
]
FAST = ("simclr", "autoencoder", "word2vec", "bagofvisualwords")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "field"), one_of_each(CASES, FAST), ids=["-".join(case) for case in CASES])
def test_every_number_of_every_method(name, field):
    cls = registry()[name].cls
    known = {key: value for key, value in SMALL.items() if key in cls.__dataclass_fields__}
    if name == "distill":
        known["teacher"] = "mlp"
    if "text" in kinds_served(cls) and "image" not in kinds_served(cls):
        X = TEXTS
        if "encoder" in cls.__dataclass_fields__ and cls.__dataclass_fields__["encoder"].default == "auto":
            known["encoder"] = "bert_tiny"
    else:
        X = in_colour(IMAGES[:, None]) if needs_colour(cls) else IMAGES
        if "encoder" in cls.__dataclass_fields__ and cls.__dataclass_fields__["encoder"].default == "auto":
            known["encoder"] = "mlp" if "mlp" in str(cls.__doc__) else "cnn"
    for value in VALUES:
        whole = "float" not in str(cls.__dataclass_fields__[field].type)
        if whole and isinstance(value, float):
            continue
        fault = None
        try:
            cls(**known | {field: value}).fit(X, LABELS)
        except Exception as error:
            fault = error
        told = f"{field}={value}: {type(fault).__name__}: {fault}"
        assert fault is None or isinstance(fault, ValueError | NotFinite), told
        assert fault is None or len(str(fault).splitlines()) == 1, told
