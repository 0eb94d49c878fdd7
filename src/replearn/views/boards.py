"""Views of boards that keep what a position is worth: the symmetries of games."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from replearn.data.samples import Batch
from replearn.views.base import View, chance, check_probability, images


@dataclass(frozen=True)
class SquareSymmetry(View):
    """One of the eight ways to turn and mirror a square board, drawn for each sample: in Go all are worth the same."""

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        if x.shape[2] != x.shape[3]:
            raise ValueError(
                f"boards must be square to be turned; got {x.shape[2]} x {x.shape[3]}. Use MirrorBoard."
            )
        x = where(chance(batch, 0.5), x.flip(2), x)
        x = where(chance(batch, 0.5), x.flip(3), x)
        return batch.with_x(where(chance(batch, 0.5), x.transpose(2, 3), x))


@dataclass(frozen=True)
class MirrorBoard(View):
    """Left and right exchanged, with some probability, and with them the planes that speak of a side.

    In chess a position that may still be castled has no mirror image that could occur: its king would stand on the
    queen's square. The rights to castle go with the rooks here.

    Args:
        exchanged: pairs of planes that speak of left and of right.
        probability: of the mirror image.
    """

    exchanged: tuple[tuple[int, int], ...] = ()
    probability: float = 0.5

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        order = list(range(x.shape[1]))
        for one, other in self.exchanged:
            if not 0 <= one < len(order) > other >= 0:
                raise ValueError(
                    f"planes to exchange must lie between 0 and {len(order) - 1}; got {one} and {other}."
                )
            order[one], order[other] = order[other], order[one]
        return batch.with_x(where(chance(batch, self.probability), x.flip(3)[:, order], x))


def where(
    chosen: Bool[Tensor, " n"], one: Float[Tensor, "n c h w"], other: Float[Tensor, "n c h w"]
) -> Tensor:
    """The samples of one where they are chosen, else those of the other."""
    return torch.where(chosen[:, None, None, None], one, other)
