"""Pretext tasks: change a sample, and tell how it was changed."""

from replearn.methods.pretext.rotation import Rotation

__all__ = ["Rotation"]
