"""Methods side by side on equal terms: the same samples, the same split, the same probes, and the honest rows
*raw input*, *untrained encoder* (or *encoder as given*) and, of images, *bag of visual words*.
"""

from replearn.comparison.checks import check_methods
from replearn.comparison.compare import (
    DIRECT,
    EXTENDED,
    HIDDEN,
    PREPROCESSING,
    Comparison,
    compare,
    judge,
    machine_in_words,
    run_name,
)
from replearn.comparison.estimators import fit_arrays, stored_arrays
from replearn.comparison.latents import with_latents
from replearn.comparison.rows import (
    BY_HAND,
    GIVEN,
    RAW,
    UNTRAINED,
    WORDS,
    Representation,
    before_training,
    cut_short,
    extended,
    fit_and_represent,
    hand_made,
    is_baseline,
    of_two_views,
    raw_input,
    represent,
    training_of,
    untrained,
    untrained_encoders,
)

__all__ = [
    "BY_HAND",
    "DIRECT",
    "EXTENDED",
    "GIVEN",
    "HIDDEN",
    "PREPROCESSING",
    "RAW",
    "UNTRAINED",
    "WORDS",
    "Comparison",
    "Representation",
    "before_training",
    "check_methods",
    "compare",
    "cut_short",
    "extended",
    "fit_and_represent",
    "fit_arrays",
    "hand_made",
    "is_baseline",
    "judge",
    "machine_in_words",
    "of_two_views",
    "raw_input",
    "represent",
    "run_name",
    "stored_arrays",
    "training_of",
    "untrained",
    "untrained_encoders",
    "with_latents",
]
