"""Encoders of texts: tokens, a network over them, and one representation per text.

texts --Vocabulary--> tokens --network--> states (n, t, d), per layer --pooling--> h (n, d)
"""

from typing import ClassVar, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.labels import UNLABELLED
from replearn.data.samples import Batch
from replearn.data.tokenizer import PAD
from replearn.encoders.base import Encoder
from replearn.encoders.vocabulary import Tokens, Vocabulary

Pooling = Literal["mean", "first", "last"]


class TextBody(nn.Module):
    """A network over tokens whose states are pooled: what an `Encoder` has inside.

    Args:
        net: the network: has `dim` (numbers per state), `length` (tokens that it reads at most), `states(tokens)`
            (what goes into its first layer, and what comes out of each) and `word_vectors()`.
        pooling: of a text's states: their `mean`, or the `first` (BERT's) or the `last` one (GPT's).
    """

    fixed = False
    wraps = True

    def __init__(self, net: nn.Module, *, pooling: Pooling = "mean") -> None:
        super().__init__()
        self.net = net
        self.pooling = pooling

    def forward(self, tokens: Tokens) -> Float[Tensor, "n d"]:
        return self.pool(self.states(tokens)[-1], tokens)

    @property
    def tells_parts(self) -> bool:
        """Whether the network tells the second part of a text from the first, by `types` of tokens."""
        return bool(getattr(self.net, "tells_parts", False))

    def states(self, tokens: Tokens) -> list[Float[Tensor, "n t d"]]:
        """The states before and after each layer."""
        found: list[Tensor] = self.net.states(tokens)  # type: ignore[operator]
        return found

    def word_vectors(self) -> Float[Tensor, "v d"]:
        """The vector of each token, from which states are made."""
        found: Tensor = self.net.word_vectors()  # type: ignore[operator]
        return found

    def layers(self, tokens: Tokens) -> list[Float[Tensor, "n d"]]:
        """The pooled states before and after each layer."""
        return [self.pool(states, tokens) for states in self.states(tokens)]

    def tokens(self, tokens: Tokens) -> Float[Tensor, "n t d"]:
        """The last layer's states; zeros where a text has ended."""
        return self.states(tokens)[-1] * tokens.mask[..., None]

    def pool(self, states: Float[Tensor, "n t d"], tokens: Tokens) -> Float[Tensor, "n d"]:
        """One row per text."""
        if self.pooling == "first":
            return states[:, 0]
        lengths = tokens.mask.sum(1).clamp_min(1)  # (n,)
        if self.pooling == "last":
            return states[torch.arange(states.shape[0], device=states.device), lengths - 1]
        return (states * tokens.mask[..., None]).sum(1) / lengths[:, None]


class TextEncoder(Encoder):
    """An encoder of texts, or of windows of tokens.

    Args:
        vocabulary: turns texts into tokens.
        body: reads them.
    """

    sequential: ClassVar[bool] = True

    body: TextBody

    def __init__(self, vocabulary: Vocabulary, body: TextBody) -> None:
        dim: int = getattr(body, "dim", None) or body.net.dim  # type: ignore[assignment]
        super().__init__(body, dim=dim, mean=torch.zeros(1), std=torch.ones(1))
        self.vocabulary = vocabulary

    @property
    def length(self) -> int:
        """Tokens of a text that are read at most."""
        return int(self.body.net.length)  # type: ignore[arg-type]

    @property
    def pad(self) -> int:
        """The token with which texts are filled up."""
        return self.vocabulary.tokenizer.special(PAD)

    @property
    def reader(self) -> nn.Module:
        """The network over tokens: it has `states`, `length`, and where it can go on from what it has read, `step`."""
        return self.body.net

    @property
    def tells_parts(self) -> bool:
        """Whether it tells the second part of a text from the first."""
        return self.body.tells_parts

    def word_vectors(self) -> Float[Tensor, "v d"]:
        """The vector of each token, from which states are made."""
        return self.body.word_vectors()

    def pool(self, states: Float[Tensor, "n t d"], tokens: Tokens) -> Float[Tensor, "n d"]:
        """One representation per text, of a layer's states."""
        return self.body.pool(states, tokens)

    def read_as(self, pooling: str, length: int | None) -> None:
        if pooling in get_args(Pooling):
            self.body.pooling = pooling  # type: ignore[assignment]
        if length is not None:
            self.body.net.length = min(length, self.length)  # type: ignore[assignment]

    def standardise(self, batch: Batch | Tensor | Tokens) -> Tokens:  # type: ignore[override]
        """The batch as the body reads it: tokens; a tensor holds ids of windows that are full."""
        if isinstance(batch, Tokens):
            return batch
        if isinstance(batch, Batch) and isinstance(batch.x, Tokens):  # as an export is given them
            return batch.x
        if isinstance(batch, Tensor):
            rows = torch.arange(len(batch), device=batch.device)
            batch = Batch(batch, torch.full_like(rows, UNLABELLED), rows)
        return self.vocabulary.read(batch, self.length)
