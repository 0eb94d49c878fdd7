"""What all tasks share: answers that were given become targets; what a head says becomes answers, and is scored."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Samples
from replearn.transfer.ragged import Ragged


class Task(ABC):
    """A kind of answer, with what was learned of the answers given (which classes there are, say).

    An answer that is unknown is None.

    Attributes:
        tokenwise: whether each token has an answer.
        main: the score that counts.
    """

    tokenwise: ClassVar[bool] = False
    main: str

    @classmethod
    @abstractmethod
    def learned(cls, answers: list[Any]) -> "Task":
        """The task, of the answers to learn from.

        Raises:
            ValueError: there is nothing to learn from them.
        """

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Numbers that the head gives per sample or token."""

    @abstractmethod
    def targets(self, answers: list[Any], samples: Samples) -> Tensor | Ragged:
        """What the loss compares with, a row per sample."""

    def prior(self, answers: list[Any], samples: Samples) -> Float[Tensor, " c"]:
        """What the head should say while nothing is known of a sample."""
        return torch.zeros(self.outputs)

    @abstractmethod
    def counts(self, targets: Tensor) -> Float[Tensor, " n"]:
        """How many answers of each sample are known."""

    @abstractmethod
    def loss(self, logits: Tensor, targets: Tensor) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
        """The loss summed over each sample's answers, and the number of these."""

    @abstractmethod
    def answers(self, rows: Sequence[np.ndarray], samples: Samples, index: Int[np.ndarray, " n"]) -> Any:
        """Answers of what a head says of each of the samples at `index`."""

    def probabilities(self, rows: Sequence[np.ndarray], samples: Samples) -> Any:
        """Probabilities of classes, of what a head says of each sample.

        Raises:
            ValueError: answers are not classes.
        """
        raise ValueError("predict_proba is of classes and tags; this task has others. Use predict.")

    @abstractmethod
    def scores(self, truth: list[Any], found: Any) -> dict[str, float]:
        """How good answers are; samples whose truth is unknown don't count."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """What `learned` found."""

    def labels_in(self, answer: Any) -> Iterable[Any]:
        """The labels of an answer that is known; none where answers are numbers."""
        return ()

    def strata(self, answers: list[Any]) -> Int[np.ndarray, " n"]:
        """Groups of which a validation part should have its share each; all in one, where there are none."""
        return np.zeros(len(answers), dtype=np.int64)


def log_shares(values: Sequence[Any], found: Iterable[Any]) -> Float[Tensor, " c"]:
    """The logarithm of how often each value is found; one more of each, so that none is impossible.

    >>> log_shares("ab", "aab").exp()
    tensor([0.6000, 0.4000])
    """
    counts = Counter(found)
    seen = torch.tensor([1.0 + counts[value] for value in values])
    return (seen / seen.sum()).log()
