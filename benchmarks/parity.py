"""Objectives of ours against lightly's: value and gradient for random inputs in 64 bits.

    python benchmarks/parity.py

Ends with 1 where two differ by more than rounding and no line here explains it. An explanation is checked, too: a line
that has one says what makes the two equal, and they must be. lightly is optional (`pip install -e '.[bench]'`).
"""

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from itertools import product

import torch
from torch import Tensor

from replearn.objectives import (
    alignment,
    barlow_twins,
    info_nce_queue,
    negative_cosine,
    nt_xent,
    soft_cross_entropy,
    swapped_prediction,
    uniformity,
    vicreg,
)
from replearn.objectives.prototypes import sinkhorn

TOLERANCE = 1e-9  # relative
SEEDS = 5
N, D, K = 16, 8, 12  # rows, numbers per row, prototypes
COLD = 1 / 32  # a temperature that is exact in 32 bits, in which lightly keeps it

Number = Callable[[], Tensor]


@dataclass(frozen=True)
class Line:
    """One objective with one choice of knobs.

    Attributes:
        name: ours and theirs.
        inputs: what both read, and gradients are taken of.
        ours, theirs: the losses.
        reason: why they differ, or nothing where they must not.
        equal: two losses that are the same if the reason is right.
    """

    name: str
    inputs: list[Tensor]
    ours: Number
    theirs: Number
    reason: str = ""
    equal: tuple[Number, Number] | None = None

    def difference(self) -> float:
        """Of what must be equal, values and gradients: relative, the larger of both."""
        left, right = (self.sample(loss) for loss in self.equal or (self.ours, self.theirs))
        return max(float((s - t).norm() / t.norm().clamp_min(1e-6)) for s, t in zip(left, right, strict=True))

    def sample(self, loss: Number) -> list[Tensor]:
        """A loss and its gradients."""
        value = loss()
        return [value.detach(), *torch.autograd.grad(value, self.inputs)]


def rows(*shape: int, random: torch.Generator) -> Tensor:
    return torch.randn(*shape, generator=random, dtype=torch.float64, requires_grad=True)


def contrast(random: torch.Generator) -> list[Line]:
    from lightly.loss import NTXentLoss

    a, b, queue = (rows(n, D, random=random) for n in (N, N, 3 * N))
    lines = [
        Line(
            f"nt_xent, NTXentLoss, temperature {t}",
            [a, b],
            lambda t=t: nt_xent(a, b, temperature=t),
            lambda t=t: NTXentLoss(temperature=t)(a, b),
        )
        for t in (0.1, 0.5)
    ]

    def with_bank() -> Tensor:
        loss = NTXentLoss(temperature=0.2, memory_bank_size=(3 * N, D))
        loss.memory_bank.bank = torch.nn.functional.normalize(queue.detach(), dim=1)
        return loss(a, b)

    ours = Line(
        "info_nce_queue, NTXentLoss with memory bank",
        [a, b],
        lambda: info_nce_queue(a, b, queue.detach(), temperature=0.2),
        with_bank,
    )
    return [*lines, ours]


def statistics(random: torch.Generator) -> list[Line]:
    from lightly.loss import BarlowTwinsLoss, NegativeCosineSimilarity, VICRegLoss
    from lightly.loss.hypersphere_loss import HypersphereLoss

    a, b = rows(N, D, random=random), rows(N, D, random=random)
    return [
        Line(
            "negative_cosine, NegativeCosineSimilarity",
            [a, b],
            lambda: negative_cosine(a, b),
            lambda: NegativeCosineSimilarity()(a, b),
        ),
        Line(
            "barlow_twins, BarlowTwinsLoss",
            [a, b],
            lambda: barlow_twins(a, b),
            lambda: BarlowTwinsLoss()(a, b),
            "theirs adds 1e-5 to the variance of each column; equation 2 has no such number. Equal for large columns.",
            (lambda: barlow_twins(1e4 * a, 1e4 * b), lambda: BarlowTwinsLoss()(1e4 * a, 1e4 * b)),
        ),
        Line(
            "vicreg, VICRegLoss",
            [a, b],
            lambda: vicreg(a, b),
            lambda: VICRegLoss()(a, b),
            "theirs takes the mean over columns of the invariance and halves the variance; equations 5 and 6 do not. "
            "Equal for weights 25/d, 25/2, 1.",
            (
                lambda: vicreg(a, b, invariance=25 / D, variance=12.5),
                lambda: VICRegLoss()(a, b),
            ),
        ),
        Line(
            "alignment + uniformity, HypersphereLoss",
            [a, b],
            lambda: alignment(a, b) + (uniformity(a) + uniformity(b)) / 2,
            lambda: HypersphereLoss(t=2.0)(a, b),
        ),
    ]


