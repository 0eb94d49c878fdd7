"""Representations by encoders that are taken as they are."""

from replearn.methods.given.frozen import Frozen

__all__ = ["Frozen"]
