"""Representations from labels, of all samples or of some."""

from replearn.methods.labelled.fixmatch import FixMatch
from replearn.methods.labelled.multi_task import MultiTask
from replearn.methods.labelled.supervised import Supervised

__all__ = ["FixMatch", "MultiTask", "Supervised"]
