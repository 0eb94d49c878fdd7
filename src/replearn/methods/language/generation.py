"""Writing token by token: how the next one is chosen, and what is read again when the context is full."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from replearn.data.tokenizer import FIRST, LAST, MASK, PAD, UNKNOWN, Tokenizer

Step = Callable[..., tuple[Tensor, Any]]


@dataclass(frozen=True)
class Choice:
    """How a token is chosen, see `TextScores.generate`.

    Attributes:
        temperature: 0 takes the most probable.
        top_k, top_p: from how many of the most probable to draw; None: from all.
        random_state: seed.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(
                f"temperature must be a finite number from 0 on; got {self.temperature}. 0 takes the most probable."
            )
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be at least 1; got {self.top_k}. None draws from all tokens.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must lie in (0, 1]; got {self.top_p}. None draws from all tokens.")

    def of(self, logits: Float[Tensor, "n v"], generator: torch.Generator) -> Int[Tensor, " n"]:
        """A token for each row."""
        if self.temperature == 0:
            return logits.argmax(1)
        shares = (kept(logits, top_k=self.top_k, top_p=self.top_p) / self.temperature).double().softmax(1)
        drawn = torch.rand(len(shares), 1, generator=generator, dtype=torch.double)  # in [0, 1)
        sums = shares.cumsum(1)
        return (sums <= drawn * sums[:, -1:]).sum(1)  # the first whose sum lies above


def kept(
    logits: Float[Tensor, "n v"], *, top_k: int | None = None, top_p: float | None = None
) -> Float[Tensor, "n v"]:
    """Logits, -inf where a token is not among the most probable.

    >>> kept(torch.tensor([[0.5, 0.3, 0.2]]).log(), top_p=0.6).exp()
    tensor([[0.5000, 0.3000, 0.0000]])
    >>> kept(torch.tensor([[0.5, 0.3, 0.2]]).log(), top_k=1).exp()
    tensor([[0.5000, 0.0000, 0.0000]])
    """
    if top_k is not None and top_k < logits.shape[1]:
        least = logits.topk(top_k).values[:, -1:]  # (n, 1)
        logits = logits.masked_fill(logits < least, -torch.inf)
    if top_p is None or top_p == 1:
        return logits
    ordered, places = logits.sort(descending=True, stable=True)
    shares = ordered.double().softmax(1)
    before = shares.cumsum(1) - shares  # probability of all that are more probable
    ordered = ordered.masked_fill(before >= top_p, -torch.inf)
    return torch.empty_like(logits).scatter_(1, places, ordered)


def continued(
    step: Step,
    begun: Int[Tensor, "n t"],
    *,
    tokens: int,
    choice: Choice,
    context: int,
    tokenizer: Tokenizer,
) -> Int[Tensor, "n k"]:
    """The next tokens of some rows, at most `tokens`; after a row's end, the mark of the end.

    A model that remembers reads each token once, until the context is full: then it reads the last half of it anew.

    Args:
        step: ids and memory to logits `(n, v)` and memory, see `TextScores.step`.
        begun: what is there already, at least one token each.
        tokens: new ones at most.
        choice: how to choose them.
        context: tokens that the model reads at most.
        tokenizer: knows which tokens are no text.
    """
    if tokens < 1:
        raise ValueError(f"tokens counts the new ones and must be at least 1; got {tokens}.")
    generator = torch.Generator().manual_seed(choice.random_state)
    end, never = tokenizer.special(LAST), not_text(tokenizer)
    rows, ended = begun, torch.zeros(len(begun), dtype=torch.bool)
    unread, held, memory = begun[:, -context:], 0, None
    for _ in range(tokens):
        if held + unread.shape[1] > context:
            unread, held, memory = rows[:, -max(1, context // 2) :], 0, None
        logits, memory = step(unread, memory)
        held += unread.shape[1]
        if bool(logits.isnan().any()):
            raise ValueError(
                "the next token's chances must be numbers; the model gives NaN. Its weights are broken: restore the "
                "run's files, or fit again."
            )
        new = choice.of(logits.float().cpu().masked_fill(never[: logits.shape[1]], -torch.inf), generator)
        new = torch.where(ended, end, new)  # (n,)
        rows, unread = torch.cat([rows, new[:, None]], dim=1), new[:, None]
        ended |= new == end
        if ended.all():
            break
    return rows[:, begun.shape[1] :]


def not_text(tokenizer: Tokenizer) -> Bool[Tensor, " v"]:
    """Which tokens are never written: special ones, but for the mark of the end."""
    never = torch.zeros(tokenizer.size, dtype=torch.bool)
    for name in (PAD, UNKNOWN, FIRST, MASK):
        try:
            never[tokenizer.special(name)] = True
        except ValueError:  # it has none
            continue
    never[tokenizer.special(LAST)] = False
    return never
