"""`ReplaceWords`: texts in which words that tell little are exchanged for others that tell little."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float, Int

from replearn.data.samples import Batch, Samples
from replearn.data.text import Texts
from replearn.views.base import View, check_at_least, uniform_of_elements

MOST = 2**16  # texts, evenly spread, that words are counted in


@dataclass(frozen=True, eq=False)
class Words:
    """The words of some texts.

    Attributes:
        number: of each word.
        written: each word by its number.
        rarity: idf(w) = ln(n / texts with w); of a word that is not there, that of one in a single text is taken.
        unknown: this rarity.
        up_to: how likely a word up to this one is drawn: in proportion to max S - S(w), where S(w) is how often w
            occurs times its rarity.
    """

    number: dict[str, int]
    written: tuple[str, ...]
    rarity: Float[np.ndarray, " v"]
    unknown: float
    up_to: Float[np.ndarray, " v"]


@dataclass(frozen=True)
class ReplaceWords(View):
    """Words of low tf-idf replaced by words drawn by low tf-idf: what a text is about is mostly left.

    With t(w) how often a word occurs in its text times its idf, and C the largest t in the text, a word is replaced
    with probability

        min(1, probability (C - t(w)) / mean over the text of (C - t))

    so `probability` is about the share of words that are replaced; the word that tells most stays. Words are what
    stands between blanks, counted in at most 65,536 of the texts that a method is fitted on. A run does not store them:
    it counts again when it is trained on.

    Args:
        probability: mean probability of a word, at least 0; above 1 more and more words are certain to go.

    References: Xie et al., NeurIPS 2020 (UDA), appendix B ("word replacing with TF-IDF").
        https://arxiv.org/abs/1904.12848
    """

    probability: float = 0.3
    words: Words | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_at_least(self, "probability", 0.0)

    def fitted(self, samples: Samples) -> "ReplaceWords":
        """With the words of these texts."""
        made = replace(self)
        index = np.unique(np.linspace(0, len(samples) - 1, num=min(len(samples), MOST)).astype(np.int64))
        texts = (text.split() for part in samples.parts(index) for text in samples[part].x)
        object.__setattr__(made, "words", counted(texts, len(index)))
        return made

    def __call__(self, batch: Batch) -> Batch:
        if self.words is None:
            raise ValueError(
                "ReplaceWords must know the words of all texts first; it was fitted on none. Use fitted(samples)."
            )
        texts = [text.split() for text in batch.x]
        lengths = np.array([len(words) for words in texts], dtype=np.int64)
        of = np.repeat(np.arange(len(texts)), lengths)  # (m,) words of all texts, one after another
        place = np.arange(len(of)) - np.repeat(lengths.cumsum() - lengths, lengths)
        device = batch.labels.device
        drawn = uniform_of_elements(
            batch, *(torch.from_numpy(each).to(device) for each in (of, place)), columns=2
        )
        going, which = drawn.cpu().numpy().T
        gone = going < self.probability * relative(tf_idf(texts, of, self.words), of, len(texts))
        new = np.searchsorted(self.words.up_to, which, side="right").clip(max=len(self.words.written) - 1)
        written = [word for words in texts for word in words]
        for at in np.flatnonzero(gone).tolist():
            written[at] = self.words.written[new[at]]
        ends = lengths.cumsum().tolist()
        seen = (" ".join(written[end - n : end]) for end, n in zip(ends, lengths.tolist(), strict=True))
        return batch.with_x(Texts(one or text for one, text in zip(seen, batch.x, strict=True)))


def counted(texts: Iterable[list[str]], n: int) -> Words:
    """The words of n texts."""
    often: Counter[str] = Counter()
    among: Counter[str] = Counter()
    for words in texts:
        often.update(words)
        among.update(set(words))
    written = tuple(often)
    rarity = np.log(n / np.array([among[word] for word in written], dtype=np.float64))
    told = np.array([often[word] for word in written]) * rarity
    little = told.max(initial=0.0) - told
    chances = little if little.sum() > 0 else np.ones(len(written))
    return Words(
        {word: i for i, word in enumerate(written)}, written, rarity, math.log(max(n, 1)),
        chances.cumsum() / max(chances.sum(), 1),
    )  # fmt: skip


def tf_idf(texts: list[list[str]], of: Int[np.ndarray, " m"], known: Words) -> Float[np.ndarray, " m"]:
    """How much each word tells of its text: how often it is there, times its rarity."""
    others: dict[str, int] = {}
    first = len(known.written)
    number = np.array(
        [
            known.number[word] if word in known.number else others.setdefault(word, first + len(others))
            for words in texts
            for word in words
        ],
        dtype=np.int64,
    )
    rarity = np.append(known.rarity, known.unknown)[np.minimum(number, first)]
    _, same, counts = np.unique(of * (first + len(others)) + number, return_inverse=True, return_counts=True)
    told: np.ndarray = counts[same] * rarity
    return told


def relative(told: Float[np.ndarray, " m"], of: Int[np.ndarray, " m"], n: int) -> Float[np.ndarray, " m"]:
    """How much less than the most telling word of its text a word tells, beside the mean of that; 0 where all alike."""
    most = np.zeros(n)
    np.maximum.at(most, of, told)
    less = most[of] - told
    mean = np.bincount(of, less, minlength=n) / np.bincount(of, minlength=n).clip(min=1)
    found: np.ndarray = less / np.where(mean > 0, mean, 1)[of]
    return found
