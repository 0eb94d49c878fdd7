"""What a task learns from: samples with answers, and of them those that are held out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from replearn.data import Batch, Samples
from replearn.data.splits import stratified_test
from replearn.transfer.checks import check_held
from replearn.transfer.ragged import Ragged
from replearn.transfer.reading import TokenSamples, units_of
from replearn.transfer.tasks import Task


@dataclass(frozen=True, eq=False)
class TaskSplit:
    """Samples with answers: those to learn from, and those that are held out.

    Attributes:
        seen: all samples as the training goes through them.
        inputs: the same as the encoder reads them.
        targets: of all samples.
        answers: of all samples, None where unknown.
        learned, held: positions of those to learn from, and of those by which the best epoch is chosen.
    """

    seen: Samples
    inputs: Samples
    targets: Tensor | Ragged
    answers: list[Any]
    learned: Int[np.ndarray, " n"]
    held: Int[np.ndarray, " m"]

    def targets_of(self, batch: Batch) -> Tensor:
        """The targets of a batch of those to learn from."""
        return self.targets[self.learned[batch.index.cpu().numpy()]]

    def truth(self) -> list[Any]:
        """Answers of those that are held out."""
        return [self.answers[i] for i in self.held]

    def steps(self, each: int) -> int:
        """Steps of an epoch, of so many samples each."""
        return max(1, len(self.learned) // each)

    def loss_of(self, task: Task, told: list[np.ndarray]) -> float:
        """The loss of those held out, of what a head says of each."""
        total, number = 0.0, 0.0
        for row, position in zip(told, self.held, strict=True):
            target = self.targets[np.array([position])]
            logits = torch.from_numpy(row)[None]
            logits = logits[:, : target.shape[1]] if isinstance(self.targets, Ragged) else logits
            sums, counts = task.loss(logits, target)
            total, number = total + float(sums.sum()), number + float(counts.sum())
        return total / max(1.0, number)

    def rows_there(self, rows: list[np.ndarray], index: Int[np.ndarray, " n"], *, tokenwise: bool) -> Tensor:
        """Rows of samples, or of all tokens that are there, as one table."""
        if not tokenwise:
            return torch.from_numpy(np.stack(rows))
        assert isinstance(self.inputs, TokenSamples)
        lengths = self.inputs.lengths[index]
        return torch.from_numpy(
            np.concatenate([row[:length] for row, length in zip(rows, lengths, strict=True)])
        )


def parted(
    task: Task, answers: list[Any], samples: Samples, *, share: float, random_state: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " m"]]:
    """Positions of the samples to learn from and of those that are held out, of each class its share.

    Copies and members of a group stay on one side. Where classes have too few samples for their share, they are drawn
    without regard to classes.

    Raises:
        ValueError: a part is empty.
    """
    known = np.flatnonzero([answer is not None for answer in answers])
    if not share:
        return known, known[:0]
    strata = task.strata([answers[i] for i in known])
    units = np.unique(units_of(samples)[known], return_inverse=True)[1]
    held = stratified_test(strata, test=share, random_state=random_state, units=units)
    if len(held) < share * len(known) / 2:
        held = stratified_test(np.zeros_like(strata), test=share, random_state=random_state, units=units)
    check_held(share, len(held), len(known))
    return np.delete(known, held), known[held]
