"""Sparse autoencoder: predict the sample from a code of which few units are active at a time.

    batch --encoder--> h --linear, activation--> code --decoder--> reconstruction --squared_error(sample)--> loss
                                                 code --sparsity(batch)------------------------------------> + loss

The representation is the code, which may have more numbers than the sample. With `kl` its units are sigmoids, each to
be active for a small share of the samples; with `l1` they are not negative, and their mean size, in units of their
root mean square, is to be small.

References: Ng, CS294A lecture notes, 2011, section 3. https://web.stanford.edu/class/cs294a/sparseAutoencoder.pdf
    Lee, Ekanadham & Ng, NeurIPS 2008 (the target). https://papers.nips.cc/paper/3313
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.methods.reconstruction.coder import Coder
from replearn.objectives import kl_sparsity, l1_sparsity, squared_error


@dataclass(kw_only=True, eq=False, repr=False)
class SparseAutoencoder(Coder):
    """Autoencoder with a penalty on active units.

    Attributes:
        penalty: `kl` or `l1`.
        weight: of the penalty; for `l1` take a smaller one, 0.1 say, or units die.
        activity: share of samples for which a unit should be active; for `kl`.
    """

    year: ClassVar[int] = 2008
    paper: ClassVar[str] = "https://papers.nips.cc/paper/3313"

    dim: int = 256
    learning_rate: float = 3e-3
    penalty: Literal["kl", "l1"] = "kl"
    weight: float = 1.0
    activity: float = 0.05

    def build(self, samples: Description) -> None:
        if self.penalty not in ("kl", "l1"):
            raise ValueError(f"penalty must be kl or l1; got {self.penalty!r}.")
        if self.weight < 0 or not 0 < self.activity < 1:
            raise ValueError(
                "weight must not be negative, and activity must be a share between 0 and 1; "
                f"got {self.weight} and {self.activity}. Leave them out for the defaults."
            )
        super().build(samples)
        nn.init.xavier_uniform_(self.code_.weight)  # or all codes would lie about 1/2 for long

    def idle(self, samples: Samples) -> Mapping[str, str]:
        if self.penalty == "kl" and self.weight:
            return {}
        return {"activity": "only a kl penalty with a weight aims at one"}

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        logits = self.code_(self.encoder_(batch))  # (n, dim)
        code = self.activate(logits)
        if self.penalty == "kl":
            sparsity = kl_sparsity(gather(logits), target=self.activity)
        else:
            sparsity = l1_sparsity(gather(code))
        return squared_error(self.decoder_(code), self.encoder_.standardise(batch)) + self.weight * sparsity

    def activate(self, logits: Float[Tensor, "n dim"]) -> Float[Tensor, "n dim"]:
        """The code, from what the last layer returns."""
        return logits.sigmoid() if self.penalty == "kl" else logits.relu()

    def represent(self, batch: Batch) -> Float[Tensor, "n dim"]:
        return self.activate(super().represent(batch))

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        code = self.represent(batch).float()
        size = code.square().mean().sqrt()
        dead = code.std(0, unbiased=False) <= 1e-3 * size  # (dim,)
        return super().measures(batch) | {"dead_units": dead.float().mean()}
