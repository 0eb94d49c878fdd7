"""ContextEncoder: fill a hole of an image by what is around it.

    batch --views--> image with a hole --encoder--> map --channel-wise--> map --decoder--> made image
    made image, true image --weighted_error (hole 1, its border 10)--> the loss; with an adversary .999 of it
    hole of the made image --discriminator--> score --taken_for_real--> .001 of it
    holes of true and made images --discriminator--> scores --told_apart--> loss of the discriminator

The squared error alone fills with the mean of all that could be there, which is blurred; the discriminator sees what
is in the hole and nothing around it, and asks for one of the things that could. The paper fills holes with it, and
learns features without it; so does the default. Every place of the map is linked with
every other one of its channel, so that what is seen reaches into the hole. The representation is that of the
whole image.

References: Pathak et al., CVPR 2016. https://arxiv.org/abs/1604.07379
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders import frozen, make_encoder
from replearn.encoders.bounded import Bounded
from replearn.encoders.discriminators import ImageDiscriminator
from replearn.encoders.maps import ChannelWise, FromMap, map_shape
from replearn.encoders.rbm import Units
from replearn.methods.by_layer import ByLayer
from replearn.methods.checks import check_views
from replearn.methods.exhibit import Exhibit
from replearn.objectives import taken_for_real, told_apart, weighted_error
from replearn.views import Hidden, Same, Split
from replearn.views.written import given_views

SHOWN = 12


@dataclass(kw_only=True, eq=False, repr=False)
class ContextEncoder(ByLayer):
    """Feature learning by inpainting.

    Attributes:
        views: `Hidden(...)`, or the name of a preset; None hides a region in the default view.
        adversarial: share of the adversarial loss in that of encoder and decoder, 0.001 in the paper where holes are
            to look real; 0 trains without a discriminator, as the paper does for features.
        discriminator_rate: the discriminator's learning rate, as a multiple of the others'.
        width: channels of the decoder's last map.
    """

    family: ClassVar[str] = "masked"
    year: ClassVar[int] = 2016
    paper: ClassVar[str] = "https://arxiv.org/abs/1604.07379"
    split: ClassVar[str] = "hidden"
    beta1: ClassVar[float] = 0.5  # of AdamW: with more, the players overshoot each other

    views: Split | str | None = None
    adversarial: float = 0.0
    discriminator_rate: float = 0.1
    width: int = 8
    layer: int | Literal["all"] = field(default="all", metadata={"before": -1})
    batch_size: int = 64
    learning_rate: float = 2e-3

    def build(self, samples: Description) -> None:
        check_views(self, Hidden, "views with a hole")
        self.encoder_ = make_encoder(self.encoder, samples)
        shape = map_shape(self.encoder_, samples)
        channels, height, width = samples.shape
        self.decoder_ = nn.Sequential(
            ChannelWise(shape),
            nn.Conv2d(shape[0], shape[0], 1),
            nn.ReLU(),
            FromMap(shape, (channels, height, width), width=self.width),
            Bounded(Units(samples), mean=self.encoder_.mean, std=self.encoder_.std),
        )
        if self.adversarial:
            self.discriminator_ = ImageDiscriminator(samples.shape)

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return {} if self.adversarial else {"discriminator_rate": "there is no discriminator (adversarial=0)"}

    def rates(self) -> dict[str, float]:
        return {"discriminator_": self.discriminator_rate} if self.adversarial else {}

    def terms(self, batch: Batch) -> Mapping[str, Callable[[], Tensor]]:
        seen, target, weights = self.views_(batch)
        made, true = self.made(seen), self.scaled(target)
        if not self.adversarial:
            return {"generator": lambda: weighted_error(made, true, weights.x)}
        real, fake = ((weights.x == 1) * part for part in (true, made))  # around the hole, the mean colour

        def generator() -> Tensor:
            error = weighted_error(made, true, weights.x)
            adversary = taken_for_real(frozen(self.discriminator_, fake))
            return (1 - self.adversarial) * error + self.adversarial * adversary

        def discriminator() -> Tensor:
            return told_apart(*self.discriminator_(torch.cat([real, fake.detach()])).chunk(2))

        return {"generator": generator, "discriminator": discriminator}

    def made(self, seen: Batch) -> Float[Tensor, "n c h w"]:
        """Whole images, standardised, as predicted from what is seen of them."""
        return self.decoder_(self.encoder_.read(seen, "map"))  # type: ignore[no-any-return]

    def scaled(self, batch: Batch) -> Float[Tensor, "n c h w"]:
        """Images, standardised, at their own size."""
        mean, std = (values.view(1, -1, 1, 1) for values in (self.encoder_.mean, self.encoder_.std))
        return (batch.floats().x - mean) / std  # type: ignore[no-any-return]

    def filled(self, seen: Batch, weights: Batch) -> Float[Tensor, "n c h w"]:
        """Images, in [0, 1], with what is predicted in their holes."""
        return torch.where(weights.x == 1, self.encoder_.unstandardise(self.made(seen)), seen.x)

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """Root of the mean squared error in holes, on the samples' scale, and over that of the mean colour."""
        seen, target, weights = self.views_(batch)
        error, of_mean = (
            error_in(weights, x, target.x).square().mean().sqrt()
            for x in (self.filled(seen, weights), seen.x)
        )
        return {"hole_error": error, "hole_ratio": error / of_mean.clamp_min(1e-6)}

    def exhibit(self, batch: Batch) -> Exhibit:
        """Images with a hole, filled, and as they are, from the one that is filled best to the worst."""
        given = given_views(self.views)
        views = given if isinstance(given, Hidden) else Hidden()
        fill = tuple(self.encoder_.mean.tolist())
        seen, target, weights = replace(views, view=Same(), fill=views.fill or fill)(batch)
        filled = self.filled(seen, weights)
        errors = error_in(weights, filled, target.x)
        order = errors.argsort()
        shown = order[torch.linspace(0, len(order) - 1, min(len(order), SHOWN)).round().long()]
        return Exhibit(
            "What is in the hole?",
            "Test samples with a part hidden behind the mean colour, as the network fills it, and as they are; from "
            "the least error to the largest.",
            {"hidden": seen.x[shown], "filled": filled[shown], "true": target.x[shown]},
            [f"error {error:.2f}" for error in errors[shown]],
        )


def error_in(
    weights: Batch, x: Float[Tensor, "n c h w"], true: Float[Tensor, "n c h w"]
) -> Float[Tensor, " n"]:
    """Root of the mean squared error in the hole of each image."""
    hole = (weights.x == 1).float()
    total = (hole * (x - true).square()).mean(1).flatten(1).sum(1)
    error: Tensor = (total / hole.flatten(1).sum(1)).sqrt()
    return error
