"""Objectives: pure functions of tensors, each of which returns one number to make small."""

from replearn.objectives.classification import cross_entropy
from replearn.objectives.contrast import info_nce, info_nce_queue, nt_xent
from replearn.objectives.future import future_contrast
from replearn.objectives.kernel import ssl_hsic
from replearn.objectives.noise import nce
from replearn.objectives.prediction import negative_cosine
from replearn.objectives.prototypes import soft_cross_entropy, swapped_prediction
from replearn.objectives.reconstruction import bernoulli_error, squared_error
from replearn.objectives.redundancy import barlow_twins, vicreg
from replearn.objectives.sphere import alignment, uniformity
from replearn.objectives.supervised_contrast import supervised_contrast

__all__ = [
    "alignment",
    "barlow_twins",
    "bernoulli_error",
    "cross_entropy",
    "future_contrast",
    "info_nce",
    "info_nce_queue",
    "nce",
    "negative_cosine",
    "nt_xent",
    "soft_cross_entropy",
    "squared_error",
    "ssl_hsic",
    "supervised_contrast",
    "swapped_prediction",
    "uniformity",
    "vicreg",
]
