"""A fitted model as one plain module, from what a sample is in memory to its representation: what an export holds.

    bytes (n, c, h, w), or numbers (n, ...)  --floats, standardised--> network --> h (n, d)
    ids, mask (n, t)                         -------------------------> network --> h (n, d)

A `FineTune` of classes tells its probabilities, too. All is computed in 32 bits.
"""

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn

from replearn.data import Batch
from replearn.data.kinds import KINDS, PIXELS, WORDS
from replearn.data.labels import UNLABELLED
from replearn.encoders import TextEncoder, Tokens, Vocabulary
from replearn.encoders.kinds import NETWORKS
from replearn.engine.machine import random_state_kept
from replearn.methods import Model
from replearn.transfer import FineTune

TRIED = 5  # samples by which a module is traced; no size of its own
SHORTEST = 2  # tokens
SHOWN = 40  # of what is listed for a reader


@dataclass(frozen=True)
class TensorSpec:
    """A tensor that goes in, or comes out.

    Attributes:
        name: of it.
        dtype: of its numbers, as numpy calls it.
        shape: its axes; those by name may have any length.
        meaning: for a reader.
    """

    name: str
    dtype: str
    shape: tuple[str | int, ...]
    meaning: str


class Exported(nn.Module):
    """A fitted model as a module; `exported_from` makes one.

    Args:
        model: fitted; it is copied.
    """

    inputs: tuple[TensorSpec, ...]
    longest: ClassVar[int | None] = None  # tokens; None: its inputs have one length

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = copy.deepcopy(model)
        self.parts = nn.ModuleDict(self.model.modules())
        self.cpu().float().eval().requires_grad_(False)

    @property
    def texts(self) -> TextEncoder | None:
        """What reads texts, whose tokenizer lies beside what is written; None where nothing does."""
        return None

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What comes out."""
        dim = int(self.model.representation_dim)
        h = TensorSpec("h", "float32", ("n", dim), "the representation")
        if not self.classes:
            return (h,)
        told = ", ".join(self.classes[:SHOWN]) + (", …" if len(self.classes) > SHOWN else "")
        return h, TensorSpec("probabilities", "float32", ("n", len(self.classes)), f"of {told}")

    @property
    def classes(self) -> tuple[str, ...]:
        """What a model of classes tells, in the order of its probabilities; of others nothing."""
        return tuple(map(str, self.model.classes_)) if isinstance(self.model, FineTune) else ()

    def told(self, x: Any, n: int | torch.SymInt) -> tuple[Tensor, ...]:
        """The outputs for content of n samples."""
        index = torch.arange(n)
        batch = Batch(x, torch.full_like(index, UNLABELLED), index)
        h = self.model.represent(batch)
        if not isinstance(self.model, FineTune):
            return (h,)
        logits: Tensor = self.model.head_.linear(h)  # h is what this layer reads
        return h, logits.softmax(1)

    def drawn(self, n: int, seed: int) -> tuple[Tensor, ...]:
        """Inputs for n samples, drawn at random, by which an export is tried."""
        raise NotImplementedError

    @torch.no_grad()
    def answers(self, inputs: tuple[Tensor, ...]) -> tuple[Float[np.ndarray, "..."], ...]:
        """What comes out for some inputs, by torch."""
        return tuple(found.numpy() for found in self(*inputs))


class OfBytes(Exported):
    """Images as bytes."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        channels, *sizes = model.samples_.shape
        meaning = f"images of {channels} channel{'s' * (channels > 1)}, 0 ... 255"
        self.inputs = (TensorSpec("x", "uint8", ("n", channels, *sizes), meaning),)

    def forward(self, x: UInt8[Tensor, "n c h w"]) -> tuple[Tensor, ...]:
        return self.told(x, x.shape[0])

    def drawn(self, n: int, seed: int) -> tuple[Tensor, ...]:
        shape = (n, *self.model.samples_.shape)
        return (torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator_of(seed)),)


