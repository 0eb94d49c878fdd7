"""A number, or several, for each sample."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Samples
from replearn.evaluate.pairs import correlations
from replearn.transfer.labels import as_list
from replearn.transfer.ragged import Ragged
from replearn.transfer.tasks import Task


class Regress(Task):
    """Numbers; the head gives them in units of the deviation of those to learn from, around their mean.

    Args:
        mean, deviation: one number for each number asked for.
        flat: whether one number is asked for, so that answers have one axis.
    """

    main = "r2"

    def __init__(self, mean: Sequence[float], deviation: Sequence[float], *, flat: bool) -> None:
        self.mean = np.array(mean)
        self.deviation = np.array(deviation)
        self.flat = flat

    @classmethod
    def learned(cls, answers: list[Any]) -> "Regress":
        known = [answer for answer in answers if answer is not None]
        if len(known) < 2 or np.ptp(np.array(known), axis=0).max(initial=0) == 0:
            raise ValueError(
                f"y must hold at least 2 numbers that differ; got {len(set(map(str, known)))}. Give more samples."
            )
        rows = np.array(known, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # told below
            spread = rows.std(axis=0)
        deviation = np.where(spread > 0, spread, 1.0)
        if not np.isfinite(deviation).all():
            raise ValueError(
                "y must hold numbers whose squares are finite; some are too large. Rescale them."
            )
        mean, scale = np.atleast_1d(rows.mean(axis=0)).tolist(), np.atleast_1d(deviation).tolist()
        return cls(mean, scale, flat=rows.ndim == 1)

    @property
    def outputs(self) -> int:
        return len(self.mean)

    def targets(self, answers: list[Any], samples: Samples) -> Tensor | Ragged:
        rows = [
            np.full(self.outputs, np.nan) if answer is None else np.atleast_1d(answer) for answer in answers
        ]
        if {len(row) for row in rows} != {self.outputs}:
            raise ValueError(
                f"y must hold {self.outputs} numbers per sample, as in fit; it does not. Check its shape."
            )
        return torch.from_numpy((np.stack(rows) - self.mean) / self.deviation).float()  # (n, c)

    def counts(self, targets: Tensor) -> Float[Tensor, " n"]:
        return (~targets.isnan().any(1)).float()

    def loss(self, logits: Tensor, targets: Tensor) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
        """Squared error in units of the variance."""
        known = self.counts(targets)
        return (logits.float() - targets.nan_to_num(0.0)).square().mean(1) * known, known

    def answers(self, rows: Sequence[np.ndarray], samples: Samples, index: Int[np.ndarray, " n"]) -> Any:
        numbers = np.stack(rows) * self.deviation + self.mean  # (n, c)
        return numbers[:, 0] if self.flat else numbers

    def scores(self, truth: list[Any], found: Any) -> dict[str, float]:
        """`r2` (share of the variance explained), `pearson`, `spearman` (means over columns).

        Correlations of numbers that are all alike are NaN.
        """
        known = [i for i, answer in enumerate(truth) if answer is not None]
        right = np.array([np.atleast_1d(truth[i]) for i in known], dtype=np.float64)  # (n, c)
        told = np.array([np.atleast_1d(found[i]) for i in known], dtype=np.float64)
        error, variance = (right - told) ** 2, (right - right.mean(0)) ** 2
        r2 = 1 - error.sum(0) / np.maximum(variance.sum(0), np.finfo(np.float64).tiny)
        if (np.ptp(right, axis=0) == 0).any() or (np.ptp(told, axis=0) == 0).any():
            return {"r2": float(r2.mean()), "pearson": math.nan, "spearman": math.nan}
        both = [correlations(told[:, c], right[:, c]) for c in range(right.shape[1])]
        means = {name: float(np.mean([pair[name] for pair in both])) for name in ("pearson", "spearman")}
        return {"r2": float(r2.mean())} | means

    def to_json(self) -> dict[str, Any]:
        numbers = {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}
        return {"answers": "numbers"} | numbers | {"flat": self.flat}


def plain_numbers(y: Any, n: int) -> list[float | list[float] | None]:
    """Numbers, or rows of them; None where unknown (None or NaN).

    Raises:
        ValueError: another number of rows, or what is no finite number.
    """
    rows = as_list(y)
    if len(rows) != n:
        raise ValueError(f"y must hold one number per sample; got {len(rows):,} for {n:,} samples.")
    return [_plain(row) for row in rows]


def _plain(row: Any) -> float | list[float] | None:
    row = row.tolist() if hasattr(row, "tolist") else row
    if row is None:
        return None
    several = isinstance(row, list | tuple)
    try:
        numbers = [float(number) for number in (row if several else [row])]
    except (TypeError, ValueError) as error:
        raise ValueError(f"y must hold numbers; got {row!r:.60}. For names use task='classify'.") from error
    if any(np.isnan(number) for number in numbers):
        return None
    if not np.isfinite(numbers).all():
        raise ValueError(f"y must hold finite numbers; got {row!r:.60}. Leave such samples out.")
    return numbers if several else numbers[0]
