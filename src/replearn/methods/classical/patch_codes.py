"""Patch codes: learn a dictionary of little patches, code every place by it, and sum up.

    images --every patch--> whitened patches --atoms--> codes --mean over parts--> h

One of scikit-learn's learners gives the atoms: centres of k-means, principal or independent components, or a sparse
dictionary. A place is coded by its nearest atom (`one-hot`), by how much nearer than the mean each atom is
(`triangle`), or by how much each atom is found in it, beyond a threshold (`threshold`).

References: Coates, Lee & Ng, AISTATS 2011. https://proceedings.mlr.press/v15/coates11a.html
    Coates & Ng, ICML 2011 (threshold). https://icml.cc/2011/papers/485_icmlpaper.pdf
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Literal, get_args

import numpy as np
from jaxtyping import Float
from torch import Tensor, from_numpy

from replearn.data import Description, Samples
from replearn.encoders.atoms import Atoms
from replearn.encoders.patches import WhitePatches
from replearn.methods.classical.learners import BOUNDED, LEARNERS, check_choice
from replearn.methods.classical.places import DRAWN, PlaceCodes
from replearn.methods.few import at_most

Code = Literal["one-hot", "triangle", "threshold"]
DIRECTIONS = "directions in which patches vary"


@dataclass(kw_only=True, eq=False, repr=False)
class PatchCodes(PlaceCodes):
    """Codes of whitened patches by learned atoms, averaged over parts of the image.

    Attributes:
        learner: of the atoms: `kmeans`, `pca`, `ica` or `dictionary`.
        atoms: their number; of `pca` and `ica` fewer than the numbers in a patch.
        code: of a patch by the atoms: `one-hot`, `triangle` or `threshold`.
        threshold: what a response must exceed, for the code of that name.
        side: of a patch, in pixels.
        stride: pixels between patches; None: so many that at most about 32 lie along a side.
    """

    year: ClassVar[int] = 2011
    paper: ClassVar[str] = "https://proceedings.mlr.press/v15/coates11a.html"

    learner: Literal["kmeans", "pca", "ica", "dictionary"] = "kmeans"
    atoms: int = 128
    code: Code = "threshold"
    threshold: float = 0.5
    side: int = 8
    stride: int | None = None

    def check(self, samples: Samples) -> None:
        super().check(samples)
        self._sizes(samples.shape, heard=True)

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return {} if self.code == "threshold" else {"threshold": f"the code is {self.code}, which has none"}

    def build(self, samples: Description) -> None:
        check_choice("learner", self.learner, tuple(LEARNERS))
        check_choice("code", self.code, get_args(Code))
        side, atoms = self._sizes(samples.shape)
        if self.stride is not None and self.stride < 1:
            raise ValueError(f"stride must be at least 1; got {self.stride}. Leave it out.")
        stride = self.stride or ceil((min(samples.shape[1:]) - side + 1) / 32)
        self.places_ = WhitePatches(samples.shape[0], side=side, stride=stride)
        self.atoms_ = Atoms(atoms, samples.shape[0] * side**2)

    def _sizes(self, shape: tuple[int, ...], *, heard: bool = False) -> tuple[int, int]:
        """Side of a patch, and number of atoms, for images of a shape."""
        side = at_most(self, "side", min(shape[1:]), "pixels of the images' shorter side", heard=heard)
        if self.learner not in BOUNDED:  # no more than there are directions; patches lose one with their mean
            return side, self.atoms
        return side, at_most(self, "atoms", shape[0] * side**2 - 1, DIRECTIONS, heard=heard)

    def learn_atoms(self, vectors: Float[Tensor, "m d"]) -> None:
        asked = len(self.atoms_.vectors)
        atoms = asked if 1 <= asked <= len(vectors) else at_most(self, "atoms", len(vectors), DRAWN)
        white = self.places_.fit(vectors).whiten(vectors)
        found = LEARNERS[self.learner](white.numpy(), atoms, self.random_state)
        self.atoms_.vectors = from_numpy(found.astype(np.float32))

    def encode(self, z: Float[Tensor, "n d i j"]) -> Float[Tensor, "n k i j"]:
        if self.code == "threshold":
            return self.atoms_.threshold(z, self.threshold)
        return self.atoms_.one_hot(z) if self.code == "one-hot" else self.atoms_.triangle(z)

    def pictures(self) -> Float[np.ndarray, "k c side side"]:
        """The atoms as they are found in whitened patches."""
        return self.atoms_.vectors.view(-1, *self.places_.shape).cpu().numpy()

    @property
    def representation_dim(self) -> int:
        return len(self.atoms_.vectors) * self.parts**2 * (2 if self.code == "threshold" else 1)
