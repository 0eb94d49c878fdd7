"""RelativePatch: tell on which side of a tile another one lies; only who knows the parts of things can.

    batch --views--> tiles x_1, ..., x_p --encoder--> h --tile--> z_1, ..., z_p
                     all neighbours i, j: [z_i, z_j] --head--> logits --cross_entropy(direction from i to j)--> loss

The paper encodes two patches to ask once. Here the tiles of a grid are encoded once, and all pairs of neighbours are
asked for: of 3 x 3 tiles these are 40. Those beside each other or above each other are more frequent than those across
a corner, which chance knows. Guards against cheap answers are the views' business: `replearn.views.tiles`.

References: Doersch, Gupta & Efros, ICCV 2015. https://arxiv.org/abs/1505.05192
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description
from replearn.encoders import mlp
from replearn.methods.exhibit import Exhibit
from replearn.methods.pretext.tiled import Tiled


@dataclass(kw_only=True, eq=False, repr=False)
class RelativePatch(Tiled):
    """Unsupervised visual representation learning by context prediction."""

    year: ClassVar[int] = 2015
    paper: ClassVar[str] = "https://arxiv.org/abs/1505.05192"

    @property
    def answers(self) -> int:
        """Directions that there are: 8 in a grid of more than 1 row."""
        return len(self.steps_)

    @property
    def frequencies(self) -> Float[Tensor, " k"]:
        """Of each direction, among all pairs of neighbours."""
        return self.direction_.bincount(minlength=self.answers) / len(self.direction_)

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.pairs_, self.direction_, self.steps_ = neighbours(self.parts_.places)
        self.head_ = mlp(2 * self.dim, self.hidden, self.answers)

    def guess(self, batch: Batch) -> tuple[Float[Tensor, "m k"], Int[Tensor, " m"]]:
        (tiles,) = self.views_(batch)
        z = self.embedded(tiles)
        direction = self.direction_.to(z.device).repeat(len(z))  # (n·q,)
        return self._logits(z, self.pairs_), direction

    def _logits(self, z: Float[Tensor, "n p d"], pairs: Int[Tensor, "q 2"]) -> Float[Tensor, "n*q k"]:
        return self.head_(z[:, pairs.to(z.device)].flatten(2).flatten(0, 1))  # type: ignore[no-any-return]

    def exhibit(self, batch: Batch) -> Exhibit:
        """For each sample a tile of the middle and a neighbour of it, where it was put and where it was."""
        (tiles,) = self.parts_.parts(batch)
        first = int(self.pairs_[:, 0].bincount().argmax())  # who has most neighbours
        own = (self.pairs_[:, 0] == first).nonzero()[:, 0]  # (k,), pairs that begin there
        others, steps = self.pairs_[own, 1], self.direction_[own]
        rows, each = torch.arange(len(batch)), torch.arange(len(batch)) % len(own)
        logits = self._logits(self.embedded(tiles), self.pairs_[own]).view(len(batch), len(own), -1)
        said = logits[rows, each][:, steps].argmax(1).cpu()
        x = tiles.x.view(len(batch), -1, *tiles.x.shape[1:])
        two = torch.stack([x[:, first], x[rows, others[each]]], 1).flatten(0, 1)

        def laid(second: Int[Tensor, " n"]) -> Any:
            return self.parts_.lay(two, torch.stack([torch.full_like(second, first), second], 1))

        return Exhibit(
            "Where was it?",
            "Two tiles of each test sample: the one in the middle, and one of its neighbours.",
            {"as the network puts it": laid(others[said]), "as it was": laid(others[each])},
            [self.parts_.name(self.steps_[step].tolist()) for step in steps[said]],
            (said == each).tolist(),
            float(self.frequencies.max()),
        )


def neighbours(
    places: Int[Tensor, "p a"],
) -> tuple[Int[Tensor, "q 2"], Int[Tensor, " q"], Int[Tensor, "k a"]]:
    """All ordered pairs of places that are one step apart, diagonals too; the number of each step, and the steps.

    >>> pairs, number, steps = neighbours(torch.tensor([[0], [1], [2]]))
    >>> pairs.tolist(), number.tolist(), steps.tolist()
    ([[0, 1], [1, 0], [1, 2], [2, 1]], [1, 0, 1, 0], [[-1], [1]])
    """
    step = places[None] - places[:, None]  # (p, p, a), from the first to the second
    near = step.abs().amax(2) == 1
    steps, number = torch.unique(step[near], dim=0, return_inverse=True)
    return near.nonzero(), number, steps
