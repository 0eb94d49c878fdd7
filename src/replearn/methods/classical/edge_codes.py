"""What methods share that code the edges around the places of an image: `BagOfVisualWords` and `FisherVectors`.

References: Dalal & Triggs, CVPR 2005 (cells and blocks). https://doi.org/10.1109/CVPR.2005.177
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from replearn.data import Description
from replearn.encoders.histograms import OrientedBlocks
from replearn.methods.classical.places import PlaceCodes


@dataclass(kw_only=True, eq=False, repr=False)
class EdgeCodes(PlaceCodes):
    """Codes of oriented blocks: two by two cells, in each of which strengths of edges are summed by direction.

    Attributes:
        directions: of edges that are told apart.
        cell: side of a cell in pixels; None: 4 for images of less than 48 pixels, else 8.
    """

    directions: int = 9
    cell: int | None = None

    def build(self, samples: Description) -> None:
        """Make `places_`.

        Raises:
            ValueError: a cell has no room in the images, or is none.
        """
        most = min(samples.shape[1:]) // 2
        cell = min(4 if most < 24 else 8, most) if self.cell is None else self.cell
        if not 1 <= cell <= most:
            raise ValueError(
                f"cell must lie between 1 and {most}, half of the images' shorter side; got {cell}. Choose another."
            )
        self.places_ = OrientedBlocks(cell, self.directions)


def has_edge(z: Float[Tensor, "n d ..."]) -> Tensor:
    """Whether there is an edge within each block: its norm is 1, else nearly 0."""
    return z.square().sum(1) > 0.5
