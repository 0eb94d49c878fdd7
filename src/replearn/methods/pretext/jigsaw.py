"""Jigsaw: tell in which order the tiles of a sample are; only who knows how its parts fit can.

    batch --views--> tiles x_1, ..., x_p --encoder--> h --tile--> z_1, ..., z_p
                     [z_π(1), ..., z_π(p)] --head--> logits --cross_entropy(which π)--> loss

π is one of a set of orders that are far from each other (`far_permutations`), drawn for each sample. A network that
reads each tile apart gives the same embeddings in any order, so the tiles are encoded as they lie and their embeddings
are put in order: several orders of one sample cost next to nothing.

References: Noroozi & Favaro, ECCV 2016. https://arxiv.org/abs/1603.09246
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description
from replearn.encoders import mlp
from replearn.methods.exhibit import Exhibit
from replearn.methods.pretext.permutations import far_permutations
from replearn.methods.pretext.tiled import Tiled
from replearn.views import uniform


@dataclass(kw_only=True, eq=False, repr=False)
class Jigsaw(Tiled):
    """Unsupervised learning of visual representations by solving jigsaw puzzles.

    Attributes:
        permutations: how many orders there are.
        draws: orders of each sample at a step.
    """

    more_answers: ClassVar[str] = "Raise permutations to 2 or more."
    year: ClassVar[int] = 2016
    paper: ClassVar[str] = "https://arxiv.org/abs/1603.09246"

    permutations: int = 64
    draws: int = 4

    @property
    def answers(self) -> int:
        """Orders that there are."""
        return len(self.orders_)

    def build(self, samples: Description) -> None:
        super().build(samples)
        places = len(self.parts_.places)
        self.orders_ = far_permutations(places, self.permutations)
        self.head_ = mlp(places * self.dim, self.hidden, self.answers)

    def guess(self, batch: Batch) -> tuple[Float[Tensor, "m k"], Int[Tensor, " m"]]:
        (tiles,) = self.views_(batch)
        which = (uniform(batch, self.draws) * self.answers).long().clamp(max=self.answers - 1)  # (n, draws)
        return self._logits(self.embedded(tiles), which), which.flatten()

    def _logits(self, z: Float[Tensor, "n p d"], which: Int[Tensor, "n r"]) -> Float[Tensor, "n*r k"]:
        order = self.orders_.to(z.device)[which]  # (n, r, p)
        shuffled = z[torch.arange(len(z), device=z.device)[:, None, None], order]  # (n, r, p, d)
        return self.head_(shuffled.flatten(2).flatten(0, 1))  # type: ignore[no-any-return]

    def exhibit(self, batch: Batch) -> Exhibit:
        """Each sample's tiles in an order of the set, in the order that the network says, and as they were."""
        (tiles,) = self.parts_.parts(batch)
        which = (torch.arange(len(batch), device=tiles.x.device) % self.answers)[:, None]
        said = self._logits(self.embedded(tiles), which).argmax(1)
        orders = self.orders_.to(said.device)
        order, told = (
            orders[which[:, 0]],
            orders[said],
        )  # (n, p) each: what lies at each place, and is said to
        still = torch.arange(order.shape[1], device=said.device).expand_as(order)
        x = tiles.x.view(*order.shape, *tiles.x.shape[1:])
        shuffled = x[torch.arange(len(batch))[:, None], order].flatten(0, 1)
        pictures = {"the puzzle": still, "as the network solves it": told, "as it was": order}
        return Exhibit(
            "How do the pieces fit?",
            "Tiles of test samples in an order that the network has been asked for, and how it puts them in place.",
            {name: self.parts_.lay(shuffled, at) for name, at in pictures.items()},
            [f"{int(found)} of {order.shape[1]} in place" for found in (order == told).sum(1)],
            (order == told).all(1).tolist(),
            float(self.frequencies.max()),
        )
