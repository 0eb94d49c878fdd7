"""Methods side by side on equal terms: the same samples, the same split, the same probes, and the honest rows
*raw input*, *untrained encoder* (or *encoder as given*) and, of images, *bag of visual words*.
"""

from replearn.comparison.compare import PREPROCESSING, Comparison, compare, judge, machine_in_words, run_name
from replearn.comparison.latents import with_latents
from replearn.comparison.rows import (
    BASELINES,
    BEFORE,
    GIVEN,
    RAW,
    UNTRAINED,
    WORDS,
    Representation,
    fit_and_represent,
    fit_arrays,
    of_two_views,
    raw_input,
    represent,
    stored_arrays,
    training_of,
    untrained_encoder,
    visual_words,
)

__all__ = [
    "BASELINES",
    "BEFORE",
    "GIVEN",
    "PREPROCESSING",
    "RAW",
    "UNTRAINED",
    "WORDS",
    "Comparison",
    "Representation",
    "compare",
    "fit_and_represent",
    "fit_arrays",
    "judge",
    "machine_in_words",
    "of_two_views",
    "raw_input",
    "represent",
    "run_name",
    "stored_arrays",
    "training_of",
    "untrained_encoder",
    "visual_words",
    "with_latents",
]
