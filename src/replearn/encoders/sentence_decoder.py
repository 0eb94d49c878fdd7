"""From a code to a text: a recurrent network that tells each token from those before it and the code."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data.tokenizer import FIRST, LAST, Tokenizer


class SentenceDecoder(nn.Module):
    """An LSTM whose memory begins with the code, and which reads the code again beside each token.

    Args:
        vocabulary: number of tokens.
        dim: numbers in a code.
        hidden: numbers in a state.

    References: Bowman et al., CoNLL 2016, figure 1. https://arxiv.org/abs/1511.06349

    >>> SentenceDecoder(50, 4)(torch.zeros(2, 7, dtype=torch.int64), torch.zeros(2, 4)).shape
    torch.Size([2, 7, 50])
    """

    def __init__(self, vocabulary: int, dim: int, *, hidden: int = 256) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.first = nn.Linear(dim, 2 * hidden)
        self.recurrent = nn.LSTM(hidden + dim, hidden, batch_first=True)
        self.logits = nn.Linear(hidden, vocabulary)

    def forward(self, ids: Int[Tensor, "n t"], z: Float[Tensor, "n dim"]) -> Float[Tensor, "n t v"]:
        """The logits of each next token, of the tokens before it."""
        return self.step(ids, z, self.memory(z))[0]

    def memory(self, z: Float[Tensor, "n dim"]) -> tuple[Tensor, Tensor]:
        """What the network remembers before the first token."""
        hidden, cell = self.first(z).tanh()[None].chunk(2, dim=-1)  # (1, n, hidden) each
        return hidden.contiguous(), cell.contiguous()

    def step(
        self, ids: Int[Tensor, "n t"], z: Float[Tensor, "n dim"], memory: tuple[Tensor, Tensor]
    ) -> tuple[Float[Tensor, "n t v"], tuple[Tensor, Tensor]]:
        """The logits after some more tokens, and what is remembered then."""
        again = z[:, None].expand(-1, ids.shape[1], -1)  # (n, t, dim)
        states, memory = self.recurrent(torch.cat([self.embedding(ids), again], dim=2), memory)
        return self.logits(states), memory

    def nats(
        self, ids: Int[Tensor, "n t"], seen: Int[Tensor, "n t"], z: Float[Tensor, "n dim"], *, ignored: int
    ) -> Float[Tensor, " n"]:
        """`-ln p(x|z)` of each text, of all tokens but the first.

        Args:
            ids: of the text.
            seen: the same, some hidden from what tells those after them.
            z: codes.
            ignored: the token that counts nothing.
        """
        logits = self(seen[:, :-1], z).mT  # (n, v, t - 1)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return F.cross_entropy(logits, ids[:, 1:], ignore_index=ignored, reduction="none").sum(1)

    @torch.no_grad()
    def texts(self, z: Float[Tensor, "n dim"], tokenizer: Tokenizer, *, length: int) -> list[str]:
        """The text of each code: the likeliest next token, again and again, `length` of them at most."""
        last = tokenizer.special(LAST)
        ids, memory = torch.full((len(z), 1), tokenizer.special(FIRST), device=z.device), self.memory(z)
        found: list[Tensor] = []
        for _ in range(length):
            logits, memory = self.step(ids, z, memory)
            ids = logits.argmax(2)  # (n, 1)
            found.append(ids)
        rows = torch.cat(found, 1).tolist()
        return [tokenizer.decode(row[: row.index(last)] if last in row else row) for row in rows]
