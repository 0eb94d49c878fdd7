"""Text VAE: predict a text from a code that is drawn, and pay for what the code tells.

    texts --encoder--> mean, log_variance --draw--> z --LSTM, words lost--> p(x|z) --> -ln p(x|z) + w KL

A decoder that sees all words before soon does without the code. Against this `w` rises from 0 to 1, as a cube, words
are hidden from the decoder, and each unit may tell some nats at no cost. The representation is the mean.

References: Bowman et al., CoNLL 2016, sections 3.1 and 3.2. https://arxiv.org/abs/1511.06349
    Kingma et al., NeurIPS 2016, equation 15 (free bits). https://arxiv.org/abs/1606.04934
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.data.tokenizer import UNKNOWN
from replearn.encoders.sentence_decoder import SentenceDecoder
from replearn.methods.checks import check_codes
from replearn.methods.language.text_method import TextMethod
from replearn.methods.reconstruction.latent import posterior_measures, slowed
from replearn.methods.schedule import Number
from replearn.objectives.elbo import unit_kl
from replearn.views.base import normal, uniform


@dataclass(kw_only=True, eq=False, repr=False)
class TextVAE(TextMethod):
    """Variational autoencoder of sentences.

    Attributes:
        dim: numbers in the code.
        length: tokens of a text that are read, at most.
        rise: share of training in which the weight of the KL term rises from 0 to 1.
        word_dropout: share of the words before that are hidden from the decoder.
        free_nats: what each unit may tell at no cost, on average over a batch.
    """

    year: ClassVar[int] = 2016
    paper: ClassVar[str] = "https://arxiv.org/abs/1511.06349"
    why_collapse: ClassVar[str | None] = None  # `rate` tells of it

    encoder: str | nn.Module = "lstm"
    dim: int = 16
    length: int = 64
    rise: float = 0.6
    word_dropout: float = 0.4
    free_nats: float = 0.1
    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 2e-3

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.scale_ = nn.LayerNorm(self.encoder_.dim)  # states are small at first, and codes would be noise
        self.code_ = nn.Linear(self.encoder_.dim, self.dim)
        self.log_variance_ = nn.Linear(self.encoder_.dim, self.dim)
        self.decoder_ = SentenceDecoder(self.encoder_.vocabulary.tokenizer.size, self.dim)
        self.weight_ = Number()

    def warn_of_cuts(self, samples: Samples, length: int | None = None) -> None:
        super().warn_of_cuts(samples, min(self.length, self.encoder_.length))

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        x, (mean, log_variance) = self.ids(batch), self.posterior(batch)
        z = mean + (0.5 * log_variance).exp() * normal(batch, self.dim)
        hidden = uniform(batch, self.length)[:, : x.shape[1]] < self.word_dropout
        seen = x.masked_fill(hidden, self.encoder_.vocabulary.tokenizer.special(UNKNOWN))
        distortion = self.decoder_.nats(x, seen, z, ignored=self.encoder_.pad).mean()
        rate = gather(unit_kl(mean, log_variance)).mean(0)  # of the joined batch, (dim,)
        return distortion + self.weight_.value * rate.clamp_min(self.free_nats).sum()

    def after_step(self, progress: float) -> None:
        self.weight_.value.fill_(min(1.0, progress / self.rise) ** 3)  # slowly while words are learned

    def ids(self, batch: Batch) -> Int[Tensor, "n t"]:
        return self.encoder_.vocabulary.read(batch, self.length).ids

    def posterior(self, batch: Batch) -> tuple[Float[Tensor, "n dim"], Float[Tensor, "n dim"]]:
        """Mean and log-variance of each text's code."""
        h = self.scale_(self.encoder_(batch))
        return self.code_(h), slowed(self.log_variance_(h))

    def represent(self, batch: Batch) -> Float[Tensor, "n dim"]:
        return self.posterior(batch)[0]

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        x, (mean, log_variance) = self.ids(batch), self.posterior(batch)
        told = self.decoder_.nats(x, x, mean, ignored=self.encoder_.pad)
        return {"distortion": told.mean()} | posterior_measures(mean, log_variance)

    def inverse_transform(self, codes: Any) -> list[str]:
        """The text of each code `(n, dim)`: the likeliest token, again and again.

        Raises:
            ValueError: codes are of another width, or not finite.
        """
        z = torch.as_tensor(check_codes(codes, self.dim)).to(self.code_.weight)
        return self.decoder_.texts(z, self.encoder_.vocabulary.tokenizer, length=self.length)

    @property
    def representation_dim(self) -> int:
        return self.dim
