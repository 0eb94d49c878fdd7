"""Views of texts: a run of words, or a text without some of its words.

Strings are cut one by one, on the CPU: some microseconds each, beside milliseconds of the networks that read them.
"""

from dataclasses import dataclass

import torch

from replearn.data.samples import Batch
from replearn.data.text import Texts
from replearn.views.base import View, check_interval, check_probability, uniform

LONGEST = 512  # words apart from which draws are told; later words share theirs


@dataclass(frozen=True)
class Span(View):
    """A run of words of each text; its share of the text's words is drawn from [`low`, `high`], one word at least.

    References: Meng et al., NeurIPS 2021, section 3.2 (a text and its crop are to be told from others).
        https://arxiv.org/abs/2102.08473
    """

    low: float = 0.5
    high: float = 1.0

    def __post_init__(self) -> None:
        check_interval(self, "low", "high", 0.0, 1.0)

    def __call__(self, batch: Batch) -> Batch:
        drawn = uniform(batch, 2).tolist()
        shares = [self.low + (self.high - self.low) * share for share, _ in drawn]
        runs = (
            run_of_words(text, share, place)
            for text, share, (_, place) in zip(batch.x, shares, drawn, strict=True)
        )
        return batch.with_x(Texts(runs))


@dataclass(frozen=True)
class DropWords(View):
    """Each word of each text left out with some probability; one word stays at least.

    References: Iyyer et al., ACL 2015, section 4 (word dropout). https://doi.org/10.3115/v1/P15-1162
    """

    probability: float = 0.1

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        kept = uniform(batch, LONGEST) >= self.probability  # (n, words)
        return batch.with_x(Texts(map(chosen_words, batch.x, kept.cpu())))


def run_of_words(text: str, share: float, place: float) -> str:
    """A run of a share of a text's words; `place` in [0, 1) tells which.

    >>> run_of_words("to be or not", 0.5, 0.9)
    'or not'
    """
    words = text.split()
    number = max(1, round(share * len(words)))
    start = int(place * (len(words) - number + 1))
    return " ".join(words[start : start + number])


def chosen_words(text: str, kept: torch.Tensor) -> str:
    """The words that are kept; all of them where none would be."""
    words = text.split()
    flags = kept.tolist()
    return " ".join(word for i, word in enumerate(words) if flags[i % LONGEST]) or text
