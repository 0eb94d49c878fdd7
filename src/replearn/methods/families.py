"""The families of methods, which this enlists: their `__all__`, scikit-learn's classical ones among them."""

from types import ModuleType

from replearn.methods import (
    classical,
    contrastive,
    given,
    joint_embedding,
    labelled,
    language,
    masked,
    pretext,
    reconstruction,
)
from replearn.methods.registry import enlist

FAMILIES: tuple[ModuleType, ...] = (
    classical,
    reconstruction,
    pretext,
    masked,
    contrastive,
    joint_embedding,
    language,
    labelled,
    given,
)

for family in FAMILIES:
    for name in family.__all__:
        enlist(getattr(family, name), classical.PAPERS.get(name))
