"""Fisher vectors: how the edges in each part of an image differ from what edges are like on the whole.

    images --gradients--> edges --histograms--> blocks --mixture of Gaussians--> gradients of its likelihood --> h

Blocks are those of `BagOfVisualWords`. Where that counts which word a block is, a Fisher vector tells for each of a few
Gaussians how far, on the mean, the blocks that are its own lie from its mean, and how far they spread, in each of half
as many principal components as a block has numbers. Square roots are taken, which keep the sign, and the vector gets
length 1. Places without an edge say nothing.

References: Perronnin, Sánchez & Mensink, ECCV 2010. https://doi.org/10.1007/978-3-642-15561-1_11
    Sánchez et al., IJCV 2013. https://doi.org/10.1007/s11263-013-0636-x
"""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor, from_numpy

from replearn.data import Description
from replearn.encoders.fisher import Mixture, powers
from replearn.methods.classical.edge_codes import EdgeCodes, has_edge
from replearn.methods.classical.places import DRAWN
from replearn.methods.few import at_most

ITERATIONS = 30  # of expectation maximisation; 200 change accuracies by half a point at most


@dataclass(kw_only=True, eq=False, repr=False)
class FisherVectors(EdgeCodes):
    """Gradients of the likelihood of an image's oriented gradients, by a mixture of Gaussians of those of all images.

    Attributes:
        gaussians: of the mixture.
    """

    year: ClassVar[int] = 2010
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-642-15561-1_11"

    gaussians: int = 32

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.atoms_ = Mixture(self.gaussians, self.places_.dim, self.places_.dim // 2)

    def learn_atoms(self, vectors: Float[Tensor, "m d"]) -> None:
        edges = vectors[has_edge(vectors)]
        count = at_most(self, "gaussians", len(edges), DRAWN)
        kept = min(len(self.atoms_.axes), len(edges))
        found = PCA(kept, random_state=self.random_state).fit(edges.double().numpy())
        learner = GaussianMixture(
            count, covariance_type="diag", max_iter=ITERATIONS, random_state=self.random_state
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            learner.fit(found.transform(edges.double().numpy()))
        learned = {"centre": found.mean_, "axes": found.components_, "vectors": learner.means_}
        learned |= {"variances": learner.covariances_, "weights": learner.weights_}
        for name, value in learned.items():
            setattr(self.atoms_, name, from_numpy(value).float())

    def summed(self, z: Float[Tensor, "n d i j"]) -> Float[Tensor, "n e"]:
        there = has_edge(z).float()
        rows, columns = (cuts(side, self.parts) for side in z.shape[2:])
        found = [self.atoms_(z[..., r, c], there[..., r, c]) for r in rows for c in columns]
        return powers(torch.cat(found, dim=1))

    @property
    def representation_dim(self) -> int:
        return 2 * self.atoms_.vectors.numel() * self.parts**2


def cuts(side: int, parts: int) -> list[slice]:
    """Parts of a side, as adaptive pooling has them.

    >>> cuts(5, 2)
    [slice(0, 3, None), slice(2, 5, None)]
    """
    return [slice(i * side // parts, -(-(i + 1) * side // parts)) for i in range(parts)]