def prototypes(random: torch.Generator) -> list[Line]:
    from lightly.loss import SwaVLoss
    from lightly.loss.swav_loss import sinkhorn as their_sinkhorn

    # Two large crops and one small; scores are cosines, so at most 1.
    scores = rows(N, 3, K, random=random)
    queue = rows(N, 2, K, random=random).detach().tanh()

    def assigned(by: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.stack([by(scores[:, i].detach().tanh()) for i in range(2)], dim=1)

    def weighted(assignments: Tensor) -> Tensor:
        return (assignments * scores[:, :2]).sum()

    def views() -> list[Tensor]:
        return list(scores.tanh().unbind(1))

    def with_queue() -> Tensor:
        crops = [torch.cat([scores[:, i].detach().tanh(), queue[:, i]]) for i in range(2)]
        assignments = torch.stack([sinkhorn(crop)[:N] for crop in crops], dim=1)
        return swapped_prediction(scores.tanh(), assignments)

    return [
        Line(
            "sinkhorn, lightly's (weighted sum of assignments)",
            [scores],
            lambda: weighted(assigned(sinkhorn)),
            lambda: weighted(assigned(their_sinkhorn)),
        ),
        Line(
            "swapped_prediction of their assignments, SwaVLoss",
            [scores],
            lambda: swapped_prediction(scores.tanh(), assigned(their_sinkhorn)),
            lambda: SwaVLoss()(views()[:2], views()[2:]).squeeze(),
        ),
        Line(
            "swapped_prediction of our assignments, SwaVLoss",
            [scores],
            lambda: swapped_prediction(scores.tanh(), assigned(sinkhorn)),
            lambda: SwaVLoss()(views()[:2], views()[2:]).squeeze(),
        ),
        Line(
            "swapped_prediction with a queue, SwaVLoss",
            [scores],
            with_queue,
            lambda: SwaVLoss()(views()[:2], views()[2:], list(queue.unbind(1))).squeeze(),
        ),
    ]


def distillation(random: torch.Generator) -> list[Line]:
    from lightly.loss import DINOLoss

    student, teacher = rows(3, N, K, random=random), rows(2, N, K, random=random).detach()
    centre = rows(K, random=random).detach()

    def ours() -> Tensor:
        targets = ((teacher - centre) / COLD).softmax(2)
        pairs = [(s, t) for s, t in product(range(3), range(2)) if s != t]
        return sum(soft_cross_entropy(student[s], targets[t]) for s, t in pairs) / len(pairs)

    def theirs() -> Tensor:
        loss = DINOLoss(output_dim=K).double()
        loss.center = centre.view(1, 1, -1).clone()
        return loss(list(teacher), list(student), teacher_temp=COLD)

    return [Line("soft_cross_entropy over pairs of crops, DINOLoss", [student], ours, theirs)]


def main() -> int:
    """Print the table of the first seed; the worst difference is over all seeds."""
    if find_spec("lightly") is None:
        print("lightly is not installed, so there is nothing to compare with: pip install -e '.[bench]'")
        return 0
    warnings.filterwarnings("ignore", module="lightly")
    tables = []
    for seed in range(SEEDS):
        random = torch.Generator().manual_seed(seed)
        parts = (contrast, statistics, prototypes, distillation)
        tables.append([line for part in parts for line in part(random)])
    print(
        f"lightly {version('lightly')}; {SEEDS} draws, {N} rows of {D}; differences of values and gradients\n"
    )
    print(f"{'objective':52} {'ours':>11} {'lightly':>11} {'ratio':>7} {'worst':>8}  ")
    failed = 0
    for lines in zip(*tables, strict=True):
        line, worst = lines[0], max(line.difference() for line in lines)
        ours, theirs = line.ours().item(), line.theirs().item()
        failed += not worst <= TOLERANCE
        verdict = "DIFFERS" if not worst <= TOLERANCE else "explained" if line.reason else "equal"
        print(f"{line.name:52} {ours:11.6f} {theirs:11.6f} {ours / theirs:7.4f} {worst:8.0e}  {verdict}")
        if line.reason:
            print(f"    {line.reason}")
    print("\nNot in lightly: supervised_contrast (without labels it is nt_xent, as a test shows), ssl_hsic.")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
