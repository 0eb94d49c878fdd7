"""LSTM language model: a recurrent network that tells each token from its memory of all before it.

    texts --tokenizer--> x_1 ... x_t --LSTM--> s_1 ... s_t --word vectors--> x_2 ... x_{t+1}

References: Mikolov et al., Interspeech 2010 (recurrent language models).
    https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html
    Zaremba, Sutskever & Vinyals, 2014 (LSTM, dropout between layers). https://arxiv.org/abs/1409.2329
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch
from replearn.methods.language.causal import CausalLanguageModel
from replearn.objectives import cross_entropy


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMLanguageModel(CausalLanguageModel):
    """A recurrent network language model.

    Attributes:
        encoder: `lstm`.
    """

    year: ClassVar[int] = 2010
    paper: ClassVar[str] = "https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html"

    encoder: str | nn.Module = "lstm"
    learning_rate: float = 3e-3

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """-ln p(x_{i+1} | x_1 ... x_i): nats per token, of all but each window's first."""
        seen, next_ = self.shifted(batch)
        logits = self.logits(seen, start=batch.start)  # (n, t, v)
        return cross_entropy(logits.flatten(0, 1), next_.flatten())
