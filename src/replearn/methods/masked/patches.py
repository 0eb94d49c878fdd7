"""`MaskedPatches` and `PatchPrediction`: what methods share that hide patches of a sample, and that tell them."""

from dataclasses import dataclass, field
from math import prod
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders import make_encoder
from replearn.encoders.kinds import NETWORKS
from replearn.encoders.patching import chosen
from replearn.methods.by_layer import ByLayer
from replearn.methods.exhibit import Exhibit
from replearn.objectives.patches import denormalised, normalised, patch_errors
from replearn.views import Split
from replearn.views.blocks import Places, hide


@dataclass(kw_only=True, eq=False, repr=False)
class MaskedPatches(ByLayer):
    """A method whose encoder has patches, of which some are hidden.

    Attributes:
        encoder: `vit`, a vision transformer of timm by its name, or a module of patches.
        views: of the sample, one split with one view, or the name of a preset; None takes a large part of it.
    """

    family: ClassVar[str] = "masked"
    why_collapse: ClassVar[str | None] = (
        None  # what patches have in common, their places, is most of a pooled state
    )
    needs: ClassVar[tuple[str, ...]] = ("encoder", "patches")
    split: ClassVar[str] = "cut"

    encoder: str | nn.Module = "vit"
    views: Split | str | None = None
    layer: int | Literal["all"] = field(default="all", metadata={"before": -1})

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        content = NETWORKS[samples.kind].content(samples, 1, self.encoder_.mean.device)
        number, self.numbers_ = self.encoder_.patches(content).shape[1:]  # of patches, and of numbers in one
        check_patches(number, samples)

    def view(self, batch: Batch) -> Batch:
        """The samples as they are seen in training, before patches are hidden."""
        return self.views_(batch)[0]  # type: ignore[no-any-return]


def check_patches(number: int, samples: Description) -> None:
    """Raises ValueError where nothing is left to tell a hidden patch by."""
    if number < 2:
        raise ValueError(
            f"samples must have at least two patches, since hidden ones are told by the others; those of shape "
            f"{samples.shape} have {number}. Give larger samples, or choose another method."
        )


@dataclass(kw_only=True, eq=False, repr=False)
class PatchPrediction(MaskedPatches):
    """A method that tells the numbers of hidden patches.

    Attributes:
        share: of the patches that are hidden.
        normalise: whether a hidden patch is predicted with its own mean taken off, divided by its own deviation.
    """

    share: float = 0.75
    normalise: bool = True

    def check(self, samples: Samples) -> None:
        super().check(samples)
        check_share(self.share)

    def hide(self, batch: Batch) -> Places:
        """The places of patches that are seen, and of those that are hidden."""
        return hide(batch, prod(self.encoder_.grid(batch)), self.share)

    def target(self, patches: Float[Tensor, "n m v"]) -> Float[Tensor, "n m v"]:
        """What is predicted of patches."""
        return normalised(patches, sets=self.encoder_.sets) if self.normalise else patches

    def predict(
        self, batch: Batch, keep: Int[Tensor, "n k"], hidden: Int[Tensor, "n m"]
    ) -> Float[Tensor, "n m v"]:
        """What is said of the hidden patches, where those to keep are seen."""
        raise NotImplementedError

    def reconstruct(
        self, batch: Batch, keep: Int[Tensor, "n k"], hidden: Int[Tensor, "n m"]
    ) -> tuple[Tensor, Tensor]:
        """The samples without their hidden patches, which are as the mean, and with the predicted ones in their place.

        A normalised patch gets back its own mean and deviation, which no prediction knows (as in the figures of MAE).
        """
        patches = self.encoder_.patches(batch)  # (n, p, v)
        told = self.predict(batch, keep, hidden).to(patches.dtype)
        if self.normalise:
            told = denormalised(told, chosen(patches, hidden), sets=self.encoder_.sets)
        places = hidden[:, :, None].expand_as(told)
        seen, filled = (patches.scatter(1, places, rows) for rows in (torch.zeros_like(told), told))
        return self.encoder_.assemble(seen, batch), self.encoder_.assemble(filled, batch)

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """The error of hidden patches, squared, of that of means: 1 where nothing else is known of a patch.

        The mean is a patch's own, if normalised, else that of all samples.
        """
        keep, hidden = self.hide(batch)
        target = self.target(chosen(self.encoder_.patches(batch), hidden))
        told = self.predict(batch, keep, hidden)
        error, of_means = (
            patch_errors(one, target, sets=self.encoder_.sets).mean()
            for one in (told, torch.zeros_like(target))
        )
        return {"masked_error": error / of_means.clamp_min(1e-9)}

    def exhibit(self, batch: Batch) -> Exhibit:
        """The samples with patches hidden, with what the network says of these, and as they are."""
        seen, filled = self.reconstruct(batch, *self.hide(batch))
        own = "; each predicted patch has the true one's mean and deviation" if self.normalise else ""
        return Exhibit(
            "What is behind the patches?",
            f"Test samples with {self.share:.0%} of their patches hidden, what the network predicts there{own}, and "
            "the samples as they are.",
            {"seen": seen, "predicted": filled, "true": batch.floats().x},
        )


def check_share(share: float) -> None:
    """Raises ValueError where this is no share of patches that can be hidden."""
    if not 0 < share < 1:
        raise ValueError(
            f"share must lie in (0, 1), since some patches are hidden and some seen; got {share}. "
            "Leave it out for the default."
        )
