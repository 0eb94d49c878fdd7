"""A recurrent network over tokens (LSTM): each state tells what came up to it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.encoders.dropout import RowDropout, rows_of
from replearn.encoders.vocabulary import Tokens

LENGTH = 1024  # tokens read of a text; a recurrent network could read on


class LSTM(nn.Module):
    """Layers of long short-term memory.

    Args:
        vocabulary: number of tokens.
        dim: numbers per state.
        depth: number of layers.
        dropout: share of numbers that are lost between layers while training.

    References: Hochreiter & Schmidhuber, Neural Computation 1997. https://doi.org/10.1162/neco.1997.9.8.1735
    """

    length = LENGTH
    causal = True
    remembers = True

    def __init__(self, vocabulary: int, dim: int = 256, *, depth: int = 2, dropout: float = 0.1) -> None:
        super().__init__()
        self.dim = dim
        self.embedding = nn.Embedding(vocabulary, dim)
        nn.init.normal_(self.embedding.weight, std=0.1)  # with less, training begins on a plateau
        self.recurrent = nn.ModuleList(nn.LSTM(dim, dim, batch_first=True) for _ in range(depth))
        self.dropout = RowDropout(dropout)

    def states(self, tokens: Tokens) -> list[Float[Tensor, "n t d"]]:
        """The states before and after each layer."""
        with rows_of(tokens):
            found = [self.dropout(self.embedding(tokens.ids))]  # (n, t, d)
            for layer in self.recurrent:
                found.append(self.dropout(layer(found[-1])[0]))
        return found

    def word_vectors(self) -> Float[Tensor, "v d"]:
        """The vector of each token."""
        return self.embedding.weight

    def step(
        self, ids: Tensor, memory: list[tuple[Tensor, Tensor]] | None = None
    ) -> tuple[Float[Tensor, "n t d"], list[tuple[Tensor, Tensor]]]:
        """The last layer's states of the next tokens, and what must be remembered of all so far."""
        x, kept = self.embedding(ids), []
        for i, layer in enumerate(self.recurrent):
            x, state = layer(x, memory[i] if memory else None)
            kept.append(state)
        return torch.as_tensor(x), kept

    def repeated(self, memory: list[tuple[Tensor, Tensor]], n: int) -> list[tuple[Tensor, Tensor]]:
        """What is remembered of one text, for `n` that go on from there."""
        return [(h.repeat_interleave(n, 1), c.repeat_interleave(n, 1)) for h, c in memory]
