"""Of which sample each stored row is, so that a row of a copy of a sample is no negative of it."""

from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn


class Contents(nn.Module):
    """Position and content of the sample of each of `n` stored rows, unknown at the start.

    They are buffers: saved, resumed and alike on all processes (note what is gathered). Runs of before there were any
    are loaded with unknown ones.

    Args:
        n: rows.

    Example:
        >>> contents = Contents(3)
        >>> contents.note(torch.tensor([0, 1]), index=torch.tensor([7, 8]), content=torch.tensor([55, 55]))
        >>> contents.copies(index=torch.tensor([7]), content=torch.tensor([55])).tolist()
        [[False, True, False]]
    """

    index: Tensor
    content: Tensor

    def __init__(self, n: int) -> None:
        super().__init__()
        for name in ("index", "content"):
            self.register_buffer(name, torch.full((n,), -1, dtype=torch.int64))

    @torch.no_grad()
    def note(
        self, places: Int[Tensor, " n"], *, index: Int[Tensor, " n"], content: Int[Tensor, " n"]
    ) -> None:
        """The rows at these places are now of these samples."""
        self.index[places], self.content[places] = index, content

    def copies(
        self,
        *,
        index: Int[Tensor, " n"],
        content: Int[Tensor, " n"],
        places: Int[Tensor, " m"] | None = None,
    ) -> Bool[Tensor, "n m"]:
        """Where the stored rows, or those at `places`, are of another sample that equals this one."""
        of, told = (
            (self.index, self.content) if places is None else (self.index[places], self.content[places])
        )
        return (content[:, None] == told) & (index[:, None] != of) & (of >= 0)

    def of(self, content: Int[Tensor, " n"]) -> Bool[Tensor, "n m"]:
        """Where the stored rows are of a sample of this content: the sample itself, or one that equals it."""
        return (content[:, None] == self.content) & (self.index >= 0)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        for name, buffer in self.named_buffers():
            state_dict.setdefault(prefix + name, buffer)
        super()._load_from_state_dict(state_dict, prefix, *args)
