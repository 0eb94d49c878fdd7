"""`Tiled`: what pretext tasks share that cut a sample into tiles and ask where they were."""

import logging
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.methods.pretext.pretext import Pretext
from replearn.views.defaults import parts_of
from replearn.views.tiles import Placed

log = logging.getLogger("replearn")

LEAST = 4  # places along the side of a tile


@dataclass(kw_only=True, eq=False, repr=False)
class Tiled(Pretext):
    """A pretext task whose tiles are embedded apart, by one network, before a head sees several of them.

    The representation is of the whole sample, through the network that has seen tiles.

    Attributes:
        views: `Tiles(...)`, or the name of a preset; None takes the default for this kind of samples.
        hidden: width of the head's hidden layer.
        dim: numbers in the embedding of a tile, which the head is given.
    """

    split: ClassVar[str] = "tiles"

    hidden: int = 256
    dim: int = 64
    batch_size: int = 64
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        parts = parts_of(self.views, samples, self.split)
        if not isinstance(parts, Placed) or len(parts.places) < 2:
            name = type(self).__name__
            raise ValueError(
                f"{name} needs views that cut samples at 2 places or more, Tiles(grid, ...); got {self.views!r}."
            )
        self.parts_ = parts
        sides = parts.describe(samples)[0].shape[1:]
        if min(sides, default=LEAST) < LEAST:
            size = " x ".join(map(str, sides))
            log.warning(
                "tiles are %s, too small to tell much by; give larger samples, or Tiles(grid=2)", size
            )
        super().build(samples)
        self.tile_ = nn.Sequential(
            nn.Linear(self.encoder_.dim, self.dim, bias=False), nn.BatchNorm1d(self.dim), nn.ReLU()
        )

    def embedded(self, tiles: Batch) -> Float[Tensor, "n p d"]:
        """Embeddings of all tiles of each sample, in one pass through the network."""
        z = self.tile_(self.encoder_(tiles))  # (n·p, dim)
        return z.unflatten(0, (-1, len(self.parts_.places)))  # type: ignore[no-any-return]

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """As of all pretext tasks; a gain near 1 is a sign of its own, since pictures alone tell no place so surely."""
        found = super().measures(batch)
        return found | {"tiles_gain": found["pretext_gain"]}
