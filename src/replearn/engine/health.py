"""Is training going well? Checks during training that name the likely cause of trouble and a remedy.

Three troubles, each with a number that shows it:

- the loss is not finite;
- embeddings collapse: all samples get (nearly) one vector. `spread`, the mean deviation per dimension of
  normalised embeddings times sqrt(d), is 1 for vectors spread over the sphere and 0 at collapse (Chen & He,
  SimSiam, CVPR 2021, fig. 2); the effective rank is the number of directions in use (RankMe, Garrido et al.,
  ICML 2023);
- the loss stays at the value of a model that tells nothing apart (ln of the number of candidates, for
  contrast).
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

COLLAPSED_SPREAD = 0.05
STUCK_SHARE = 0.005
STUCK_STEPS = 100
NOT_FINITE = "not finite"


class NotFinite(RuntimeError):
    """The loss became NaN or infinite; training can't go on."""


@dataclass(frozen=True)
class Alarm:
    """A trouble that was noticed.

    Attributes:
        step: when.
        kind: `not finite`, `collapsed` or `stuck`.
        trouble: what was seen, with its number.
        remedy: the likely cause and what to try.
    """

    step: int
    kind: str
    trouble: str
    remedy: str

    def __str__(self) -> str:
        return f"step {self.step}: {self.trouble}. {self.remedy}"


@dataclass(frozen=True)
class Health:
    """How the representation of some samples looks.

    Attributes:
        effective_rank: directions in use.
        spread: about 1 when healthy, 0 at collapse.
    """

    effective_rank: float
    spread: float


def examine(h: Float[Tensor, "n d"]) -> Health:
    """The health of representations; NaN where any of them is not finite."""
    if not bool(h.isfinite().all()):
        return Health(math.nan, math.nan)
    return Health(effective_rank(h), spread(h))


def effective_rank(h: Float[Tensor, "n d"]) -> float:
    """exp of the entropy of normalised singular values (RankMe, eq. 1): from 1 (one direction) to min(n, d).

    >>> round(effective_rank(torch.eye(4)), 6)
    4.0
    """
    values = torch.linalg.svdvals(h.double())
    share = values / values.sum().clamp_min(torch.finfo(values.dtype).tiny)
    return float(torch.special.entr(share).sum().exp())


def spread(h: Float[Tensor, "n d"]) -> float:
    """Mean deviation per dimension of normalised rows, times sqrt(d): about 1 when healthy, 0 at collapse.

    >>> spread(torch.ones(4, 3))
    0.0
    """
    unit = torch.nn.functional.normalize(h.double(), dim=1)
    return float(unit.std(0, unbiased=False).mean() * math.sqrt(h.shape[1]))


class Watch:
    """Follows one training; each kind of trouble is told once.

    Args:
        loss_at_collapse: the loss of a model that tells nothing apart, or None where it says nothing.

    Attributes:
        alarms: what was noticed so far.
    """

    def __init__(self, loss_at_collapse: float | None = None) -> None:
        self.loss_at_collapse = loss_at_collapse
        self.alarms: list[Alarm] = []
        self._near = 0  # steps in a row whose loss was that of collapse

    def see_loss(self, step: int, loss: float, learning_rate: float) -> Alarm | None:
        """Check the loss of a step; the alarm that it raises, if it is new."""
        if not math.isfinite(loss):
            return self._not_finite(step, f"the loss must be finite; got {loss}", learning_rate)
        target = self.loss_at_collapse
        if target is None:
            return None
        self._near = self._near + 1 if abs(loss - target) <= STUCK_SHARE * target else 0
        if self._near < STUCK_STEPS:
            return None
        trouble = f"the loss stays at {target:.3f}, the value of embeddings that tell nothing apart"
        return self._tell(
            step, "stuck", trouble, "Try a lower temperature, milder views, or another learning rate."
        )

    def see_health(self, step: int, health: Health, learning_rate: float) -> Alarm | None:
        """Check the representation of some samples; the alarm that it raises, if it is new."""
        if not math.isfinite(health.spread):
            return self._not_finite(
                step, "representations must be finite; got NaN or infinity", learning_rate
            )
        if health.spread > COLLAPSED_SPREAD:
            return None
        trouble = f"representations have collapsed: nearly one for all samples (spread {health.spread:.3f})"
        remedy = (
            f"Is a learning rate of {learning_rate:.2g} too large? Do samples differ, are views not blank?"
        )
        return self._tell(step, "collapsed", trouble, remedy)

    def state(self) -> dict[str, Any]:
        """What `Watch` needs to go on."""
        return {"near": self._near, "alarms": [asdict(alarm) for alarm in self.alarms]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state()` gave."""
        self._near = state["near"]
        self.alarms = [Alarm(**alarm) for alarm in state["alarms"]]

    def _not_finite(self, step: int, trouble: str, learning_rate: float) -> Alarm | None:
        remedy = (
            f"The learning rate was {learning_rate:.2g}: try one ten times smaller, a longer warm-up, "
            "or precision='32-true'."
        )
        return self._tell(step, NOT_FINITE, trouble, remedy)

    def _tell(self, step: int, kind: str, trouble: str, remedy: str) -> Alarm | None:
        if any(alarm.kind == kind for alarm in self.alarms):
            return None
        self.alarms.append(Alarm(step, kind, trouble, remedy))
        return self.alarms[-1]
