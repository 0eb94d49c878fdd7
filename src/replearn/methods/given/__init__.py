"""Encoders that are given: taken as they are, or taught to smaller ones."""

from replearn.methods.given.distill import Distill
from replearn.methods.given.frozen import Frozen

__all__ = ["Distill", "Frozen"]
