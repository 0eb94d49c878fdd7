"""A tokenizer among a network's buffers: it is saved with the weights, and comes back with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from replearn.data.samples import Batch
from replearn.data.tokenizer import LAST, PAD, Tokenizer, safe_tokenizer

LONGEST = 64  # characters of a token, on average over a text


@dataclass(frozen=True, eq=False)
class Tokens:
    """Texts as a network reads them, filled up to the longest.

    Attributes:
        ids: of tokens.
        mask: False where a text has ended.
        start, total: as in `Batch`: these are rows of a joined batch.
        types: 0 in the first part of a text, 1 in the second, for networks that `tell_parts`; None where it has one.
    """

    ids: Int[Tensor, "n t"]
    mask: Bool[Tensor, "n t"]
    start: int = 0
    total: int | None = None
    types: Int[Tensor, "n t"] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, start: int, stop: int) -> "Tokens":
        """The rows from `start` up to `stop`, as a part of these."""
        return replace(
            self,
            ids=self.ids[start:stop],
            mask=self.mask[start:stop],
            start=self.start + start,
            total=self.total or len(self),
            types=None if self.types is None else self.types[start:stop],
        )

    @cached_property
    def full(self) -> bool:
        """Whether nothing had to be filled up."""
        return bool(self.mask.all())


class Vocabulary(nn.Module):
    """A tokenizer that is a part of a network.

    Args:
        tokenizer: to be kept.
    """

    spells = False  # whether words that the tokenizer doesn't know are read, too
    content: Tensor

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self.register_buffer("content", _bytes_of(tokenizer))

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer."""
        return self._tokenizer

    def read(self, batch: Batch, length: int) -> Tokens:
        """The batch as tokens, at most `length` of each text: texts are encoded, windows of tokens stay as they are."""
        if isinstance(batch.x, Tensor):  # windows are full, and what fills up may be a mark of theirs
            ids = batch.x[:, :length]
            tokens = self.tokens(ids, torch.ones_like(ids, dtype=torch.bool), batch.start, batch.total)
            vars(tokens)["full"] = True  # known without a look, which an export couldn't take
            return tokens
        heads = [text[: length * LONGEST] for text in batch.x]  # a text may have a million characters
        rows = self.cut(self.tokenizer.encode(heads, framed=True), length)
        lengths = torch.tensor([len(row) for row in rows], device=batch.labels.device)  # (n,)
        ids = filled(rows, self.tokenizer.special(PAD)).to(batch.labels.device)  # (n, t)
        mask = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        return self.tokens(ids, mask, batch.start, batch.total)

    def cut(self, rows: list[list[int]], length: int) -> list[list[int]]:
        """Rows of at most `length` tokens."""
        return cut(rows, length, self.tokenizer)

    def tokens(
        self,
        ids: Int[Tensor, "n t"],
        mask: Bool[Tensor, "n t"],
        start: int = 0,
        total: int | None = None,
        types: Int[Tensor, "n t"] | None = None,
        *,
        others: Sequence[str] = (),
    ) -> Tokens:
        """Ids as the network reads them; those from the tokenizer's size on stand for `others`, where it spells."""
        return Tokens(ids, mask, start, total, types)

    def _load_from_state_dict(self, state: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        # The tokenizer that is loaded has another length than the one that stood in for it.
        found = state.get(f"{prefix}content")
        if found is not None:
            self.content = torch.empty_like(found, device=self.content.device)
            self._tokenizer = safe_tokenizer(found.cpu().numpy().tobytes().decode(), "that of a run")
        super()._load_from_state_dict(state, prefix, *rest)


def cut(rows: list[list[int]], length: int, tokenizer: Tokenizer) -> list[list[int]]:
    """Rows of at most `length` tokens; where one is cut, its last token still marks the end."""
    if all(len(row) <= length for row in rows):
        return rows
    last = tokenizer.special(LAST)
    return [row if len(row) <= length else [*row[: length - 1], last] for row in rows]


def filled(rows: list[list[int]], value: int) -> Int[Tensor, "n t"]:
    """Rows of one length, at least 1, filled up at the end."""
    longest = max(1, *map(len, rows))
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])


def _bytes_of(tokenizer: Tokenizer) -> Tensor:
    return torch.frombuffer(bytearray(tokenizer.json.encode()), dtype=torch.uint8).clone()
