"""MultiTask: one encoder for several questions, a linear head each.

    batch --view--> x --encoder--> h --+--linear--> logits --cross_entropy(class)--------> loss_1 --+
                                       +--linear--> logits --cross_entropy(class)--------> loss_2 --+--weights--> loss
                                       +--linear--> number --squared error(number)-------> loss_3 --+

Numbers are standardised by mean and deviation of those of `fit`, so their unit weighs nothing. The weights:

    uniform       the sum of the losses
    uncertainty   the likelihood of classes that are scaled, and of numbers that are noisy, by variances exp(s) that
                  are learned, too
    pcgrad        each loss's gradient of the encoder loses its part against that of any other loss
    upgrad, ...   the gradients of the encoder become one by an aggregator of TorchJD

References: Caruana, Machine Learning 28, 1997. https://doi.org/10.1023/A:1007379606734
    Kendall, Gal and Cipolla, CVPR 2018, equations 5 to 10. https://arxiv.org/abs/1705.07115
    Yu et al., NeurIPS 2020, algorithm 1. https://arxiv.org/abs/2001.06782
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.encoders import make_encoder
from replearn.engine.distributed import mean_over_processes
from replearn.methods.labelled.many_answers import ManyAnswers
from replearn.methods.labelled.surgery import AGGREGATORS, PCGRAD, check_combiner, combined
from replearn.objectives import cross_entropy, squared_error
from replearn.views import Split

UNKNOWN = -1
ONE_BATCH = "{} looks for conflicts in one batch (slice_size saves memory, too)"
APART = "{} takes the gradient of each task within the loss"
COMBINED = (PCGRAD, *AGGREGATORS)  # by the gradients of the losses
WEIGHTINGS = ("uniform", "uncertainty", *COMBINED)


@dataclass(kw_only=True, eq=False, repr=False)
class MultiTask(ManyAnswers):
    """Several targets, classes and numbers mixed and some unknown, of one representation.

    `fit(X, y)` takes a pandas frame or a mapping of columns as `y` (see `replearn.data.read_targets`); samples that
    know the factors that they were made from need none.

    Attributes:
        views: of which the first is taken, or the name of a preset; None takes the samples as they are, since a crop or
            a turn may change what is asked for (a position, a count).
        weighting: of the losses: `uniform`, `uncertainty`, `pcgrad`; or, where the package torchjd is installed,
            `upgrad`, `mgda`, `dualproj`, `alignedmtl`, `imtlg` or `config`, aggregators of gradients.
        variance_rate: learning rate of the variances of `uncertainty`, as a multiple of `learning_rate`.
    """

    year: ClassVar[int] = 1997
    paper: ClassVar[str] = "https://doi.org/10.1023/A:1007379606734"
    split: ClassVar[str] = "plain"

    views: Split | str | None = None
    weighting: Literal[
        "uniform", "uncertainty", "pcgrad", "upgrad", "mgda", "dualproj", "alignedmtl", "imtlg", "config"
    ] = "uniform"
    variance_rate: float = 10.0

    def idle(self, samples: Samples) -> Mapping[str, str]:
        without = {"variance_rate": "only weighting='uncertainty' learns variances"}
        unused = {} if self.weighting == "uncertainty" else without
        return unused | (
            {"accumulate": ONE_BATCH.format(self.weighting), "fsdp": APART.format(self.weighting)}
            if self.weighting in COMBINED
            else {}
        )

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        super().check(samples)
        if self.weighting not in WEIGHTINGS:
            raise ValueError(
                f"weighting must be one of {', '.join(WEIGHTINGS)}; got {self.weighting!r}. Leave it out for uniform."
            )
        check_combiner(self.weighting)

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.heads_ = nn.Linear(self.encoder_.dim, sum(target.outputs for target in samples.targets))
        if self.weighting == "uncertainty":
            self.log_variances_ = nn.ParameterList([torch.zeros(len(samples.targets))])

    def terms(self, batch: Batch) -> Mapping[str, Callable[[], Tensor]]:
        losses = cache(lambda: self.weighted(batch))  # by the first, in the pass that processes wait for
        return {name: partial(lambda i: losses()[i], i) for i, name in enumerate(self.loss_names)}

    @property
    def loss_names(self) -> list[str]:
        """What the losses are called in the history: a target may be called as another of its columns is."""
        return [f"{target.name}_loss" for target in self.samples_.targets]

    def loss_count(self, batch: Batch) -> dict[str, float]:
        counts = self._known[batch.index.cpu()].sum(0).tolist()  # (t,)
        return dict(zip(self.loss_names, map(float, counts), strict=True))

    def weighted(self, batch: Batch) -> list[Float[Tensor, ""]]:
        """The losses as they are added up."""
        orders = torch.rand(2 * (len(self.samples_.targets),))  # before networks draw: alike on all processes
        h = gather(self.encoder_(self.views_(batch)[0]))  # (m, d)
        truth = self.truth(batch)
        losses = self.losses(h, truth)
        if self.weighting == "uncertainty":
            return self.by_uncertainty(losses, truth)
        return self.by_surgery(losses, h, truth, orders) if self.weighting in COMBINED else losses

    def losses(self, h: Float[Tensor, "m d"], truth: Float[Tensor, "m t"]) -> list[Float[Tensor, ""]]:
        """The loss of each target, a mean over the samples of which it is known."""
        found = []
        for target, out, column in zip(
            self.samples_.targets, self.each(self.heads_(h)), truth.unbind(1), strict=True
        ):
            if target.classes is None:
                known = ~column.isnan()[:, None]  # (m, 1)
                error = squared_error(out * known, column.nan_to_num()[:, None] * known)  # a mean over all
                found.append(error * len(known) / known.sum().clamp(min=1))
            else:
                found.append(cross_entropy(out, column.nan_to_num(nan=UNKNOWN).long()))
        return found

    def by_uncertainty(
        self, losses: list[Float[Tensor, ""]], truth: Float[Tensor, "m t"]
    ) -> list[Float[Tensor, ""]]:
        """`exp(-s) L + s / 2` of classes, `exp(-s) L / 2 + s / 2` of numbers, where any are known; s = ln sigma^2."""
        known = ~truth.isnan().all(0)
        halves = [0.5 if target.classes is None else 1.0 for target in self.samples_.targets]
        parts = zip(losses, self.log_variances_[0], halves, known, strict=True)
        return [(-s).exp() * half * loss + s / 2 * there for loss, s, half, there in parts]

    def by_surgery(
        self,
        losses: list[Float[Tensor, ""]],
        h: Float[Tensor, "m d"],
        truth: Float[Tensor, "m t"],
        orders: Float[Tensor, "t t"],
    ) -> list[Float[Tensor, ""]]:
        """The same losses; their gradient of the heads is their own, that of the encoder is of all together."""
        shared = [p for p in self.encoder_.parameters() if p.requires_grad]
        if not shared:
            return losses
        with torch.autocast(h.device.type, enabled=False):
            found = [
                torch.autograd.grad(loss, shared, retain_graph=True, materialize_grads=True)
                for loss in losses
            ]
        whole = torch.stack([torch.cat([part.flatten() for part in parts]) for parts in found])  # (t, p)
        together = combined(self.weighting, mean_over_processes(whole), orders)
        weights = torch.cat([p.flatten() for p in shared])
        own = self.losses(h.detach(), truth)
        carried = ((weights - weights.detach()) * together).sum()  # 0, and of the gradient that is wanted
        return [own[0] + carried, *own[1:]]

    def rates(self) -> dict[str, float]:
        return {"log_variances_": self.variance_rate} if self.weighting == "uncertainty" else {}

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """What each loss is multiplied by, where that is learned."""
        if self.weighting != "uncertainty":
            return {}
        weights = (-self.log_variances_[0]).exp()
        return {f"{one.name}_weight": w for one, w in zip(self.samples_.targets, weights, strict=True)}
