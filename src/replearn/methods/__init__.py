"""Methods: one file, one class, one paper; the folders are the families."""

from replearn.methods.base import Method
from replearn.methods.contrastive import SimCLR
from replearn.methods.labelled import Supervised
from replearn.methods.load import load
from replearn.methods.reconstruction import Autoencoder
from replearn.methods.registry import Entry, find_method, registry

__all__ = ["Autoencoder", "Entry", "Method", "SimCLR", "Supervised", "find_method", "load", "registry"]
