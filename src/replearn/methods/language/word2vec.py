"""word2vec: a vector for each word, by which its neighbours in texts can be told from words drawn at random.

    skip-gram:  neighbour --input vector--> h --negative_sampling--> centre, or `negatives` other words?
    CBOW:       all neighbours --mean of input vectors--> h --negative_sampling--> centre, or other words?

Frequent words are left out now and then, and each window is drawn smaller than `window` or as large. With
`negatives=0` the centre is found by the turns in a tree of all words (`hierarchical_softmax`). With `subwords` a
word's input vector is the mean of its own and those of its n-grams, as in fastText. The representation of a text is
the mean of its words' vectors. The loops are compiled (`replearn.engine.words`); one worker repeats bit by bit.

References: Mikolov et al., ICLR 2013 workshop. https://arxiv.org/abs/1301.3781
    Mikolov et al., NeurIPS 2013. https://arxiv.org/abs/1310.4546
    Bojanowski et al., TACL 2017 (sub-words). https://aclanthology.org/Q17-1010
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float, Int

from replearn.data import Samples
from replearn.data.tokens import TokenStream
from replearn.engine.history import History
from replearn.engine.words.passes import Keeping
from replearn.methods.language.word_vectors import WordVectors

log = logging.getLogger("replearn")

# Numbers of first vectors lie below FIRST / 2 / dim; in the authors' program FIRST is 1. Outputs begin with 0 and learn
# by these vectors: after five epochs on 5.8 million words they know what gensim's do with 6, and a little less with 1.
FIRST = 6.0


@dataclass(kw_only=True, eq=False, repr=False)
class Word2Vec(WordVectors):
    """word2vec.

    Attributes:
        model: `skip-gram` (each neighbour predicts the centre) or `cbow` (their mean does; several times as fast).
        negatives: words drawn for each prediction; 0: hierarchical softmax.
        sample: about the share of all words beyond which a word is now and then left out; 0 leaves none out.
        noise_power: negatives are drawn in proportion to counts to this power.
        subwords: rows for n-grams of 3 to 6 characters, which share them by a hash; 0: words have no parts.
    """

    year: ClassVar[int] = 2013
    paper: ClassVar[str] = "https://arxiv.org/abs/1310.4546"

    model: Literal["skip-gram", "cbow"] = "skip-gram"
    negatives: int = 5
    sample: float = 1e-3
    noise_power: float = 0.75
    subwords: int = 0

    def check(self, samples: Samples) -> None:
        super().check(samples)
        if self.model not in ("skip-gram", "cbow"):
            raise ValueError(f"model must be skip-gram or cbow; got {self.model!r}.")
        for name in ("negatives", "sample", "subwords"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative; got {getattr(self, name)}. Leave it out.")

    def idle(self, samples: Samples) -> Mapping[str, str]:
        found = super().idle(samples)
        return found if self.negatives else {**found, "noise_power": "no words are drawn with negatives=0"}

    def _sample(self, counts: Int[np.ndarray, " n"], texts: int) -> float:
        """`sample`; 0 where the default would leave less than two words of a text, of so few words that all are
        frequent.
        """
        from replearn.engine.words.corpus import kept_chances

        left = float((counts * (kept_chances(counts, self.sample) / 2**32)).sum())
        if self.sample != Word2Vec.sample or left >= 2 * texts:
            return self.sample
        line = "sample is 0, since the default, %g, would leave about %.0f of %d words in %d texts"
        log.info(line, self.sample, left, counts.sum(), texts)
        return 0.0

    def schedule_again(self) -> str:
        from replearn.engine.words.epochs import LOWEST

        return f"a new schedule of the learning rate ({self.learning_rate:g} to {LOWEST:g})"

    def learn_vectors(
        self, stream: TokenStream, counts: Int[np.ndarray, " n"], keeping: Keeping
    ) -> tuple[Float[np.ndarray, "n dim"], History]:
        from replearn.engine.words import corpus, draws, epochs, pieces, predict, tree  # numba takes time
        from replearn.engine.words.lanes import table

        n = len(counts)
        parts = pieces.subwords(self.words_.words, self.subwords) if self.subwords else pieces.whole(n)
        setting = predict.Setting(
            *(self.window, self.negatives, self.model == "cbow"),
            kept=corpus.kept_chances(counts, self._sample(counts, len(stream.ends))),
            pieces=parts,
            noise=draws.alias(corpus.noise_chances(counts, self.noise_power)),
            tree=tree.no_tree() if self.negatives else tree.huffman(counts),
            sigmoids=predict.sigmoid_table(),
        )
        inputs, outputs = table(n + self.subwords, self.dim), table(n, self.dim)
        drawn = np.random.default_rng(self.random_state).random((len(inputs), self.dim), dtype=np.float32)
        inputs[:, : self.dim] = FIRST * (drawn - 0.5) / self.dim
        plan = epochs.Plan(self.epochs, self.learning_rate, self.workers, self.held_out, self.random_state)
        texts = stream.ids, stream.ends
        history = epochs.learn_from_texts(*texts, inputs, outputs, setting, plan, keeping)
        return pieces.composed(parts, inputs)[:, : self.dim], history
