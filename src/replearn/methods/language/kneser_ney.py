"""Interpolated Kneser-Ney smoothing: probabilities of n-grams, counted in arrays.

For a context c and its shorter one c' (without its first token), with counts a that are plain for the longest n-grams
and for those that begin a text, and for the others the number of different tokens found before them:

    p(w | c) = max(a(cw) - D(a(cw)), 0) / sum_v a(cv) + b(c) p(w | c'),    b(c): what the discounts D have freed

and, at the end, p(w | nothing) = 1 / number of tokens. Discounts D(1), D(2), D(3 and more) per length of n-gram.

References: Kneser & Ney, ICASSP 1995. https://doi.org/10.1109/ICASSP.1995.479394
    Chen & Goodman, Computer Speech and Language 1999, section 4.1 and equation 17 (three discounts, interpolated).
    https://doi.org/10.1006/csla.1999.0128
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Ids = Int[np.ndarray, " _"]  # of some length


class KneserNey(nn.Module):
    """The n-grams of a row of tokens, and their probabilities.

    An n-gram is a number: its first n - 1 tokens' place among the sorted (n-1)-grams, times the number of tokens, plus
    its last token. So all lengths and vocabularies fit in 64 bits, and n-grams that share a context lie together.

    Args:
        order: the longest n.
        vocabulary: number of tokens.
    """

    mark: Tensor

    def __init__(self, order: int, vocabulary: int) -> None:
        super().__init__()
        self.order, self.vocabulary = order, vocabulary
        self.register_buffer("mark", torch.tensor(0))
        for n in range(1, order + 1):
            self.register_buffer(f"keys{n}", torch.empty(0, dtype=torch.int64))  # sorted
            self.register_buffer(
                f"p{n}", torch.empty(0, dtype=torch.float64)
            )  # of the last token, interpolated
            self.register_buffer(f"left{n}", torch.empty(0, dtype=torch.float64))  # b, as a context
        self.register_buffer("left0", torch.ones(1, dtype=torch.float64))

    @property
    def end(self) -> int:
        """The token that ends texts; a text's first token is told from it."""
        return int(self.mark)

    def count(self, ids: Ids, *, end: int) -> None:
        """Learn from texts, one after the other, each with the mark `end` behind it."""
        self.mark.fill_(end)
        row = np.concatenate([[self.end], ids]).astype(np.int64)  # the first text begins after an end, too
        room = self._room(row)
        places: list[np.ndarray] = []  # of the n-gram that ends at each position, or -1
        for n in range(1, self.order + 1):
            keys = self._keys_at(row, places, n)
            found, at = np.unique(keys[room >= n], return_inverse=True)
            places.append(np.full(len(row), -1, dtype=np.int64))
            places[-1][room >= n] = at
            self._set(f"keys{n}", found)
        lower, left = np.full(self.vocabulary, 1 / self.vocabulary), np.zeros(0)
        for n in range(1, self.order + 1):
            lower, left = self._smooth(n, row, room, places, lower)
            self._set(f"p{n}", lower)
            self._set(f"left{n - 1}", left)
        self._set(f"left{self.order}", np.ones(len(lower)))

    def score(self, row: Ids) -> Float[np.ndarray, " _"]:
        """ln p of each token of a row but its first, which is an end; what follows another end begins a text."""
        room = self._room(row)
        p = np.full(len(row), self._get("left0")[0] / self.vocabulary)
        before = np.zeros(
            len(row), dtype=np.int64
        )  # place of the context of n - 1 tokens, -1 where it is unknown
        for n in range(1, self.order + 1):
            known = (before >= 0) & (room >= n)
            place = np.full(len(row), -1, dtype=np.int64)
            place[known] = find(self._get(f"keys{n}"), before[known] * self.vocabulary + row[known])
            new = self._get(f"left{n - 1}")[before] * p if n > 1 else p
            new[place >= 0] = self._get(f"p{n}")[place[place >= 0]]
            p = np.where(known, new, p)
            before = np.concatenate([[-1], place[:-1]])
        told: np.ndarray = np.log(p[1:])
        return told

    def score_rows(self, rows: Sequence[Ids]) -> list[Float[np.ndarray, " _"]]:
        """The same of several rows at once, each with an end at its beginning."""
        found = self.score(np.concatenate(rows))
        return [
            part[: len(row) - 1]
            for part, row in zip(np.split(found, np.cumsum([*map(len, rows)])[:-1]), rows, strict=True)
        ]

    def next_logits(self, row: Ids) -> Float[Tensor, " v"]:
        """ln p of each token after a row."""
        return torch.from_numpy(self.next_shares(row)).log()

    def next_shares(self, row: Ids) -> Float[np.ndarray, " v"]:
        """p of each token after a row, whose last end counts as the beginning of its text."""
        ends = np.flatnonzero(row == self.end)
        row = row[ends[-1] if len(ends) else 0 :][-(self.order - 1) :] if self.order > 1 else row[:0]
        p = np.full(self.vocabulary, self._get("left0")[0] / self.vocabulary)
        for n in range(1, self.order + 1):
            context = self._place(row[len(row) - n + 1 :]) if n <= len(row) + 1 else -1
            if context < 0:
                break
            keys = self._get(f"keys{n}")
            first, last = np.searchsorted(keys, [context * self.vocabulary, (context + 1) * self.vocabulary])
            p = p * (self._get(f"left{n - 1}")[context] if n > 1 else 1.0)
            p[keys[first:last] - context * self.vocabulary] = self._get(f"p{n}")[first:last]
        return p

    def _place(self, gram: Ids) -> int:
        """The place of an n-gram among those of its length, or -1."""
        place = 0
        for n, token in enumerate(gram, start=1):
            place = int(find(self._get(f"keys{n}"), np.array([place * self.vocabulary + int(token)]))[0])
            if place < 0:
                break
        return place

    def _room(self, row: Ids) -> Ids:
        """How long an n-gram that ends at each position may be: to the mark before its text, and no longer than any."""
        starts = np.maximum.accumulate(np.where(row == self.end, np.arange(len(row)), 0))
        before = np.concatenate([[0], starts[:-1]])  # an end belongs to the text that it ends
        room: np.ndarray = np.arange(len(row)) - before + 1
        room[0] = 1
        np.minimum(room, self.order, out=room)
        return room

    def _keys_at(self, row: Ids, places: list[np.ndarray], n: int) -> Ids:
        """The number of the n-gram that ends at each position, nonsense where there is none."""
        if n == 1:
            return row
        keys: np.ndarray = np.concatenate([[0], places[-1][:-1]]) * self.vocabulary + row
        return keys

    def _smooth(
        self, n: int, row: Ids, room: Ids, places: list[np.ndarray], lower: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The probabilities of n-grams, and what each context leaves to the shorter one, from those of (n-1)-grams."""
        keys = self._get(f"keys{n}")
        counts = self._counts(n, row, room, places)
        off = np.array([0.0, *discounts(counts)])[np.minimum(counts, 3)]
        context = keys // self.vocabulary if n > 1 else np.zeros(len(keys), dtype=np.int64)
        size = len(self._get(f"keys{n - 1}")) if n > 1 else 1
        total = np.bincount(context, weights=counts, minlength=size)
        freed = np.bincount(context, weights=off, minlength=size)
        left = np.divide(freed, total, out=np.ones(size), where=total > 0)
        shorter = self._shorter(n, room, places, len(keys)) if n > 1 else keys
        p = (counts - off) / np.maximum(total, 1)[context] + left[context] * lower[shorter]
        return p, left

    def _counts(self, n: int, row: Ids, room: Ids, places: list[np.ndarray]) -> Ids:
        """How often each n-gram was seen, or after how many different tokens."""
        told = places[n - 1][1:]  # the first end of all is not told
        plain = np.bincount(told[room[1:] >= n], minlength=len(self._get(f"keys{n}")))
        if n == self.order:
            return plain
        # Where there is room for one token more, the n-gram lies within a text: its (n+1)-grams count once each.
        after = self._shorter(n + 1, room, places, len(self._get(f"keys{n + 1}")))
        types = np.bincount(after, minlength=len(plain))
        return np.where(types > 0, types, plain)

    def _shorter(self, n: int, room: Ids, places: list[np.ndarray], size: int) -> Ids:
        """The place of each n-gram without its first token, among (n-1)-grams."""
        found = np.zeros(size, dtype=np.int64)
        there = room >= n
        found[places[n - 1][there]] = places[n - 2][there]
        return found

    def _get(self, name: str) -> np.ndarray:
        value: Tensor = getattr(self, name)
        return value.numpy()

    def _set(self, name: str, value: np.ndarray) -> None:
        setattr(self, name, torch.from_numpy(np.ascontiguousarray(value)))

    def _apply(self, fn: Any, recurse: bool = True) -> "KneserNey":
        return self  # counting is done on the CPU, in 64 bits

    def _load_from_state_dict(self, state: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        for name in dict(self.named_buffers()):  # how many n-grams there are is only known now
            if f"{prefix}{name}" in state:
                setattr(self, name, torch.empty_like(state[f"{prefix}{name}"]))
        super()._load_from_state_dict(state, prefix, *rest)


def discounts(counts: Ids) -> tuple[float, float, float]:
    """D(1), D(2), D(3 and more) from how many n-grams have counts of 1 to 4 (Chen & Goodman 1999, equation 17).

        Y = n1 / (n1 + 2 n2),   D(k) = k - (k + 1) Y n_{k+1} / n_k

    Where some count is missing (few n-grams, or letters), the one discount of Kneser & Ney, Y, takes all places.
    """
    n = [int((counts == k).sum()) for k in range(1, 5)]
    y = n[0] / (n[0] + 2 * n[1]) if n[0] else 0.5
    single = min(max(y, 0.1), 0.9)
    if not all(n):
        return single, single, single
    found = [k - (k + 1) * y * n[k] / n[k - 1] for k in (1, 2, 3)]
    if not all(0 < d < k for k, d in enumerate(found, start=1)):
        return single, single, single
    return found[0], found[1], found[2]


def find(keys: Ids, wanted: Ids) -> Ids:
    """Where each number stands among sorted ones, -1 where it does not."""
    if len(keys) == 0:
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)
