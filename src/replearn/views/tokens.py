"""A split of windows of tokens into those that are seen and some that are hidden and to be told."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from replearn.data.samples import Batch
from replearn.data.tokenizer import MASK, SPECIALS, Tokenizer
from replearn.views.base import Split, uniform


@dataclass(frozen=True)
class MaskTokens(Split):
    """`(seen, places, hidden)`: windows in which some tokens are hidden, where these are, and which they were.

    Of each window of `t` tokens, round(share * t) are chosen, at least one, so every window tells as much as any other.
    A chosen one becomes the mask token in 80 % of cases, any ordinary token in 10 %, and stays as it is in 10 %.
    Special tokens are chosen only where a window has too few others.

    `places.x` and `hidden.x` are int64 `(n, k)`: positions in the window in rising order, and the tokens there.

    Attributes:
        mask: id of the mask token.
        size: ids are below it.
        special: ids that are no ordinary tokens.
        share: of the tokens that are chosen.
        masked: share of these that become the mask token.
        swapped: share of these that become any token.

    References: Devlin et al., NAACL 2019 (BERT), section 3.1 and appendix A.1. https://arxiv.org/abs/1810.04805

    >>> _ = torch.manual_seed(0)
    >>> windows = Batch(torch.arange(5, 13)[None], torch.zeros(1, dtype=torch.int64), torch.arange(1))
    >>> seen, places, hidden = MaskTokens(mask=4, size=100, special=(0, 1, 2, 3, 4), share=0.25)(windows)
    >>> seen.x.tolist(), places.x.tolist(), hidden.x.tolist()
    ([[5, 6, 4, 4, 9, 10, 11, 12]], [[2, 3]], [[7, 8]])
    """

    mask: int
    size: int
    special: tuple[int, ...] = ()
    share: float = 0.15
    masked: float = 0.8
    swapped: float = 0.1

    def __post_init__(self) -> None:
        shares = (self.share, self.masked, self.swapped)
        if not all(0 <= share <= 1 for share in shares) or self.masked + self.swapped > 1 or not self.share:
            raise ValueError(
                "MaskTokens needs share in (0, 1], masked and swapped in [0, 1] and of sum at most 1; "
                f"got {self.share}, {self.masked}, {self.swapped}. BERT has 0.15, 0.8, 0.1."
            )
        if len(set(self.special)) >= self.size:
            raise ValueError(
                f"of {self.size} tokens some must be ordinary; got {self.special} as special ones."
            )

    def __call__(self, batch: Batch) -> tuple[Batch, Batch, Batch]:
        x = batch.x  # (n, t)
        places = self._places(batch)  # (n, k)
        hidden = x.gather(1, places)
        kind = uniform(batch, places.shape[1])  # (n, k), of what a token becomes
        shown = torch.where(kind < self.masked + self.swapped, self._ordinary(batch, places.shape[1]), hidden)
        shown = torch.where(kind < self.masked, self.mask, shown)
        return batch.with_x(x.scatter(1, places, shown)), batch.with_x(places), batch.with_x(hidden)

    def _places(self, batch: Batch) -> Int[Tensor, "n k"]:
        x = batch.x
        special = torch.isin(x, torch.tensor(self.special, dtype=x.dtype, device=x.device))
        count = max(1, round(self.share * x.shape[1]))
        drawn = uniform(batch, x.shape[1]) + special  # special ones come last
        return drawn.topk(count, dim=1, largest=False).indices.sort(dim=1).values

    def _ordinary(self, batch: Batch, count: int) -> Int[Tensor, "n k"]:
        special = sorted(set(self.special))
        drawn = (uniform(batch, count) * (self.size - len(special))).long()  # counts ordinary tokens only
        for known in special:
            drawn += drawn >= known
        return drawn


def mask_tokens(
    tokenizer: Tokenizer, *, share: float = 0.15, masked: float = 0.8, swapped: float = 0.1
) -> MaskTokens:
    """The split for the tokens of a tokenizer.

    Raises:
        ValueError: the tokenizer has no mask token.
    """
    special = [found for name in SPECIALS for found in _ids(tokenizer, name)]
    return MaskTokens(
        mask=tokenizer.special(MASK), size=tokenizer.size, special=tuple(special),
        share=share, masked=masked, swapped=swapped,
    )  # fmt: skip


def _ids(tokenizer: Tokenizer, name: str) -> list[int]:
    try:
        return [tokenizer.special(name)]
    except ValueError:  # it has none
        return []
