"""Compiled loops that learn word vectors: word2vec's predictions, GloVe's counts."""
