"""What methods share that code every place of an image by atoms, and sum up.

images --places--> (n, d, i, j) --encode by atoms--> (n, k, i, j) --mean over parts--> (n, k parts²)
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Samples
from replearn.encoders.atoms import pooled_parts
from replearn.engine.machine import choose
from replearn.methods.model import Model

IMAGES = 5000  # of which vectors are drawn: more of them would take longer and look alike
NUMBERS = 2**24  # of maps held at once: 64 MB
DRAWN = "places that they are learned from"


@dataclass(kw_only=True, eq=False, repr=False)
class PlaceCodes(Model):
    """A model whose `places_` makes a vector of every place of an image, and whose `atoms_` code it.

    Attributes:
        parts: the image is cut into so many parts along each side; a code is averaged over each.
        drawn: places from all over the samples, of which the atoms are learned.
    """

    family: ClassVar[str] = "classical"
    needs: ClassVar[tuple[str, ...]] = ("pixels",)

    parts: int = 2
    drawn: int = 50_000
    precision: str = "32-true"  # which atom is nearest is a matter of the last digits

    # What a method writes, beside `build`.

    def learn_atoms(self, vectors: Float[Tensor, "m d"]) -> None:
        """Learn `atoms_` from vectors of some places."""
        raise NotImplementedError

    def encode(self, z: Float[Tensor, "n d i j"]) -> Float[Tensor, "n k i j"]:
        """The code of every place, where `summed` is not written."""
        raise NotImplementedError

    def summed(self, z: Float[Tensor, "n d i j"]) -> Float[Tensor, "n e"]:
        """The code of images: of each part the mean over its places."""
        return pooled_parts(self.encode(z), self.parts)

    # What comes with it.

    def check(self, samples: Samples) -> None:
        super().check(samples)
        for name in ("parts", "drawn"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}. Leave it out.")

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        with torch.inference_mode():
            vectors = self._draw(samples)
        self.learn_atoms(vectors.clone())

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        if torch.compiler.is_exporting():  # one program for any number of images
            return self.summed(self.places_(batch))
        pieces = (batch.rows(start, stop) for start, stop in self._portions(len(batch)))
        return torch.cat([self.summed(self.places_(piece)) for piece in pieces])

    def _draw(self, samples: Samples) -> Float[Tensor, "m d"]:
        """As many vectors from each of some images, drawn at random."""
        rng = np.random.default_rng(self.random_state)
        device = choose(self.device, self.precision).device
        self.places_.to(device)
        chosen = np.sort(rng.permutation(len(samples))[: min(IMAGES, self.drawn)])
        each = ceil(self.drawn / len(chosen))
        found = []
        for start, stop in self._portions(len(chosen)):
            rows = self.places_(samples[chosen[start:stop]].to(device)).flatten(2).mT.cpu()  # (n, p, d)
            n, places, dim = rows.shape
            at = torch.from_numpy(rng.random((n, places)).argsort(axis=1)[:, :each])  # (n, each)
            found.append(rows.gather(1, at[:, :, None].expand(-1, -1, dim)).flatten(0, 1))
        return torch.cat(found)

    def _portions(self, n: int) -> Iterator[tuple[int, int]]:
        """Bounds of consecutive portions of n images, whose maps can be held at once."""
        pixels = prod(self.samples_.shape[1:])
        deep = max(2 * len(self.atoms_.vectors) // self.places_.stride**2, 16)
        step = max(1, NUMBERS // (pixels * deep))
        for start in range(0, n, step):
            yield start, min(start + step, n)
