"""What a decoder's numbers say of a sample: the likelihoods that a method with an explicit `p(x|z)` may take."""

from difflib import get_close_matches
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.data.kinds import KINDS
from replearn.encoders import Encoder
from replearn.objectives.likelihoods import log_bernoulli, log_categorical, log_gaussian

LEAST_LOG_VARIANCE = -9.0  # where a column can be told exactly, its density would have no bound
NEARLY = 1e-3  # samples were standardised and brought back


class Likelihood(nn.Module):
    """`p(x|z)`, from the decoder's numbers: `likelihood(out, x)` is its logarithm, in nats per sample.

    Attributes:
        standardised: whether it is of samples as the encoder reads them, zero mean and unit variance per channel or
            column, or else of samples as they are.
    """

    standardised: ClassVar[bool] = False

    def forward(self, out: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        """Log-likelihood of samples, summed over their numbers."""
        raise NotImplementedError

    def expected(self, out: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """The sample that is expected."""
        raise NotImplementedError

    def check(self, x: Float[Tensor, "n ..."]) -> None:
        """Raises ValueError where samples are none that it can have made."""

    def target(self, encoder: Encoder, batch: Batch) -> Float[Tensor, "n ..."]:
        """The samples of a batch on the scale of the likelihood."""
        x = encoder.standardise(batch)
        return x if self.standardised else encoder.unstandardise(x)

    def on_scale(self, encoder: Encoder, out: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """The sample that is expected, on the samples' own scale."""
        x = self.expected(out)
        return encoder.unstandardise(x) if self.standardised else x


class Bernoulli(Likelihood):
    """Samples in [0, 1]: each number is the chance of a 1."""

    def forward(self, out: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        return log_bernoulli(out, x)

    def expected(self, out: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        return out.sigmoid()

    def check(self, x: Float[Tensor, "n ..."]) -> None:
        if x.min() < -NEARLY or x.max() > 1 + NEARLY:
            raise ValueError(
                f"samples must lie in [0, 1] for a bernoulli likelihood; got {x.min():.3g} to {x.max():.3g}. "
                "Scale them, or use likelihood='gaussian'."
            )


class Gaussian(Likelihood):
    """Real numbers, standardised, with one variance for all of them: given, or else learned.

    Args:
        variance: of each standardised number; None: it is learned.
    """

    standardised: ClassVar[bool] = True
    log_variance: Tensor

    def __init__(self, variance: float | None = None) -> None:
        super().__init__()
        if variance is None:
            self.log_variance = nn.Parameter(torch.zeros(()))
        else:
            self.register_buffer("log_variance", torch.tensor(variance).log())

    def forward(self, out: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        return log_gaussian(out, x, self.log_variance.clamp_min(LEAST_LOG_VARIANCE))

    def expected(self, out: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        return out


class Categorical(Likelihood):
    """Choices: axis 1 of a sample holds the classes, 1 for the one chosen, or how often each was."""

    def forward(self, out: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        return log_categorical(out, x)

    def expected(self, out: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        return out.softmax(1)

    def check(self, x: Float[Tensor, "n ..."]) -> None:
        if x.min() < -NEARLY:
            raise ValueError(
                f"samples must count choices for a categorical likelihood, 0 or more; got {x.min():.3g}. "
                "Give one-hot rows or counts, or use likelihood='gaussian'."
            )


LIKELIHOODS = ("bernoulli", "gaussian", "categorical")


def meant_by(name: str, kind: str) -> str:
    """The name of a likelihood; what `auto` means for a kind of samples."""
    return ("bernoulli" if KINDS[kind].bounded else "gaussian") if name == "auto" else name


def make_likelihood(name: str, samples: Description, *, variance: float | None = None) -> Likelihood:
    """The likelihood called `name`; `auto` is `bernoulli` of numbers in [0, 1], as images have, else `gaussian`.

    Raises:
        ValueError: the name is unknown, or `variance` is not positive.
    """
    name = meant_by(name, samples.kind)
    if name not in LIKELIHOODS:
        near = get_close_matches(name, LIKELIHOODS, n=1, cutoff=0.0)
        raise ValueError(
            f"likelihood must be auto, {', '.join(LIKELIHOODS)}; got {name!r}. Nearest: {near[0]}."
        )
    if variance is not None and not variance > 0:
        raise ValueError(f"variance must be greater than 0; got {variance}. Leave it out to learn it.")
    if name == "gaussian":
        return Gaussian(variance)
    return Bernoulli() if name == "bernoulli" else Categorical()
