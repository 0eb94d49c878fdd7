"""Views of sequences of symbols: the other strand, a stretch, letters exchanged for others.

Strings are cut one by one, on the CPU: a microsecond or two each, beside milliseconds of the networks that read them.
"""

from dataclasses import dataclass

import numpy as np
import torch

from replearn.data.alphabets import COMPLEMENT, reverse_complement
from replearn.data.samples import Batch
from replearn.views.base import (
    View,
    chance,
    check_at_least,
    check_interval,
    check_probability,
    uniform,
    uniform_of_elements,
)


@dataclass(frozen=True)
class ReverseComplement(View):
    """The other strand of some sequences, read in its own direction; ambiguity codes become those of the complements.

    References: Shrikumar, Greenside & Kundaje, 2017, section 1 (both strands tell the same).
        https://doi.org/10.1101/103663
    """

    probability: float = 0.5
    alphabet: str = "dna"

    def __post_init__(self) -> None:
        check_probability(self, "probability")
        if self.alphabet not in COMPLEMENT:
            raise ValueError(
                f"only {' and '.join(COMPLEMENT)} have another strand; got {self.alphabet!r}. Leave the view out."
            )

    def __call__(self, batch: Batch) -> Batch:
        turned = chance(batch, self.probability).tolist()
        seen = (
            reverse_complement(text, self.alphabet) if turn else text
            for text, turn in zip(batch.x, turned, strict=True)
        )
        return batch.with_x(type(batch.x)(seen))


@dataclass(frozen=True)
class Stretch(View):
    """A run of letters of each sequence; its share of the letters is drawn from [`low`, `high`], one `step` at least.

    It begins a multiple of `step` letters from the beginning, and is a multiple of them long: with 3, codons stay.
    """

    low: float = 0.5
    high: float = 1.0
    step: int = 1

    def __post_init__(self) -> None:
        check_interval(self, "low", "high", 0.0, 1.0)
        check_at_least(self, "step", 1)

    def __call__(self, batch: Batch) -> Batch:
        drawn = uniform(batch, 2).tolist()
        runs = (self._run(text, share, place) for text, (share, place) in zip(batch.x, drawn, strict=True))
        return batch.with_x(type(batch.x)(runs))

    def _run(self, text: str, share: float, place: float) -> str:
        steps = -(-len(text) // self.step)  # the last one may be shorter
        number = max(1, round((self.low + (self.high - self.low) * share) * steps))
        start = int(place * (steps - number + 1)) * self.step
        return text[start : start + number * self.step]


@dataclass(frozen=True)
class Substitute(View):
    """Each letter exchanged, with some probability, for one of `letters`, drawn at random (the same one, perhaps).

    Without `letters` it is exchanged for a letter from elsewhere in the sequence.
    """

    probability: float = 0.05
    letters: str = ""

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        lengths = np.array([len(text) for text in batch.x], dtype=np.int64)
        ends = lengths.cumsum()
        of = np.repeat(np.arange(len(lengths)), lengths)  # (m,) letters of all sequences, one after another
        first = np.repeat(ends - lengths, lengths)
        device = batch.labels.device
        where = (torch.from_numpy(each).to(device) for each in (of, np.arange(len(of)) - first))
        going, which = uniform_of_elements(batch, *where, columns=2).cpu().numpy().T
        codes = np.frombuffer("".join(batch.x).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        if self.letters:
            known = np.frombuffer(self.letters.encode("utf-32-le"), dtype=np.uint32)
            others = known[(which * len(known)).astype(np.int64)]
        else:
            others = codes[first + (which * lengths[of]).astype(np.int64)]
        seen = np.where(going < self.probability, others, codes).astype(np.uint32).tobytes()
        whole = seen.decode("utf-32-le", "surrogatepass")
        parts = (whole[end - n : end] for end, n in zip(ends.tolist(), lengths.tolist(), strict=True))
        return batch.with_x(type(batch.x)(parts))
