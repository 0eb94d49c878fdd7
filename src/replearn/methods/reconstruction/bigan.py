"""BiGAN: make samples from codes and codes from samples, until nobody can tell the two kinds of pairs apart.

    batch --encoder--> h --linear--> code      (sample, code)      --discriminator--> score of a real pair
    z ~ N(0, 1) --decoder--> made sample       (made sample, z)    --discriminator--> score of a made pair
    scores --hinge_discriminator--> loss of the discriminator,  --hinge_generator--> loss of encoder and generator

Where both kinds of pairs have one distribution, the encoder is the generator's inverse. The representation is the code.
Both players move at once, each by its own loss. The losses are BigBiGAN's hinges. Noise on all samples, real and made,
makes the two kinds overlap at first, so that the discriminator cannot win early; it fades as training goes on.

References: Donahue, Krähenbühl & Darrell, ICLR 2017. https://arxiv.org/abs/1605.09782
    Dumoulin et al. (ALI), ICLR 2017. https://arxiv.org/abs/1606.00704
    Donahue & Simonyan (BigBiGAN), NeurIPS 2019, section 2. https://arxiv.org/abs/1907.02544
    Sønderby et al., ICLR 2017, section 3.3 (noise). https://arxiv.org/abs/1610.04490
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.encoders import frozen
from replearn.encoders.bounded import Bounded
from replearn.encoders.discriminators import FadingNoise, make_discriminator
from replearn.encoders.rbm import Units
from replearn.methods.reconstruction.coder import Generator
from replearn.objectives import hinge_discriminator, hinge_generator
from replearn.views import normal


@dataclass(kw_only=True, eq=False, repr=False)
class BiGAN(Generator):
    """Generative adversarial network with an encoder.

    Attributes:
        noise: standard deviation of the noise on standardised samples at the beginning; it falls linearly to 0.
        discriminator_rate: the discriminator's learning rate, as a multiple of the others'.
    """

    beta1: ClassVar[float] = 0.5  # of AdamW: with more, the players overshoot each other
    year: ClassVar[int] = 2017
    paper: ClassVar[str] = "https://arxiv.org/abs/1605.09782"

    noise: float = 1.0
    discriminator_rate: float = 1.0
    dim: int = 50
    batch_size: int = 64
    learning_rate: float = 1e-3

    def build(self, samples: Description) -> None:
        if not self.discriminator_rate > 0:
            raise ValueError(
                f"discriminator_rate must be greater than 0; got {self.discriminator_rate}. Try 1."
            )
        if not self.noise >= 0:
            raise ValueError(f"noise must be at least 0, which is none; got {self.noise}. Try 1.")
        super().build(samples)
        self.discriminator_ = make_discriminator(samples.shape, self.dim)
        self.noise_ = FadingNoise(self.noise)

    def make_decoder(self, samples: Description) -> nn.Module:
        bounded = Bounded(Units(samples), mean=self.encoder_.mean, std=self.encoder_.std)
        return nn.Sequential(super().make_decoder(samples), bounded)

    def rates(self) -> dict[str, float]:
        return {"discriminator_": self.discriminator_rate}

    def terms(self, batch: Batch) -> Mapping[str, Callable[[], Tensor]]:
        z = normal(batch, self.dim).to(next(self.decoder_.parameters()))
        code, made = self.represent(batch), self.decoder_(z)  # (n, dim), (n, *shape)
        real = self.encoder_.standardise(batch)
        # Real pairs above made ones, in one pass.
        noisy = [self.noise_(x, normal(batch, *x.shape[1:])) for x in (real, made)]
        pairs = torch.cat(noisy), torch.cat([code, z])

        def generator() -> Tensor:
            return hinge_generator(*frozen(self.discriminator_, *pairs).chunk(2))

        def discriminator() -> Tensor:
            return hinge_discriminator(*self.discriminator_(*(part.detach() for part in pairs)).chunk(2))

        return {"generator": generator, "discriminator": discriminator}

    def after_step(self, progress: float) -> None:
        self.noise_.fade(progress)

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        made, real = self.decoder_(normal(batch, self.dim)).float(), self.encoder_.standardise(batch)
        spread = [x.var(0, unbiased=False).sum().sqrt() for x in (made, real)]
        return super().measures(batch) | {"variety": spread[0] / spread[1]}
