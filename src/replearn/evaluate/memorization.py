"""Does a language model tell texts by heart, and do the texts that it is tested on stand in those it learned from?"""

import re
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from replearn.evaluate.intervals import wilson_interval

TRAINING, HELD_OUT = "training", "held out"
WORD = re.compile(r"\w+")
ODD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio


@runtime_checkable
class Continuing(Protocol):
    """What is asked of a language model; `replearn.methods.language.text_scores.TextScores` has it."""

    @property
    def own_tokenizer(self) -> Any: ...
    @property
    def context(self) -> int: ...
    def continue_tokens(self, prompts: Sequence[Sequence[int]], *, tokens: int) -> list[list[int]]: ...


def memorization(
    model: Continuing,
    training: Sequence[str],
    held_out: Sequence[str],
    *,
    prefixes: Sequence[int] = (4, 16, 32),
    length: int = 16,
    texts: int = 100,
    random_state: int = 0,
) -> pd.DataFrame:
    """How often a model goes on exactly as a text does, for texts it learned from and for others.

    It gets a text's first tokens and goes on with the most probable token each time. What it does as often on
    held-out text is knowledge of the language; what it does more often on training text, it has by heart.

    Args:
        model: a fitted language model.
        training: texts that it learned from.
        held_out: others, of the same kind.
        prefixes: how many tokens it is given.
        length: how many tokens it must get right.
        texts: drawn from each part, of those with enough tokens for the longest prefix.
        random_state: seed of that.

    Returns:
        Columns `part` (`training`, `held out`), `prefix`, `exact` (share of texts whose next `length` tokens are all
        right) with its 95 % interval `low`, `high`, `tokens right` (share of tokens that are right where they stand),
        `texts`.

    Raises:
        ValueError: no text of a part is long enough, or prefix and continuation do not fit in the model's context.

    References:
        Carlini et al., "Quantifying memorization across neural language models", ICLR 2023, section 3.
        https://arxiv.org/abs/2202.07646
    """
    prefixes = tuple(sorted(set(prefixes)))
    if not prefixes or prefixes[0] < 1 or length < 1 or prefixes[-1] + length > model.context:
        raise ValueError(
            f"prefixes and length must be at least 1, and fit together in the model's context of {model.context} "
            f"tokens; got {', '.join(map(str, prefixes)) or 'none'} and {length}. Shorten them."
        )
    rows = []
    for part, given in ((TRAINING, training), (HELD_OUT, held_out)):
        chosen = _long_enough(model, given, prefixes[-1] + length, texts, random_state)
        if not chosen:
            raise ValueError(
                f"a {part} text must have at least {prefixes[-1] + length} tokens; none of {len(given)} has. "
                "Shorten prefixes or length."
            )
        rows += [
            {"part": part, "prefix": prefix} | _continued(model, chosen, prefix, length)
            for prefix in prefixes
        ]
    return pd.DataFrame(rows)


def _long_enough(
    model: Continuing, texts: Sequence[str], tokens: int, most: int, random_state: int
) -> list[list[int]]:
    """The first tokens of texts that have so many, drawn in a random order until there are enough."""
    order = np.random.default_rng(random_state).permutation(len(texts))
    found: list[list[int]] = []
    for start in range(0, len(order), most):
        encoded = model.own_tokenizer.encode([texts[int(i)] for i in order[start : start + most]])
        found += [ids[:tokens] for ids in encoded if len(ids) >= tokens]
        if len(found) >= most:
            break
    return found[:most]


def _continued(model: Continuing, texts: list[list[int]], prefix: int, length: int) -> dict[str, Any]:
    """How a model goes on after the first tokens of some texts."""
    written = model.continue_tokens([ids[:prefix] for ids in texts], tokens=length)
    right = [
        sum(a == b for a, b in zip(new, ids[prefix : prefix + length], strict=False))
        for new, ids in zip(written, texts, strict=True)
    ]
    exact = float(np.mean([count == length for count in right]))
    low, high = wilson_interval(exact, len(texts))
    share = float(np.mean(right)) / length
    return {"exact": exact, "low": low, "high": high, "tokens right": share, "texts": len(texts)}


def overlap(
    training: Sequence[str], test: Sequence[str], *, lengths: Sequence[int] = (8, 13)
) -> pd.DataFrame:
    """How much of some test texts stands in the training texts, word for word.

    Words are runs of letters and digits in lower case; an n-gram lies within one text.

    Args:
        training: texts that were learned from.
        test: texts that are tested on.
        lengths: of n-grams, in words; 13 is the length of Brown et al.

    Returns:
        A row per length: `length`, `seen` (share of the test texts' n-grams that occur in training texts, NaN where
        there is none), `texts` (share of the test texts with at least one that does), `n-grams` (how many).

    >>> overlap(["to be or not to be"], ["whether to be or not", "sleep no more"], lengths=(3,))
       length  seen  texts  n-grams
    0       3   0.5    0.5        4

    References:
        Brown et al., NeurIPS 2020, appendix C (n-grams that stand in training and test). https://arxiv.org/abs/2005.14165
    """
    ids, ends = _words([*training, *test])
    text = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))  # of each word
    rows = []
    for length in lengths:
        keys, of = _grams(ids, text, length)
        tested = of >= len(training)
        seen = np.isin(keys[tested], keys[~tested])
        hit = np.unique(of[tested][seen])
        rows.append(
            {
                "length": length,
                "seen": float(seen.mean()) if len(seen) else float("nan"),
                "texts": len(hit) / max(1, len(test)),
                "n-grams": len(seen),
            }
        )
    return pd.DataFrame(rows)


def _words(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """A number for each word, text after text, and where each text ends."""
    known: dict[str, int] = {}
    ids: list[int] = []
    ends = []
    for text in texts:
        ids += [known.setdefault(word, len(known)) for word in WORD.findall(text.lower())]
        ends.append(len(ids))
    return _scattered(np.array(ids, dtype=np.uint64)), np.array(ends, dtype=np.int64)


def _grams(
    ids: npt.NDArray[np.uint64], text: npt.NDArray[np.int64], length: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """A number of 64 bits for each n-gram (a hash: two are taken for one once in 10^8 for a million), and its text."""
    count = max(0, len(ids) - length + 1)
    keys = np.zeros(count, dtype=np.uint64)
    for place in range(length):
        keys = keys * np.uint64(ODD) + ids[place : place + count]
    within = text[:count] == text[length - 1 : length - 1 + count]
    return _scattered(keys[within]), text[:count][within]


def _scattered(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Integers of 64 bits, scattered (splitmix64)."""
    x = (x + np.uint64(1)) * np.uint64(ODD)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
