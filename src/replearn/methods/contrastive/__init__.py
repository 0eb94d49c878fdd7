"""Contrast: agree on views of one sample, disagree on others."""

from replearn.methods.contrastive.simclr import SimCLR

__all__ = ["SimCLR"]
