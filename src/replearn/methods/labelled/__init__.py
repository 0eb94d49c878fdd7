"""Representations from labels, of all samples or of some."""

from replearn.methods.labelled.fixmatch import FixMatch
from replearn.methods.labelled.mean_teacher import MeanTeacher
from replearn.methods.labelled.pseudo_label import PseudoLabel
from replearn.methods.labelled.s4l import S4L
from replearn.methods.labelled.supervised import Supervised
from replearn.methods.labelled.vat import VAT

__all__ = ["S4L", "UDA", "VAT", "FixMatch", "MeanTeacher", "PseudoLabel", "Supervised"]
from replearn.methods.labelled.uda import UDA
