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
from replearn.methods.classical.edge_codes import EdgeCodes, has_edge
from replearn.methods.classical.places import DRAWN
from replearn.methods.few import at_most

ITERATIONS = 30  # of k-means; more of them change no accuracy


@dataclass(kw_only=True, eq=False, repr=False)
class BagOfVisualWords(EdgeCodes):
    """Histograms of words, which are clusters of oriented gradients.

    Attributes:
        words: number of clusters.
    """

    year: ClassVar[int] = 2004
    paper: ClassVar[str] = "https://www.cs.cmu.edu/~efros/courses/LBMV07/Papers/csurka-eccv-04.pdf"

    words: int = 128

    def build(self, samples: Description) -> None:
        super().build(samples)
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
