"""Representations from labels, of all samples or of some."""

from replearn.methods.labelled.anil import ANIL
from replearn.methods.labelled.fixmatch import FixMatch
from replearn.methods.labelled.maml import MAML
from replearn.methods.labelled.protonet import ProtoNet
from replearn.methods.labelled.reptile import Reptile
from replearn.methods.labelled.supervised import Supervised

__all__ = ["ANIL", "MAML", "FixMatch", "ProtoNet", "Reptile", "Supervised"]