class OfNumbers(Exported):
    """Samples of numbers: rows of a table, recordings, images of levels."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        known = model.samples_
        self.levels = known.levels
        meaning = f"samples of kind {known.kind}"
        self.bounded = KINDS[known.kind].bounded and known.levels is None
        if self.bounded:
            meaning += ", in [0, 1]"
        if known.levels is not None:
            meaning += ", of levels {:g} ... {:g}; what lies outside is cut to them".format(*known.levels)
        self.inputs = (TensorSpec("x", "float32", ("n", *known.shape), meaning),)

    def forward(self, x: Float[Tensor, "n ..."]) -> tuple[Tensor, ...]:
        if self.levels is not None:
            low, high = self.levels
            x = ((x - low) / (high - low)).clamp(0, 1)
        return self.told(x, x.shape[0])

    def drawn(self, n: int, seed: int) -> tuple[Tensor, ...]:
        x = torch.randn(n, *self.model.samples_.shape, generator=generator_of(seed))
        if self.levels is not None:
            low, high = self.levels
            return (low + (high - low) * x.sigmoid(),)
        if self.bounded:
            return (x.sigmoid(),)
        encoder = getattr(self.model, "encoder_", None)
        mean, std = getattr(encoder, "mean", torch.zeros(1)), getattr(encoder, "std", torch.ones(1))
        if len(mean) != x.shape[1]:
            return (x,)
        axes = (1, -1, *(1,) * (x.ndim - 2))
        return (x * std.view(axes) + mean.view(axes),)


class OfTokens(Exported):
    """Texts, as ids of tokens."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        encoder = self.model.encoder_
        assert isinstance(encoder, TextEncoder)
        self.encoder, self.longest = encoder, encoder.length  # type: ignore[misc]
        _attend_by_the_library(encoder)
        self.inputs = (
            TensorSpec("ids", "int64", ("n", "t"), f"tokens of texts, at most {encoder.length}, filled up"),
            TensorSpec("mask", "int64", ("n", "t"), "1 where there is a token, 0 where a text has ended"),
        )

    @property
    def texts(self) -> TextEncoder:
        return self.encoder

    def forward(self, ids: Int[Tensor, "n t"], mask: Int[Tensor, "n t"]) -> tuple[Tensor, ...]:
        tokens = Tokens(ids, mask.bool())
        vars(tokens)["full"] = False  # or the look at it would be all that is exported
        return self.told(tokens, ids.shape[0])

    def drawn(self, n: int, seed: int) -> tuple[Tensor, ...]:
        ids, mask = drawn_tokens(self.encoder, n, seed)
        return ids, mask.long()


def drawn_tokens(encoder: TextEncoder, n: int, seed: int) -> tuple[Int[Tensor, "n t"], Bool[Tensor, "n t"]]:
    """Tokens of n texts of unlike lengths, drawn at random, and which of them are no filling."""
    generator = generator_of(seed)
    t = min(SHORTEST + 3 * n, encoder.length)
    lengths = torch.randint(1, t + 1, (n,), generator=generator)
    lengths[0] = t
    mask = torch.arange(t) < lengths[:, None]  # (n, t)
    ids = torch.randint(0, encoder.vocabulary.tokenizer.size, (n, t), generator=generator)
    return torch.where(mask, ids, encoder.pad), mask


def exported_from(model: Any, name: str = "the run") -> Exported:
    """A fitted model as a module.

    Args:
        model: what `replearn.load` gives.
        name: of it, for messages.

    Raises:
        ValueError: it has no network, or reads samples that are no tensors.
    """
    kind = type(model).__name__
    if not isinstance(model, Model) or not hasattr(model, "samples_") or not model.modules():
        raise ValueError(
            f"what is exported must have a network; {name} is one of {kind}, which has none. "
            "`replearn embed` writes its representations."
        )
    if isinstance(model, FineTune) and model.task != "classify":
        raise ValueError(
            f"a FineTune that is exported must be of --task classify; {name} is of {model.task}. "
            "Export the run that its encoder comes from."
        )
    known = model.samples_
    room = KINDS[known.kind]
    if WORDS in room.offers:
        return _of_texts(model, name)
    if not isinstance(NETWORKS[known.kind].content(known, 1, torch.device("cpu")), Tensor):
        raise ValueError(
            f"samples of what is exported must be tensors or texts; {name} reads {room.plural}. `replearn embed` "
            "writes their representations; a CLIP of images and texts is written --to openclip."
        )
    with random_state_kept():
        return OfBytes(model) if PIXELS in room.offers and known.levels is None else OfNumbers(model)


def _of_texts(model: Model, name: str) -> Exported:
    encoder = getattr(model, "encoder_", None)
    # A vocabulary of another class knows more of a text than ids of tokens.
    if not isinstance(encoder, TextEncoder) or type(encoder.vocabulary) is not Vocabulary:
        raise ValueError(
            f"what is exported must read texts as tokens; the encoder of {name} reads the letters of words, too. "
            "`replearn embed` writes representations."
        )
    return OfTokens(model)


def _attend_by_the_library(encoder: TextEncoder) -> None:
    """Take the library's own attention, which does not depend on how long texts are."""
    choose = getattr(encoder.net, "set_attn_implementation", None)
    if choose is not None:
        choose("sdpa")


def generator_of(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
