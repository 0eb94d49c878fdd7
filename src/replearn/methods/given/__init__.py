"""Representations by encoders that are given, as they are or taught to smaller ones, and by methods side by side."""

from replearn.methods.given.concatenation import Concatenation
from replearn.methods.given.distill import Distill
from replearn.methods.given.frozen import Frozen

__all__ = ["Concatenation", "Distill", "Frozen"]
