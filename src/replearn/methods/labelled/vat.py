"""VAT: a prediction must hold where the sample is changed a little, in the direction in which it would change most.

    all samples      batch --view--> x --encoder--> h --linear--> p --------------------+
                     x + r -----------encoder--> h --linear--> q -----------------------+--kl_divergence--> loss
                     p --entropy----------------------------------------------------------------------------> loss
    with a label     p --cross_entropy(label)---------------------------------------------------------------> loss

`r` has a fixed length and the direction in which the divergence of predictions grows fastest, found by power iteration
of its second derivative from a direction drawn at random. No gradient passes through `p` to the divergence, nor through
`r`, and batch normalisation's running statistics learn of `x` alone. Classes are so parted where few samples lie; the
entropy makes predictions sure there. What answers and represents afterwards is the moving average of the weights, which
the paper has not.

References: Miyato, Maeda, Koyama & Ishii, TPAMI 2018, section 3, equations 5 to 8, Algorithm 1.
    https://arxiv.org/abs/1704.03976
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch
from replearn.data.kinds import ROWS
from replearn.data.processes import collect, gather
from replearn.engine.slices import buffers_kept
from replearn.methods.labelled.semi_supervised import SemiSupervised, Term
from replearn.objectives import cross_entropy, entropy, kl_divergence
from replearn.views.nudge import directions, nudged, unit

Said = tuple[Batch, Float[Tensor, "n c"]]


@dataclass(kw_only=True, eq=False, repr=False)
class VAT(SemiSupervised):
    """Virtual adversarial training: a regularization method for supervised and semi-supervised learning.

    Lengths are told on the samples' own scale: 1 is a change of each number by its channel's or column's deviation.
    The paper's `ε`, a length in pixels of `d` numbers in [0, 1] whose deviation is `s`, is `s √d epsilon`.

    Attributes:
        views: of which the first is taken, or the name of a preset; None takes the default for this kind of samples.
        epsilon: length of the change `r`.
        xi: length of the change by which the direction is found.
        iterations: of the power method.
        entropy: weight of the entropy of predictions.
    """

    needs: ClassVar[tuple[str, ...]] = (
        "encoder",
        ROWS,
    )  # of numbers that can be changed a little; words can't
    year: ClassVar[int] = 2018
    paper: ClassVar[str] = "https://arxiv.org/abs/1704.03976"
    split: ClassVar[str] = "single"
    refused: ClassVar[Mapping[str, str]] = {
        "fsdp": "its direction is a gradient, after which weights are let go and its loss has still to be computed"
    }

    mu: int = 1
    epsilon: float = 0.1
    xi: float = 0.01
    iterations: int = 1
    entropy: float = 0.1

    def say(self, batch: Batch) -> Said:
        seen = self.views_(batch)[0].floats()
        return seen, self.student_(seen)

    def weighted(self) -> Mapping[str, tuple[float, Term]]:
        return {**super().weighted(), "entropy": (self.entropy, self.unsure)}

    def labelled(self, said: Said, batch: Batch) -> Float[Tensor, ""]:
        return cross_entropy(gather(said[1]), collect(batch.labels))

    def unlabelled(self, said: Said, batch: Batch) -> Float[Tensor, ""]:
        """The divergence, of all samples: those with a label are among them."""
        return unsteadiness(
            self.student_, *said, epsilon=self.epsilon, xi=self.xi, iterations=self.iterations
        )

    def unsure(self, said: Said, batch: Batch) -> Float[Tensor, ""]:
        """The entropy of predictions, of all samples."""
        return entropy(gather(said[1]))


def unsteadiness(
    student: nn.Sequential,
    seen: Batch,
    logits: Float[Tensor, "n c"],
    *,
    epsilon: float,
    xi: float,
    iterations: int,
) -> Float[Tensor, ""]:
    """How far predictions change in the worst direction, as a divergence; arguments as of `adversary`."""
    clean = logits.detach()
    with buffers_kept(student):
        changed = adversary(student, seen, clean, epsilon=epsilon, xi=xi, iterations=iterations)
        told = student(changed)
    return kl_divergence(gather(told), gather(clean))


def adversary(
    student: nn.Sequential,
    seen: Batch,
    clean: Float[Tensor, "n c"],
    *,
    epsilon: float,
    xi: float,
    iterations: int,
) -> Batch:
    """The samples, changed by `epsilon` in the direction in which predictions change most: see `VAT`.

    Args:
        student: an encoder and a layer of logits.
        seen: samples that are rows of numbers.
        clean: what the student says of them.
        epsilon, xi, iterations: see `VAT`.
    """
    std: Tensor = student[0].std  # type: ignore[assignment]
    direction = directions(seen).to(std)
    for _ in range(iterations):
        direction = unit(direction).requires_grad_()
        divergence = kl_divergence(student(nudged(seen, direction, length=xi, std=std)), clean)
        (direction,) = torch.autograd.grad(divergence, direction)
    return nudged(seen, unit(direction), length=epsilon, std=std)
