"""All objectives, each with inputs, the paper's equation as slow loops, and its value at collapse.

A new objective is listed in a file of cases here; the contract tests and the tests on two processes then hold for it.
"""

import cases_basic
import cases_colours
import cases_consistency
import cases_contrast
import cases_distillation
import cases_elbo
import cases_energy
import cases_future
import cases_kernel
import cases_noise
import cases_prediction
import cases_prototypes
import cases_redundancy
import cases_sigreg
import cases_sparsity
import cases_sphere
import cases_supcon
import cases_total_correlation
import cases_words
from objective_case import Case

CASES = [
    *cases_elbo.CASES,
    *cases_total_correlation.CASES,
    *cases_basic.CASES,
    *cases_colours.CASES,
    *cases_consistency.CASES,
    *cases_contrast.CASES,
    *cases_distillation.CASES,
    *cases_prediction.CASES,
    *cases_prototypes.CASES,
    *cases_redundancy.CASES,
    *cases_kernel.CASES,
    *cases_sigreg.CASES,
    *cases_sphere.CASES,
    *cases_sparsity.CASES,
    *cases_supcon.CASES,
    *cases_noise.CASES,
    *cases_future.CASES,
    *cases_energy.CASES,
    *cases_words.CASES,
]

__all__ = ["CASES", "Case"]
