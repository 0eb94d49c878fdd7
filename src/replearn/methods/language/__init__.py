"""Language: from counts to transformers."""

from replearn.methods.language.bert import BERT
from replearn.methods.language.elmo import ELMo
from replearn.methods.language.glove import GloVe
from replearn.methods.language.gpt import GPT
from replearn.methods.language.lstm_language_model import LSTMLanguageModel
from replearn.methods.language.modernbert import ModernBERT
from replearn.methods.language.ngram import NGram
from replearn.methods.language.roberta import RoBERTa
from replearn.methods.language.simcse import SimCSE
from replearn.methods.language.text_vae import TextVAE
from replearn.methods.language.word2vec import Word2Vec

__all__ = [
    "BERT",
    "GPT",
    "ELMo",
    "GloVe",
    "LSTMLanguageModel",
    "ModernBERT",
    "NGram",
    "RoBERTa",
    "SimCSE",
    "TextVAE",
    "Word2Vec",
]
