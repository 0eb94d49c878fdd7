"""Representations from labels: of all samples or of some, of one task or of many."""

from replearn.methods.labelled.anil import ANIL
from replearn.methods.labelled.fixmatch import FixMatch
from replearn.methods.labelled.maml import MAML
from replearn.methods.labelled.mean_teacher import MeanTeacher
from replearn.methods.labelled.multi_task import MultiTask
from replearn.methods.labelled.protonet import ProtoNet
from replearn.methods.labelled.pseudo_label import PseudoLabel
from replearn.methods.labelled.reptile import Reptile
from replearn.methods.labelled.s4l import S4L
from replearn.methods.labelled.supervised import Supervised
from replearn.methods.labelled.uda import UDA
from replearn.methods.labelled.vat import VAT

__all__ = [
    "ANIL",
    "MAML",
    "S4L",
    "UDA",
    "VAT",
    "FixMatch",
    "MeanTeacher",
    "MultiTask",
    "ProtoNet",
    "PseudoLabel",
    "Reptile",
    "Supervised",
]
