"""Encoders: a batch goes in, a representation of shape `(n, dim)` comes out."""

from replearn.encoders.base import Described, Encoder
from replearn.encoders.cnn import CNN
from replearn.encoders.conv import Conv
from replearn.encoders.decoders import DECODERS, decoder_for, make_decoder
from replearn.encoders.dense import MLP, Linear
from replearn.encoders.frozen import frozen
from replearn.encoders.heads import first_layers, mlp
from replearn.encoders.make import ENCODERS, make_encoder
from replearn.encoders.prototypes import PrototypeHead, Prototypes
from replearn.encoders.resnet import ResNetSmall
from replearn.encoders.teacher import Teacher, rising_momentum
from replearn.encoders.tied import tied_decoder

__all__ = [
    "CNN",
    "DECODERS",
    "ENCODERS",
    "MLP",
    "Conv",
    "Described",
    "Encoder",
    "Linear",
    "PrototypeHead",
    "Prototypes",
    "ResNetSmall",
    "Teacher",
    "decoder_for",
    "first_layers",
    "frozen",
    "make_decoder",
    "make_encoder",
    "mlp",
    "rising_momentum",
    "tied_decoder",
]
