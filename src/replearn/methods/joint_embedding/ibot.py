"""IBOT: a student tells of hidden patches what its teacher says of them in sight, and of each crop what DINO asks.

    large crop --teacher--> states --head, centre--> targets of the mean, and of each patch
    the same, patches hidden --encoder--> states --head--> scores of these --soft_cross_entropy(own targets)--> loss
    each crop ---------------encoder--> mean --head--> scores --soft_cross_entropy(targets of other crops)--> loss

Both losses have one head, and centres of their own. The mean of a crop's states stands where the paper has a class
token. Patches are hidden at random, as many of each crop. The teacher is a moving average of the student, and h is its.

References: Zhou et al., ICLR 2022, section 3. https://arxiv.org/abs/2111.07832
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.encoders.kinds import NETWORKS
from replearn.encoders.patching import chosen
from replearn.methods.joint_embedding.dino import DINO
from replearn.methods.masked.patches import check_patches, check_share
from replearn.methods.state.centre import Centre
from replearn.objectives import soft_cross_entropy
from replearn.views.blocks import hide


@dataclass(kw_only=True, eq=False, repr=False)
class IBOT(DINO):
    """Image BERT pre-training with an online tokenizer.

    Attributes:
        encoder: `vit`, a vision transformer of timm by its name, or a module of patches.
        share: of the patches of a large crop that are hidden from the student.
    """

    year: ClassVar[int] = 2022
    paper: ClassVar[str] = "https://arxiv.org/abs/2111.07832"
    needs: ClassVar[tuple[str, ...]] = ("encoder", "patches")
    why_collapse: ClassVar[str | None] = None  # patches' places are most of a pooled state

    encoder: str | nn.Module = "vit"
    share: float = 0.3
    learning_rate: float = 1e-3

    def check(self, samples: Samples) -> None:
        super().check(samples)
        check_share(self.share)

    def build(self, samples: Description) -> None:
        super().build(samples)
        content = NETWORKS[samples.kind].content(samples, 1, self.encoder_.mean.device)
        check_patches(self.encoder_.patches(content).shape[1], samples)
        self.token_ = HiddenToken(self.encoder_.dim)
        self.patch_centre_ = Centre(
            self.prototypes, first=self.first_temperature, last=self.teacher_temperature
        )

    def terms(self, batch: Batch) -> Sequence[Callable[[], Tensor]]:
        views = self.views_(batch)
        large = self.views_.wholes(views)
        shown = [self.shown(view) for view in large]  # (n, p, d) each
        targets = torch.stack([self.centre_(gather(self.teacher_.chain[1](s.mean(1)))) for s in shown])
        targets /= len(large) * (len(views) - 1)  # the loss is a mean over pairs, and linear in targets
        others = [targets.sum(0) - own for own in targets]  # (n, k) each
        places = [
            hide(view, states.shape[1], self.share)[1] for view, states in zip(large, shown, strict=True)
        ]
        hidden = zip(large, places, others, self.patch_targets(shown, places), strict=True)
        return [  # the last one reaches all that is learned: in it, processes wait for each other
            *(partial(self.term, view, targets.sum(0)) for view in views[len(large) :]),
            *(partial(self.hidden_term, *of_crop) for of_crop in hidden),
        ]

    @torch.no_grad()
    def shown(self, view: Batch) -> Float[Tensor, "n p d"]:
        """The teacher's states of all patches, none hidden."""
        encoder: Any = self.teacher_.chain[0]
        return encoder.read(view, "states")  # type: ignore[no-any-return]

    @torch.no_grad()
    def patch_targets(
        self, shown: Sequence[Float[Tensor, "n p d"]], places: Sequence[Int[Tensor, "n m"]]
    ) -> list[Float[Tensor, "o k"]]:
        """What the teacher says of patches that are hidden, over the number of crops: `o` of all samples."""
        pairs = zip(shown, places, strict=True)
        told = [gather(self.teacher_.chain[1](chosen(*pair).flatten(0, 1))) for pair in pairs]  # (o, k) each
        return [self.patch_centre_(scores) / len(shown) for scores in told]

    def hidden_term(
        self,
        view: Batch,
        places: Int[Tensor, "n m"],
        others: Float[Tensor, "n k"],
        own: Float[Tensor, "o k"],
    ) -> Float[Tensor, ""]:
        """The part of the loss in which the student sees a large crop with patches hidden."""
        states = self.hidden_states(view, places)  # (n, p, d)
        whole = gather(self.head_(states.mean(1)))
        told = gather(self.head_(chosen(states, places).flatten(0, 1)))  # (o, k)
        pairs = ((whole, others), (told, own))
        return sum(
            (soft_cross_entropy(*pair, temperature=self.temperature) for pair in pairs), whole.new_zeros(())
        )

    def hidden_states(self, view: Batch, places: Int[Tensor, "n m"]) -> Float[Tensor, "n p d"]:
        """The student's states, a learned token in place of the patches at `places`."""
        nothing = torch.zeros(
            len(view), prod(self.encoder_.grid(view)), dtype=torch.bool, device=places.device
        )
        hidden = nothing.scatter(1, places, True)
        return self.encoder_.read(view, "states", hidden=hidden, token=self.token_.value)  # type: ignore[no-any-return]

    def after_step(self, progress: float) -> None:
        super().after_step(progress)
        self.patch_centre_.follow(momentum=self.centre_momentum, warm=progress / max(self.sharpening, 1e-9))

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        return self.shown(batch).mean(1)

    def loss_at_collapse(self) -> float:
        return 2 * super().loss_at_collapse()


class HiddenToken(nn.Module):
    """What stands for a hidden patch: numbers like those of an embedded one, learned.

    Args:
        dim: numbers per state.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.value = nn.Parameter(0.02 * torch.randn(dim))
