"""Representations from labels."""

from replearn.methods.labelled.supervised import Supervised

__all__ = ["Supervised"]
