"""Objectives: pure functions of tensors, each of which returns one number to make small."""

from replearn.objectives.adversarial import hinge_discriminator, hinge_generator, taken_for_real
from replearn.objectives.classification import cross_entropy
from replearn.objectives.colours import colour_cross_entropy
from replearn.objectives.consistency import entropy, kl_divergence, probability_error
from replearn.objectives.contraction import contraction
from replearn.objectives.contrast import info_nce, info_nce_queue, nt_xent
from replearn.objectives.distillation import similarity_divergence
from replearn.objectives.elbo import gaussian_kl, importance_bound, score_function
from replearn.objectives.energy import contrastive_divergence
from replearn.objectives.future import future_contrast
from replearn.objectives.kernel import ssl_hsic
from replearn.objectives.noise import nce
from replearn.objectives.prediction import negative_cosine
from replearn.objectives.prototypes import soft_cross_entropy, swapped_prediction
from replearn.objectives.reconstruction import (
    bernoulli_error,
    categorical_error,
    gaussian_error,
    squared_error,
    weighted_error,
)
from replearn.objectives.redundancy import barlow_twins, vicreg
from replearn.objectives.sigreg import sigreg
from replearn.objectives.sparsity import kl_sparsity, l1_sparsity
from replearn.objectives.sphere import alignment, uniformity
from replearn.objectives.supervised_contrast import supervised_contrast
from replearn.objectives.total_correlation import decomposed_kl, density_ratio, told_apart
from replearn.objectives.words import glove, hierarchical_softmax, negative_sampling

__all__ = [
    "alignment",
    "barlow_twins",
    "bernoulli_error",
    "categorical_error",
    "colour_cross_entropy",
    "contraction",
    "contrastive_divergence",
    "cross_entropy",
    "decomposed_kl",
    "density_ratio",
    "entropy",
    "future_contrast",
    "gaussian_error",
    "gaussian_kl",
    "glove",
    "hierarchical_softmax",
    "hinge_discriminator",
    "hinge_generator",
    "importance_bound",
    "info_nce",
    "info_nce_queue",
    "kl_divergence",
    "kl_sparsity",
    "l1_sparsity",
    "nce",
    "negative_cosine",
    "negative_sampling",
    "nt_xent",
    "probability_error",
    "score_function",
    "sigreg",
    "similarity_divergence",
    "soft_cross_entropy",
    "squared_error",
    "ssl_hsic",
    "supervised_contrast",
    "swapped_prediction",
    "taken_for_real",
    "told_apart",
    "uniformity",
    "vicreg",
    "weighted_error",
]
