"""Representations by encoders that are taken as they are, and by several methods side by side."""

from replearn.methods.given.concatenation import Concatenation
from replearn.methods.given.frozen import Frozen

__all__ = ["Concatenation", "Frozen"]
