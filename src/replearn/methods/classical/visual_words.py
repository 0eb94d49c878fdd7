"""Bag of visual words: which kinds of little edges an image has, and about where. Only the words are learned.

    images --gradients--> edges --histograms--> blocks --nearest centre--> words --histogram--> h

At every place, strengths of edges are summed by direction over two by two cells (HOG). k-means makes words of such
blocks; the representation is how often each word occurs in each part of the image. Its square root is taken, since a
second occurrence says less than the first one. Places without an edge have no word.

References: Csurka et al., ECCV Workshop on Statistical Learning in Computer Vision 2004.
    https://www.cs.cmu.edu/~efros/courses/LBMV07/Papers/csurka-eccv-04.pdf
    Dalal & Triggs, CVPR 2005 (cells and blocks). https://doi.org/10.1109/CVPR.2005.177
    Lazebnik, Schmid & Ponce, CVPR 2006 (parts). https://doi.org/10.1109/CVPR.2006.68
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from sklearn.cluster import KMeans
from torch import Tensor, from_numpy

from replearn.data import Batch, Description
from replearn.encoders.atoms import Atoms
from replearn.encoders.histograms import OrientedBlocks
from replearn.methods.classical.places import DRAWN, PlaceCodes
from replearn.methods.few import at_most

ITERATIONS = 30  # of k-means; more of them change no accuracy


@dataclass(kw_only=True, eq=False, repr=False)
class BagOfVisualWords(PlaceCodes):
    """Histograms of words, which are clusters of oriented gradients.

    Attributes:
        words: number of clusters.
        directions: of edges that are told apart.
        cell: side of a cell in pixels; None: 4 for images of less than 48 pixels, else 8.
    """

    year: ClassVar[int] = 2004
    paper: ClassVar[str] = "https://www.cs.cmu.edu/~efros/courses/LBMV07/Papers/csurka-eccv-04.pdf"

    words: int = 128
    directions: int = 9
    cell: int | None = None

    def build(self, samples: Description) -> None:
        self.places_ = blocks_for(samples, self.cell, self.directions)
        self.atoms_ = Atoms(self.words, self.places_.dim)

    def learn_atoms(self, vectors: Float[Tensor, "m d"]) -> None:
        edges = vectors[has_edge(vectors)]
        words = at_most(self, "words", len(edges), DRAWN)
        learner = KMeans(words, n_init=1, max_iter=ITERATIONS, random_state=self.random_state)
        self.atoms_.vectors = from_numpy(learner.fit(edges.numpy()).cluster_centers_)

    def encode(self, z: Float[Tensor, "n d i j"]) -> Float[Tensor, "n k i j"]:
        return self.atoms_.one_hot(z) * has_edge(z)[:, None]

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        return super().represent(batch).sqrt()

    @property
    def representation_dim(self) -> int:
        return len(self.atoms_.vectors) * self.parts**2


def blocks_for(samples: Description, cell: int | None, directions: int) -> OrientedBlocks:
    """What describes the edges around the places of such images.

    Raises:
        ValueError: a cell of this side, in pixels, has no room, or none.
    """
    most = min(samples.shape[1:]) // 2
    cell = min(4 if most < 24 else 8, most) if cell is None else cell
    if not 1 <= cell <= most:
        raise ValueError(
            f"cell must lie between 1 and {most}, half of the images' shorter side; got {cell}. Choose another."
        )
    return OrientedBlocks(cell, directions)


def has_edge(z: Float[Tensor, "n d ..."]) -> Tensor:
    """Whether there is an edge within each block: its norm is 1, else nearly 0."""
    return z.square().sum(1) > 0.5
