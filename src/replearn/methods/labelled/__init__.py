"""Representations from labels, of all samples or of some."""

from replearn.methods.labelled.fixmatch import FixMatch
from replearn.methods.labelled.supervised import Supervised
from replearn.methods.labelled.uda import UDA

__all__ = ["UDA", "FixMatch", "Supervised"]
