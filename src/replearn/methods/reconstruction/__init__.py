"""Reconstruction: predict the sample from a code of it."""

from replearn.methods.reconstruction.autoencoder import Autoencoder

__all__ = ["Autoencoder"]
