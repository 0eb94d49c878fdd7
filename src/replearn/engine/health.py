"""Is training going well? Checks during training that name the likely cause of trouble and a remedy.

Troubles, each with a number that shows it:

- the loss is not finite;
- representations or embeddings collapse: all samples get (nearly) one vector. `spread`, the mean deviation per
  dimension of normalised rows times sqrt(d), is 1 for vectors spread over the sphere and 0 at collapse (Chen & He,
  SimSiam, CVPR 2021, fig. 2); the effective rank is the number of directions in use (RankMe, Garrido et al.,
  ICML 2023);
- the loss stays at the value of a model that tells nothing apart (ln of the number of candidates, for
  contrast);
- weights grow many times over in few steps: the learning rate is too large;
- a softmax looks at (nearly) one candidate from the start: the temperature is too small;
- (nearly) all samples are assigned to one prototype;
- a number that the method measures itself is not what it must be (`replearn.engine.symptoms`);
- the views of a sample are one and the same.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.engine.symptoms import SYMPTOMS

COLLAPSED_SPREAD = 0.05
SETTLED = 20  # steps after which the running statistics of batch normalisation can be trusted
STUCK_SHARE = 0.005
STUCK_STEPS = 100
EARLY = 200  # steps in which weights should not have grown much, nor a softmax have made up its mind
GROWN = 4.0
FEWEST = 1.5  # candidates or prototypes
LOOKS = 3  # in a row at which a symptom shows before it is told
NOT_FINITE = "not finite"
# Of a training that is stuck, by the field that they turn at.
WAYS_OUT = {
    "temperature": "a lower temperature",
    "views": "milder views",
    "learning_rate": "another learning rate",
}


class NotFinite(RuntimeError):
    """The loss became NaN or infinite; training can't go on."""


