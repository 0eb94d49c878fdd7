"""Pretext tasks: change a sample, and tell how it was changed."""

from replearn.methods.pretext.arrow_of_time import ArrowOfTime
from replearn.methods.pretext.colorization import Colorization
from replearn.methods.pretext.colour_tracking import ColourTracking
from replearn.methods.pretext.exemplar import Exemplar
from replearn.methods.pretext.jigsaw import Jigsaw
from replearn.methods.pretext.order_verification import OrderVerification
from replearn.methods.pretext.relative_patch import RelativePatch
from replearn.methods.pretext.rotation import Rotation

__all__ = [
    "ArrowOfTime",
    "Colorization",
    "ColourTracking",
    "Exemplar",
    "Jigsaw",
    "OrderVerification",
    "RelativePatch",
    "Rotation",
]
