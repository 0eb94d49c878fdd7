"""`MaskedLanguageModel`: what methods share that tell hidden tokens from those on both sides."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.samples import Samples
from replearn.encoders import Tokens
from replearn.encoders.dropout import set_dropout
from replearn.encoders.token_head import TokenHead
from replearn.methods.language.language_model import LanguageModel
from replearn.objectives import cross_entropy
from replearn.views.tokens import MaskTokens, mask_tokens


@dataclass(kw_only=True, eq=False, repr=False)
class MaskedLanguageModel(LanguageModel):
    """p(hidden tokens | the others), each of them apart.

    Only what is hidden teaches, so context is learned later than by models of the past. On a megabyte or two of text,
    hide more, of fewer kinds of tokens, and lose nothing: share=0.4, vocabulary=2048, window=64, batch_size=16,
    dropout=0. `context_gain` in the history tells when it begins.

    Attributes:
        share: of a window's tokens that are hidden.
        masked: share of these that the mask token stands for; of the rest, half are swapped for any token, and half
            stay as they are.
        dropout: share of a state's numbers that are lost while training.
    """

    share: float = 0.15
    masked: float = 0.8
    dropout: float = 0.1
    learning_rate: float = 7e-4

    def build(self, samples: Description) -> None:
        super().build(samples)
        set_dropout(self.encoder_, self.dropout)
        vectors = self.encoder_.word_vectors()  # (v, d)
        self.head_ = TokenHead(vectors.shape[1], vectors.shape[0])

    def masking(self, masked: float) -> MaskTokens:
        """Hides tokens of windows, this share of them behind the mask token."""
        tokenizer = self.encoder_.vocabulary.tokenizer
        return mask_tokens(tokenizer, share=self.share, masked=masked, swapped=(1 - masked) / 2)

    def states(self, tokens: Tokens) -> Float[Tensor, "n t d"]:
        """The last layer's states."""
        return self.encoder_.read(tokens, "states")  # type: ignore[no-any-return]

    def told(self, states: Float[Tensor, "n t d"], places: Batch, hidden: Batch) -> Float[Tensor, ""]:
        """Nats per hidden token; only their states go through the head, whose product is the largest of all."""
        rows = torch.arange(len(states), device=states.device)[:, None]
        chosen = states[rows, places.x].flatten(0, 1)  # (m, d)
        return cross_entropy(self.head_(chosen, self.encoder_.word_vectors()), hidden.x.flatten())

    def masked_loss(self, batch: Batch, masked: float) -> Float[Tensor, ""]:
        """Nats per hidden token of these windows."""
        seen, places, hidden = self.masking(masked)(batch)
        return self.told(self.states(self.encoder_.standardise(seen)), places, hidden)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        return self.masked_loss(batch, self.masked)

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """What the context tells of a token, in nats, where all hidden ones are behind the mask token.

        Those that stay as they are could be copied: this alone would look like a gain.
        """
        return {"context_gain": self._frequencies - self.masked_loss(batch, 1.0)}

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        super().check(samples)
        if not (0 < self.share < 1 and 0 <= self.masked <= 1 and 0 <= self.dropout < 1):
            raise ValueError(
                "share must lie in (0, 1), masked in [0, 1] and dropout in [0, 1); "
                f"got {self.share}, {self.masked} and {self.dropout}. Leave them out for the paper's."
            )
