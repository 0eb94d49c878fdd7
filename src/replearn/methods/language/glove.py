"""GloVe: vectors for words whose dot products are the logarithms of how often the words occur near each other.

    texts --each pair at most `window` apart, 1 / distance--> counts x --glove--> w·c + b + a, near log x

Counting goes over the texts once, in bounded memory; training goes over the counts, so its time grows with the number
of different pairs and not with the texts. Each step is AdaGrad's, as in the authors' program (decision 17). The vector
of a word is the sum of its two, as word and as context; the representation of a text is the mean of its words' vectors.
The loops are compiled (`replearn.engine.words`).

References: Pennington, Socher & Manning, EMNLP 2014. https://aclanthology.org/D14-1162
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from replearn.data import Samples
from replearn.data.tokens import TokenStream
from replearn.engine.history import History
from replearn.engine.words.passes import Keeping
from replearn.methods.language.word_vectors import WordVectors


@dataclass(kw_only=True, eq=False, repr=False)
class GloVe(WordVectors):
    """GloVe.

    Attributes:
        learning_rate: of the first steps; AdaGrad's later ones are smaller.
        most: pairs that are counted so often, or more often, weigh the same: 10 for millions of words, the paper's 100
            for billions.
        power: of less frequent pairs' weight: (count / most) to it.
    """

    year: ClassVar[int] = 2014
    paper: ClassVar[str] = "https://aclanthology.org/D14-1162"

    window: int = 10
    epochs: int = 15
    learning_rate: float = 0.05
    most: float = 10.0
    power: float = 0.75

    def check(self, samples: Samples) -> None:
        super().check(samples)
        for name in ("most", "power"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be greater than 0; got {getattr(self, name)}. Leave it out.")

    def schedule_again(self) -> str:
        return "AdaGrad's steps as they were, as if they had been asked for at once"

    def learn_vectors(
        self, stream: TokenStream, counts: Int[np.ndarray, " n"], keeping: Keeping
    ) -> tuple[Float[np.ndarray, "n dim"], History]:
        from replearn.engine.words.cooccurrence import count_pairs  # numba takes time to import
        from replearn.engine.words.corpus import spans_of
        from replearn.engine.words.counts import counted_tables, learn_from_counts
        from replearn.engine.words.epochs import Plan

        random = np.random.default_rng(self.random_state)
        tables = counted_tables(len(counts), self.dim, self.learning_rate, random)
        plan = Plan(self.epochs, self.learning_rate, self.workers, self.held_out, self.random_state)
        with TemporaryDirectory() as folder:
            spans = spans_of(stream.ends)
            seed = self.random_state
            files = count_pairs(stream.ids, spans, counts, self.window, Path(folder), random_state=seed)
            weighing = {"most": self.most, "power": self.power}
            history = learn_from_counts(files, tables, plan, **weighing, keeping=keeping)
        return (tables.words + tables.contexts)[:, : self.dim], history
