"""Masked prediction: hide a part of a sample, and predict it from the rest."""

from replearn.methods.masked.context_encoder import ContextEncoder
from replearn.methods.masked.graphmae import GraphMAE
from replearn.methods.masked.ijepa import IJEPA
from replearn.methods.masked.image_gpt import ImageGPT
from replearn.methods.masked.mae import MAE
from replearn.methods.masked.simmim import SimMIM

__all__ = ["IJEPA", "MAE", "ContextEncoder", "GraphMAE", "ImageGPT", "SimMIM"]
