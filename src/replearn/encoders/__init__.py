"""Encoders: a batch goes in, a representation of shape `(n, dim)` comes out."""

from replearn.encoders.base import Described, Encoder
from replearn.encoders.cnn import CNN
from replearn.encoders.conv import Conv
from replearn.encoders.decoders import DECODERS, decoder_for, make_decoder
from replearn.encoders.dense import MLP, Linear
from replearn.encoders.folders import configuration_of, made_from
from replearn.encoders.frozen import frozen
from replearn.encoders.gat import GAT
from replearn.encoders.gcn import GCN
from replearn.encoders.gin import GIN
from replearn.encoders.graph_net import GraphEncoder, NodeDecoder
from replearn.encoders.heads import first_layers, mlp
from replearn.encoders.make import ENCODERS, comes_with_weights, make_encoder
from replearn.encoders.mixture import LayerMixture
from replearn.encoders.onnx_file import ONNX, onnx_encoder
from replearn.encoders.resnet import ResNetSmall
from replearn.encoders.stand_ins import meant_by, standing_in, weights_from
from replearn.encoders.text import TextBody, TextEncoder
from replearn.encoders.text_nets import FOLDER, TEXT_ENCODERS, head_in, text_encoder, tokenizer_of
from replearn.encoders.tied import tied_decoder
from replearn.encoders.vit import PatchPredictor, ViT
from replearn.encoders.vocabulary import Tokens, Vocabulary
from replearn.encoders.word_files import read_word2vec, write_word2vec
from replearn.encoders.word_table import WordTable

__all__ = [
    "CNN",
    "DECODERS",
    "ENCODERS",
    "FOLDER",
    "GAT",
    "GCN",
    "GIN",
    "MLP",
    "ONNX",
    "TEXT_ENCODERS",
    "Conv",
    "Described",
    "Encoder",
    "GraphEncoder",
    "LayerMixture",
    "Linear",
    "NodeDecoder",
    "PatchPredictor",
    "ResNetSmall",
    "TextBody",
    "TextEncoder",
    "Tokens",
    "ViT",
    "Vocabulary",
    "WordTable",
    "comes_with_weights",
    "configuration_of",
    "decoder_for",
    "first_layers",
    "frozen",
    "head_in",
    "made_from",
    "make_decoder",
    "make_encoder",
    "meant_by",
    "mlp",
    "onnx_encoder",
    "read_word2vec",
    "standing_in",
    "text_encoder",
    "tied_decoder",
    "tokenizer_of",
    "weights_from",
    "write_word2vec",
]
