"""One of some classes for each sample."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.special import softmax
from sklearn.metrics import f1_score
from torch import Tensor
from torch.nn.functional import cross_entropy

from replearn.data import Samples
from replearn.transfer.labels import Label, known_values
from replearn.transfer.ragged import Ragged
from replearn.transfer.tasks import Task, log_shares


class Classify(Task):
    """Classes.

    Args:
        values: names or numbers of the classes.
    """

    main = "accuracy"

    def __init__(self, values: Sequence[Label]) -> None:
        self.values = tuple(values)

    @classmethod
    def learned(cls, answers: list[Any]) -> "Classify":
        return cls(known_values(answers))

    @property
    def outputs(self) -> int:
        return len(self.values)

    def targets(self, answers: list[Any], samples: Samples) -> Tensor | Ragged:
        number = {value: i for i, value in enumerate(self.values)}
        return torch.tensor([number.get(answer, -1) for answer in answers])

    def prior(self, answers: list[Any], samples: Samples) -> Float[Tensor, " c"]:
        return log_shares(self.values, answers)

    def counts(self, targets: Tensor) -> Float[Tensor, " n"]:
        return (targets >= 0).float()

    def loss(self, logits: Tensor, targets: Tensor) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
        """Cross-entropy in nats."""
        losses = cross_entropy(logits.float(), targets, ignore_index=-1, reduction="none")
        return losses, self.counts(targets)

    def answers(self, rows: Sequence[np.ndarray], samples: Samples, index: Int[np.ndarray, " n"]) -> Any:
        return np.array(self.values)[np.stack(rows).argmax(1)]

    def probabilities(self, rows: Sequence[np.ndarray], samples: Samples) -> Any:
        return softmax(np.stack(rows), axis=1)

    def scores(self, truth: list[Any], found: Any) -> dict[str, float]:
        """`accuracy`, and `macro_f1`: the mean over the classes in the truth."""
        known = [i for i, label in enumerate(truth) if label is not None]
        right, told = [str(truth[i]) for i in known], [str(found[i]) for i in known]
        accuracy = float(np.mean([a == b for a, b in zip(right, told, strict=True)]))
        classes = sorted(set(right))
        return {
            "accuracy": accuracy,
            "macro_f1": float(f1_score(right, told, labels=classes, average="macro", zero_division=0)),
        }

    def to_json(self) -> dict[str, Any]:
        return {"answers": "classes", "values": list(self.values)}

    def labels_in(self, answer: Any) -> Iterable[Any]:
        return (answer,)

    def strata(self, answers: list[Any]) -> Int[np.ndarray, " n"]:
        number = {value: i for i, value in enumerate(self.values)}
        return np.array([number.get(answer, -1) for answer in answers], dtype=np.int64)
