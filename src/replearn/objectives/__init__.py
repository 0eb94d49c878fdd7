"""Objectives: pure functions of tensors, each of which returns one number to make small."""

from replearn.objectives.classification import cross_entropy
from replearn.objectives.contrast import nt_xent
from replearn.objectives.reconstruction import bernoulli_error, squared_error

__all__ = ["bernoulli_error", "cross_entropy", "nt_xent", "squared_error"]