@dataclass(frozen=True)
class Alarm:
    """A trouble that was noticed.

    Attributes:
        step: when.
        kind: `not finite`, `collapsed`, `stuck`, `learning rate`, `temperature`, `prototypes`, `views`, or that of one
            of `replearn.engine.symptoms`.
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
    """How some samples look to the networks.

    Attributes:
        effective_rank: directions in use by the representation h.
        spread: of h; about 1 when healthy, 0 at collapse.
        embedding_rank, embedding_spread: of the embedding z, where the method has one.
        candidates: how many other samples (or prototypes) the softmax of one looks at, exp of its entropy.
        prototypes: how many of them are in use, exp of the entropy of their mean share.
        growth: size of the weights over that at the beginning.
        measures: what the method measures itself, by name.
        same_views: whether all views of each sample are one and the same.
    """

    effective_rank: float
    spread: float
    embedding_rank: float | None = None
    embedding_spread: float | None = None
    candidates: float | None = None
    prototypes: float | None = None
    growth: float | None = None
    measures: dict[str, float] = field(default_factory=dict)
    same_views: bool = False

    def numbers(self) -> dict[str, float]:
        """What a history records."""
        found = asdict(self)
        del found["same_views"], found["measures"]
        return {name: value for name, value in found.items() if value is not None} | self.measures


def examine(
    h: Float[Tensor, "n d"],
    *,
    z: Float[Tensor, "n e"] | None = None,
    temperature: float | None = None,
    shares: Float[Tensor, "n k"] | None = None,
    growth: float | None = None,
    measures: Mapping[str, float] | None = None,
    same_views: bool = False,
) -> Health:
    """The health of representations; NaN where any of them is not finite.

    Args:
        h: representations.
        z: their embeddings.
        temperature: of a softmax over similarities of embeddings.
        shares: each sample's probabilities of prototypes.
        growth, measures, same_views: see `Health`.
    """
    parts = [part for part in (h, z, shares) if part is not None]
    if not all(bool(part.isfinite().all()) for part in parts):
        return Health(math.nan, math.nan)
    candidates = None
    if shares is not None:
        candidates = float(_entropy(shares.double()).mean().exp())
    elif z is not None and temperature is not None:
        candidates = attended(z, temperature)
    return Health(
        effective_rank(h),
        spread(h),
        embedding_rank=None if z is None else effective_rank(z - z.mean(0)),
        embedding_spread=None if z is None else spread(z),
        candidates=candidates,
        prototypes=None if shares is None else float(_entropy(shares.double().mean(0)).exp()),
        growth=growth,
        measures=dict(measures or {}),
        same_views=same_views,
    )


def attended(z: Float[Tensor, "n d"], temperature: float) -> float:
    """How many others the softmax over a row's similarities looks at: exp of its mean entropy.

    What all rows have in common is taken off first: it says nothing, and at the start of a training it is most.

    >>> round(attended(torch.ones(5, 3), 0.1), 6)
    4.0
    """
    unit = torch.nn.functional.normalize((z - z.mean(0)).double(), dim=1)
    similarity = (unit @ unit.T / temperature).fill_diagonal_(-torch.inf)
    return float(_entropy(similarity.softmax(1)).mean().exp())


def _entropy(shares: Float[Tensor, "*n k"]) -> Float[Tensor, " *n"]:
    entropy: Tensor = torch.special.entr(shares).sum(-1)
    return entropy


def effective_rank(h: Float[Tensor, "n d"]) -> float:
    """exp of the entropy of normalised singular values (RankMe, eq. 1): from 1 (one direction) to min(n, d).

    >>> round(effective_rank(torch.eye(4)), 6)
    4.0
    """
    return number_in_use(torch.linalg.svdvals(h.double()))


def number_in_use(values: Float[Tensor, " k"]) -> float:
    """exp of the entropy of shares in a sum of numbers that are not negative: k of equal ones, 1 of one alone."""
    share = values / values.sum().clamp_min(torch.finfo(values.dtype).tiny)
    return float(_entropy(share).exp())


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
        why_collapse: what a collapse may be due to in the method that learns; None: it is no trouble there.
        has: whether the method has a field of this name, so that a remedy names no other.

    Attributes:
        alarms: what was noticed so far.
    """

    def __init__(
        self,
        loss_at_collapse: float | None = None,
        why_collapse: str | None = "",
        has: Callable[[str], bool] = lambda name: True,
    ) -> None:
        self.loss_at_collapse = loss_at_collapse
        self.why_collapse = why_collapse
        self.has = has
        self.alarms: list[Alarm] = []
        self._near = 0  # steps in a row whose loss was that of collapse
        self._symptoms: dict[str, int] = {}  # looks in a row at which a symptom of trouble showed

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
        ways = (way for name, way in WAYS_OUT.items() if self.has(name))
        return self._tell(step, "stuck", trouble, f"Try {', or '.join(ways)}.")

    def see_health(self, step: int, health: Health, learning_rate: float) -> list[Alarm]:
        """Check how some samples look; the new alarms that this raises."""
        if not math.isfinite(health.spread):
            trouble = "representations must be finite; got NaN or infinity"
            alarm = self._not_finite(step, trouble, learning_rate)
            return [alarm] if alarm else []
        found = (
            self._views(step, health),
            self._temperature(step, health),
            self._prototypes(step, health),
            self._growth(step, health, learning_rate),
            self._collapse(step, health, learning_rate),
            *(self._symptom(step, name, value) for name, value in health.measures.items()),
        )
        return [alarm for alarm in found if alarm]

    def _symptom(self, step: int, name: str, value: float) -> Alarm | None:
        symptom = SYMPTOMS.get(name)
        if symptom is None:
            return None
        seen = self._symptoms[name] = self._symptoms.get(name, 0) + 1 if symptom.shows(step, value) else 0
        if seen < LOOKS:
            return None
        return self._tell(step, symptom.kind, symptom.trouble.format(value), symptom.remedy)

    def _views(self, step: int, health: Health) -> Alarm | None:
        if not health.same_views:
            return None
        trouble = "the views of every sample are identical, so there is nothing to learn from them"
        remedy = "Give views that differ, Pair(Chain(Crop(0.2, 1), ...)) say."
        return self._tell(step, "views", trouble, remedy)

    def _temperature(self, step: int, health: Health) -> Alarm | None:
        if health.candidates is None or step > EARLY or health.candidates >= FEWEST:
            return None
        if health.prototypes is not None and health.prototypes < FEWEST:
            return None  # one prototype in use is another trouble
        trouble = f"the softmax looks at {health.candidates:.2f} candidates only"
        return self._tell(step, "temperature", trouble, "The temperature is too small: try 0.1 or more.")

    def _prototypes(self, step: int, health: Health) -> Alarm | None:
        if health.prototypes is None or health.prototypes >= FEWEST:
            return None
        trouble = f"all samples go to {health.prototypes:.2f} prototypes"
        remedy = (
            "Are there several, and is what balances them on (centring, Sinkhorn)? Try a higher temperature."
        )
        return self._tell(step, "prototypes", trouble, remedy)

    def _growth(self, step: int, health: Health, learning_rate: float) -> Alarm | None:
        if health.growth is None or step > EARLY or health.growth < GROWN:
            return None
        trouble = f"the weights grew {health.growth:.0f}-fold in {step} steps"
        remedy = f"A learning rate of {learning_rate:.2g} is too large: try one 10 to 100 times smaller."
        return self._tell(step, "learning rate", trouble, remedy)

    def _collapse(self, step: int, health: Health, learning_rate: float) -> Alarm | None:
        if step < SETTLED or self.why_collapse is None:
            return None
        for what, value in (("representations", health.spread), ("embeddings", health.embedding_spread)):
            if value is not None and value <= COLLAPSED_SPREAD:
                trouble = f"{what} have collapsed: nearly one for all samples (spread {value:.3f})"
                remedy = (
                    f"{self.why_collapse} Is a learning rate of {learning_rate:.2g} too large? "
                    f"Do samples differ{', are views not blank' if self.has('views') else ''}?"
                )
                return self._tell(step, "collapsed", trouble, remedy.strip())
        return None

    def state(self) -> dict[str, Any]:
        """What `Watch` needs to go on."""
        return {
            "near": self._near,
            "signs": self._symptoms,
            "alarms": [asdict(alarm) for alarm in self.alarms],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state()` gave."""
        self._near, self._symptoms = state["near"], dict(state["signs"])
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
