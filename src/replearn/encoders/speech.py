"""Transformers that hear sounds, `(n, 1, t)`: those of waves (wav2vec 2.0 and its kin), and AST, of spectrograms."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from replearn.data.samples import Batch
from replearn.encoders.base import Encoder, Want
from replearn.encoders.dropout import rows_of, with_row_dropout
from replearn.encoders.filter_bank import WINDOW, FilterBank
from replearn.encoders.resample import Resample
from replearn.encoders.transformer import without_hooks

LOUDNESS = 1e-7  # added to a sound's variance
RATES = (1_000, 400_000)  # Hz


@dataclass(frozen=True)
class Hearing:
    """What a network's extractor of features does to sounds.

    Attributes:
        rate: in Hz, at which it hears.
        normalise: whether each sound is brought to mean 0 and variance 1; of spectrograms, all by `mean` and `std`.
        masks: whether silence that fills a sound up is told apart from it.
        mean, std: of spectrograms.

    Raises:
        ValueError: these are no such things.
    """

    rate: int
    normalise: bool = True
    masks: bool = False
    mean: float = 0.0
    std: float = 0.5

    def __post_init__(self) -> None:
        numbers = all(isinstance(one, int | float) for one in (self.mean, self.std))
        if not isinstance(self.rate, int) or not RATES[0] <= self.rate <= RATES[1] or not numbers:
            raise ValueError(
                f"sampling_rate must lie between {RATES[0]:,} and {RATES[1]:,} Hz, and mean and std be numbers; got "
                f"{self.rate!r}, {self.mean!r}, {self.std!r}"
            )
        if not self.std > 0:
            raise ValueError(f"std must be positive; got {self.std}")


class HeardBody(nn.Module):
    """A network of the Hugging Face libraries that hears sounds.

    Zeros at the end of a sound are how short recordings are filled up: a network that can tell them apart does.

    Args:
        net: the network.
        hearing: how sounds are prepared for it.
        rate: of the sounds, in Hz; they are brought to the network's.
        least: rows that it needs, at its rate.

    Raises:
        ValueError: see `Resample`.
    """

    forgets = True
    wraps = True

    def __init__(self, net: nn.Module, hearing: Hearing, *, rate: int, least: int) -> None:
        super().__init__()
        self.net: Any = with_row_dropout(net)
        self.hearing = hearing
        self.least = least
        self.dim: int = net.config.hidden_size  # type: ignore[union-attr, assignment]
        self.resample = None if rate == hearing.rate else Resample(rate, hearing.rate)

    def forward(self, x: Float[Tensor, "n 1 t"]) -> Float[Tensor, "n dim"]:
        return self.layers(x)[-1]

    @abstractmethod
    def layers(self, x: Float[Tensor, "n 1 t"]) -> list[Float[Tensor, "n dim"]]:
        """One row per sound of each layer; the last is the representation."""

    @abstractmethod
    def states(self, x: Float[Tensor, "n 1 t"]) -> list[Float[Tensor, "n s dim"]]:
        """The states of each layer."""

    def tokens(self, x: Float[Tensor, "n 1 t"]) -> Float[Tensor, "n s dim"]:
        """The last states."""
        return self.states(x)[-1]

    def rows(self, length: int) -> int:
        """How many rows a sound of so many has at the network's rate.

        Raises:
            ValueError: too few.
        """
        found = length if self.resample is None else self.resample.rows(length)
        if found < self.least:
            raise ValueError(
                f"sounds for a {type(self.net).__name__} must have at least {self.least:,} rows at "
                f"{self.hearing.rate:,} Hz, {1000 * self.least / self.hearing.rate:.3g} ms; these have {found:,}. "
                "Give longer sounds, or crops."
            )
        return found

    def heard(self, x: Float[Tensor, "n 1 t"]) -> tuple[Float[Tensor, "n s"], Int[Tensor, " n"]]:
        """Sounds at the network's rate, and how many rows of each come before the zeros at its end."""
        rows = self.rows(x.shape[2])
        lengths = lengths_of(x[:, 0])
        if self.resample is None:
            return x[:, 0], lengths.clamp_min(self.least)
        lengths = -(-lengths * self.resample.up // self.resample.down)
        return self.resample(x)[:, 0], lengths.clamp(self.least, rows)

    def __getstate__(self) -> dict[str, Any]:
        """What pickle keeps: without the library's hooks."""
        without_hooks(self.net)
        return vars(self).copy()


class WaveBody(HeardBody):
    """wav2vec 2.0, HuBERT, WavLM: convolutions over the wave, then a transformer; the mean of its states over time.

        wave --mean 0, variance 1--> --convolutions, one state per 20 ms--> --transformer--> states --mean--> h

    Where the folder's extractor gives masks, silence that fills a sound up is neither listened to nor averaged.

    References: Baevski et al., NeurIPS 2020 (wav2vec 2.0). https://arxiv.org/abs/2006.11477
        Hsu et al., 2021 (HuBERT). https://arxiv.org/abs/2106.07447
        Chen et al., 2022 (WavLM). https://arxiv.org/abs/2110.13900
    """

    def layers(self, x: Float[Tensor, "n 1 t"]) -> list[Float[Tensor, "n dim"]]:
        """The mean of the states before and after each layer."""
        states, mask = self._read(x)
        if mask is None:
            return [state.mean(1) for state in states]
        weights = mask / mask.sum(1, keepdim=True)  # (n, s)
        return [torch.einsum("ns, nsd -> nd", weights, state) for state in states]

    def states(self, x: Float[Tensor, "n 1 t"]) -> list[Float[Tensor, "n s dim"]]:
        """The states before and after each layer; where masks are told, zeros after a sound's end."""
        states, mask = self._read(x)
        return states if mask is None else [state * mask[..., None] for state in states]

    def _read(
        self, x: Float[Tensor, "n 1 t"]
    ) -> tuple[list[Float[Tensor, "n s dim"]], Bool[Tensor, "n s"] | None]:
        wave, lengths = self.heard(x)
        there = None
        if self.hearing.masks:
            there = torch.arange(wave.shape[1], device=wave.device) < lengths[:, None]  # (n, t)
            wave = wave * there  # what resampling lets ring on is gone
        if self.hearing.normalise:
            wave = normalised(wave, there)
        mask = None if there is None else there.long()
        found = self.net(input_values=wave, attention_mask=mask, output_hidden_states=True)
        states = [*found.hidden_states[:-1], found.last_hidden_state]
        if there is None:
            return states, None
        frames = torch.arange(states[0].shape[1], device=x.device) < self.frames(lengths)[:, None]
        return states, frames

    def frames(self, lengths: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
        """How many states so many rows have."""
        for kernel, stride in zip(self.net.config.conv_kernel, self.net.config.conv_stride, strict=True):
            lengths = (lengths - kernel) // stride + 1
        return lengths


class SpectrogramBody(HeardBody):
    """AST: a vision transformer over patches of a spectrogram of a fixed length; the mean of its two first states.

    Args:
        net: the network.
        hearing: how sounds are prepared for it.
        rate: of the sounds, in Hz.

    References: Gong, Chung & Glass, Interspeech 2021. https://arxiv.org/abs/2104.01778
    """

    def __init__(self, net: nn.Module, hearing: Hearing, *, rate: int) -> None:
        super().__init__(net, hearing, rate=rate, least=WINDOW)
        config = self.net.config
        mean, std = (hearing.mean, hearing.std) if hearing.normalise else (0.0, 0.5)
        self.front = FilterBank(config.num_mel_bins, config.max_length, mean=mean, std=std)

    def layers(self, x: Float[Tensor, "n 1 t"]) -> list[Float[Tensor, "n dim"]]:
        """The mean of the two first states after each layer."""
        return [state[:, :2].mean(1) for state in self._read(x)]

    def states(self, x: Float[Tensor, "n 1 t"]) -> list[Float[Tensor, "n s dim"]]:
        """The patches' states after each layer."""
        return [state[:, 2:] for state in self._read(x)]

    def _read(self, x: Float[Tensor, "n 1 t"]) -> list[Float[Tensor, "n s dim"]]:
        found = self.net(input_values=self.front(*self.heard(x)), output_hidden_states=True)
        return [*found.hidden_states[1:-1], found.last_hidden_state]


class HeardEncoder(Encoder):
    """An encoder of sounds in which what is lost by dropout depends on where a row lies in the joined batch."""

    body: HeardBody

    def read(self, batch: Any, want: Want = "pooled", **chosen: Any) -> Any:
        with _rows(batch):
            return super().read(batch, want, **chosen)

    def layers(self, batch: Batch) -> list[Float[Tensor, "n _"]]:
        with _rows(batch):
            return super().layers(batch)


@contextmanager
def _rows(batch: Any) -> Iterator[None]:
    if not isinstance(batch, Batch):
        yield
        return
    with rows_of(batch):
        yield


def lengths_of(x: Float[Tensor, "n t"]) -> Int[Tensor, " n"]:
    """Rows of each sound up to the last one that is not 0; all rows of a silent one.

    >>> lengths_of(torch.tensor([[1.0, 0, 2, 0], [0, 0, 0, 0]])).tolist()
    [3, 4]
    """
    heard = x != 0
    last = x.shape[1] - heard.flip(1).int().argmax(1)
    return torch.where(heard.any(1), last, x.shape[1])


def normalised(x: Float[Tensor, "n t"], there: Bool[Tensor, "n t"] | None) -> Float[Tensor, "n t"]:
    """Each sound with mean 0 and variance 1, over the rows that are there; the others become 0."""
    with torch.autocast(x.device.type, enabled=False):
        x = x.float()
        if there is None:
            return (x - x.mean(1, keepdim=True)) / (x.var(1, correction=0, keepdim=True) + LOUDNESS).sqrt()
        share = there / there.sum(1, keepdim=True)
        centred = (x - (x * share).sum(1, keepdim=True)) * there
        return centred / ((centred.square() * share).sum(1, keepdim=True) + LOUDNESS).sqrt()
