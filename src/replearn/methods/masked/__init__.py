"""Masked prediction: hide a part of a sample, and predict it from the rest."""

from replearn.methods.masked.context_encoder import ContextEncoder
from replearn.methods.masked.image_gpt import ImageGPT
from replearn.methods.masked.mae import MAE

__all__ = ["MAE", "ContextEncoder", "ImageGPT"]
