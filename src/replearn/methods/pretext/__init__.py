"""Pretext tasks: change a sample, and tell how it was changed."""

from replearn.methods.pretext.colorization import Colorization
from replearn.methods.pretext.exemplar import Exemplar
from replearn.methods.pretext.jigsaw import Jigsaw
from replearn.methods.pretext.relative_patch import RelativePatch
from replearn.methods.pretext.rotation import Rotation

__all__ = ["Colorization", "Exemplar", "Jigsaw", "RelativePatch", "Rotation"]
