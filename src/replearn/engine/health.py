"""Is training going well? Checks during training that name the likely cause of trouble and a remedy.

Three troubles, each with a number that shows it:

- the loss is not finite;
- embeddings collapse: all samples get (nearly) one vector. `spread`, the mean standard deviation per dimension of
  normalised embeddings times sqrt(d), is 1 for vectors spread over the sphere and 0 at collapse (Chen & He, SimSiam,
  CVPR 2021, fig. 2); the effective rank is the number of directions in use (RankMe, Garrido et al., ICML 2023);
- the loss stays at the value of a model that tells nothing apart (ln of the number of candidates, for contrast).
"""

import math
from collections import deque
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

COLLAPSED_SPREAD = 0.05
STUCK_SHARE = 0.005
STUCK_STEPS = 100


class NotFinite(RuntimeError):
    """The loss became NaN or infinite; training can't go on."""


@dataclass(frozen=True)
class Alarm:
    """A trouble that was noticed.

    Attributes:
        step: when.
        trouble: what was seen, with its number.
        remedy: the likely cause and what to try.
    """

    step: int
    trouble: str
    remedy: str

    def __str__(self) -> str:
        return f"step {self.step}: {self.trouble}. {self.remedy}"


def effective_rank(h: Float[Tensor, "n d"]) -> float:
    """exp of the entropy of normalised singular values (RankMe, eq. 1): from 1 (one direction) to min(n, d).

    >>> round(effective_rank(torch.eye(4)), 6)
    4.0
    """
    values = torch.linalg.svdvals(h.double())
    share = values / values.sum().clamp_min(torch.finfo(values.dtype).tiny)
    return float(torch.special.entr(share).sum().exp())


def spread(h: Float[Tensor, "n d"]) -> float:
    """Mean standard deviation per dimension of normalised rows, times sqrt(d): about 1 when healthy, 0 at collapse."""
    unit = torch.nn.functional.normalize(h.double(), dim=1)
    return float(unit.std(0, unbiased=False).mean() * math.sqrt(h.shape[1]))


@dataclass
class Watch:
    """Follows one training; each trouble is told once.

    Attributes:
        loss_at_collapse: the loss of a model that tells nothing apart, or None where it says nothing.
        alarms: what was noticed so far.
    """

    loss_at_collapse: float | None = None
    alarms: list[Alarm] = field(default_factory=list)
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=STUCK_STEPS))

    def see_loss(self, step: int, loss: float, learning_rate: float) -> Alarm | None:
        """Check the loss of a step.

        Raises:
            NotFinite: the loss is NaN or infinite.
        """
        if not math.isfinite(loss):
            raise NotFinite(
                f"the loss must be finite; got {loss} at step {step} with learning rate {learning_rate:.2g}. "
                "Try a learning rate ten times smaller, a longer warm-up, or precision='32-true'."
            )
        self._recent.append(loss)
        target = self.loss_at_collapse
        if target is None or len(self._recent) < STUCK_STEPS:
            return None
        if max(abs(value - target) for value in self._recent) > STUCK_SHARE * target:
            return None
        return self._tell(
            step,
            f"the loss stays at {target:.3f}, the value of embeddings that tell nothing apart",
            "Try a smaller learning rate, a higher temperature, or milder views.",
        )

    def see_embeddings(self, step: int, spread_of_h: float, learning_rate: float) -> Alarm | None:
        """Check the spread of the representation of some samples."""
        if spread_of_h > COLLAPSED_SPREAD:
            return None
        return self._tell(
            step,
            f"embeddings have collapsed: nearly one vector for all samples (spread {spread_of_h:.3f})",
            f"Try a smaller learning rate (now {learning_rate:.2g}); check that samples differ and the views are not blank.",
        )

    def _tell(self, step: int, trouble: str, remedy: str) -> Alarm | None:
        kind = trouble[:16]
        if any(alarm.trouble.startswith(kind) for alarm in self.alarms):
            return None
        self.alarms.append(Alarm(step, trouble, remedy))
        return self.alarms[-1]
