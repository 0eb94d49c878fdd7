"""`CausalLanguageModel`: what methods share that tell each token from those before it, by a network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description, Samples, TokenWindows
from replearn.data.tokenizer import Tokenizer
from replearn.encoders import FOLDER, Tokens, head_in
from replearn.encoders.dropout import set_dropout
from replearn.engine.orders import Moved, Order
from replearn.methods.language.language_model import LanguageModel
from replearn.methods.language.shared_beginnings import together
from replearn.methods.language.text_scores import TextScores

AT_ONCE = 2**24  # logits that are held


@dataclass(kw_only=True, eq=False, repr=False)
class CausalLanguageModel(LanguageModel, TextScores):
    """p(text) = prod_t p(token_t | tokens before t).

    Attributes:
        dropout: share of a state's numbers that are lost while training.
    """

    dropout: float = 0.1

    def build(self, samples: Description) -> None:
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1); got {self.dropout}. 0 loses nothing.")
        super().build(samples)
        net = self.encoder_.reader
        if not getattr(net, "causal", True):
            raise ValueError(
                f"{type(self).__name__} needs an encoder whose states do not know what follows; got "
                f"{self.encoder!r}. Use gpt_mini, lstm, or a causal model in a folder, hf:FOLDER."
            )
        self.head_ = head_in(self.encoder)
        set_dropout(net, self.dropout)
        if not (isinstance(self.encoder, str) and self.encoder.startswith(FOLDER)):
            net.length = min(self.encoder_.length, self.window)  # type: ignore[assignment]  # more would be untrained

    def order(self, samples: Samples) -> Order:
        """Windows begin at other tokens in each epoch, since of a window's first tokens little can be told."""
        assert isinstance(samples, TokenWindows)
        return Moved(len(samples), self.random_state, samples.moves)

    def logits(self, ids: Int[Tensor, "n t"], *, start: int = 0) -> Float[Tensor, "n t v"]:
        """Of each token that may come next: by the vectors of the tokens, or by the head of a folder that has one.

        The first: Press & Wolf, EACL 2017. https://arxiv.org/abs/1608.05859

        Args:
            ids: of tokens; what fills rows up at the end changes nothing before it.
            start: these are rows of a joined batch, from this one on.
        """
        return self._of_states(self._states(ids, start))

    def shifted(self, batch: Batch) -> tuple[Int[Tensor, "n t"], Int[Tensor, "n t"]]:
        """The tokens of windows, and of each the next one."""
        ids = self.encoder_.standardise(batch).ids  # all windows are full: no token is for filling up
        return ids[:, :-1], ids[:, 1:]

    # As `TextScores` asks for.

    @property
    def own_tokenizer(self) -> Tokenizer:
        """The tokenizer that it learned with."""
        return self.encoder_.vocabulary.tokenizer

    @property
    def context(self) -> int:
        """Tokens at most from which it tells the next one."""
        return self.encoder_.length - 1  # the last of a window is told, not read

    def score(self, rows: Sequence[Int[np.ndarray, " _"]]) -> list[Float[np.ndarray, " _"]]:
        """ln p of each token but a row's first, in windows that overlap by half.

        Rows that follow each other and begin alike are read as far as they do once, by networks that remember.
        """
        told = [np.empty(len(row) - 1, dtype=np.float32) for row in rows]
        groups = together(rows, self.context) if self._remembers else ()
        crowds = [(group, common) for group, common in groups if common]
        for group, common in crowds:
            for row, found in zip(
                group, self._told_together(rows[group.start : group.stop], common), strict=True
            ):
                told[row][:] = found
        done = {row for group, _ in crowds for row in group}
        for part in self._parts({i: row for i, row in enumerate(rows) if i not in done}):
            ids, new = _joined(rows, part)
            for (row, start, fresh, stop), found in zip(part, self._told(ids, new), strict=True):
                told[row][fresh:stop] = found[fresh - start : stop - start]
        return told

    def step(self, ids: Int[Tensor, "n t"], memory: Any = None) -> tuple[Float[Tensor, "n v"], Any]:
        """Logits of the next token; what was read is remembered, or read again by a network that remembers nothing."""
        net, ids = self.encoder_.reader, ids.to(self._device)
        if self._remembers:
            states, memory = net.step(ids, memory)  # type: ignore[operator]
        else:
            memory = ids if memory is None else torch.cat([memory, ids], dim=1)
            states = self._states(memory)
        return self._of_states(states[:, -1]), memory

    @property
    def _device(self) -> torch.device:
        return self.encoder_.word_vectors().device

    @property
    def _remembers(self) -> bool:
        """Whether its network can go on from what it has read."""
        return getattr(self.encoder_.reader, "remembers", False)

    def _states(self, ids: Tensor, start: int = 0) -> Float[Tensor, "n t d"]:
        tokens = Tokens(ids, torch.ones_like(ids, dtype=torch.bool), start)
        return self.encoder_.read(tokens, "states")  # type: ignore[no-any-return]

    def _of_states(self, states: Float[Tensor, "*n d"]) -> Float[Tensor, "*n v"]:
        found: Tensor = states @ self.encoder_.word_vectors().T if self.head_ is None else self.head_(states)
        return found

    def _told(self, ids: Int[Tensor, "n t"], new: Int[Tensor, "n t"]) -> Float[np.ndarray, "n t"]:
        """ln p of each of the tokens `new` after `ids`."""
        return self._nats(self._states(ids.to(self._device)), new)

    def _told_together(
        self, rows: Sequence[Int[np.ndarray, " _"]], common: int
    ) -> Iterator[Float[np.ndarray, " _"]]:
        """The same, of rows that have their first tokens in common."""
        net: Any = self.encoder_.reader
        first = torch.from_numpy(rows[0][:common])[None].to(self._device)  # (1, p)
        states, memory = net.step(first)
        shared = self._nats(states[:, :-1], first[:, 1:])[0]  # (p - 1,)
        ids = _filled([row[common:] for row in rows]).to(self._device)  # (n, t)
        states = states[:, -1:].expand(len(rows), 1, -1)
        if ids.shape[1] > 1:
            own, _ = net.step(ids[:, :-1], net.repeated(memory, len(rows)))
            states = torch.cat([states, own], dim=1)  # (n, t, d)
        for row, found in zip(rows, self._nats(states, ids), strict=True):
            yield np.concatenate([shared, found[: len(row) - common]])

    def _nats(self, states: Float[Tensor, "n t d"], new: Int[Tensor, "n t"]) -> Float[np.ndarray, "n t"]:
        """ln p of the token after each state; of so many at a time as logits may be held."""
        at_once = max(1, AT_ONCE // self.own_tokenizer.size)
        states, ids = states.flatten(0, 1), new.flatten().to(states.device)  # (n * t, d), (n * t,)
        parts = zip(torch.split(states, at_once), torch.split(ids, at_once), strict=True)
        nats = [F.cross_entropy(self._of_states(part), told, reduction="none") for part, told in parts]
        return -torch.cat(nats).view(new.shape).float().cpu().numpy()

    def _parts(self, rows: Mapping[int, Int[np.ndarray, " _"]]) -> Iterator[list[tuple[int, int, int, int]]]:
        """Windows of similar length, so many as may be held at once."""
        windows = [
            (i, *place) for i, row in rows.items() for place in overlapping(len(row) - 1, self.context)
        ]
        windows.sort(key=lambda window: window[1] - window[3])  # the longest first
        done = 0
        while done < len(windows):
            length = windows[done][3] - windows[done][1]
            at_once = max(1, AT_ONCE // (length * self.own_tokenizer.size))
            yield windows[done : done + at_once]
            done += at_once


def overlapping(length: int, window: int) -> list[tuple[int, int, int]]:
    """Windows over `length` tokens, as (first that is read, first that is told, end): each token is told once.

    >>> overlapping(10, 4)
    [(0, 0, 4), (2, 4, 6), (4, 6, 8), (6, 8, 10)]
    """
    found, told, half = [], 0, max(1, window // 2)
    while told < length:
        start = max(0, told - (window - half)) if told else 0
        stop = min(length, start + window)
        found.append((start, told, stop))
        told = stop
    return found


def _joined(
    rows: Sequence[Int[np.ndarray, " _"]], part: list[tuple[int, int, int, int]]
) -> tuple[Int[Tensor, "n t"], Int[Tensor, "n t"]]:
    """What windows read, and what they tell; what fills them up at the end is told, too, but not counted."""
    both = _filled([rows[row][start : stop + 1] for row, start, _, stop in part])
    return both[:, :-1], both[:, 1:]


def _filled(rows: Sequence[Int[np.ndarray, " _"]]) -> Int[Tensor, "n t"]:
    """Rows of one length, each filled up by its last token: what stands for filling up would make libraries warn."""
    ids = np.empty((len(rows), max(map(len, rows))), dtype=np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)], ids[place, len(row) :] = row, row[-1]
    return torch.from_numpy(ids)
