"""Texts as one long row of tokens on disk: what language models learn from, however large the corpus.

    texts --tokenizer--> ids, one text after the other, and where each ends --windows--> (n, t)

Between two texts stands the token that marks an end.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int

from replearn.data.cache import cached
from replearn.data.labels import UNLABELLED
from replearn.data.progress import progress
from replearn.data.samples import Batch, Samples
from replearn.data.text import TextSamples
from replearn.data.tokenizer import LAST, Tokenizer

log = logging.getLogger("replearn")

TEXTS_AT_ONCE, CHARACTERS_AT_ONCE = 1024, 2**21
LOUD = 20_000  # texts from which on progress is shown
IDS, ENDS = "ids.int32", "ends.npy"


@dataclass(frozen=True, eq=False)
class TokenStream:
    """The tokens of texts, one after the other; each text ends with the token that marks its end.

    Attributes:
        ids: of tokens, on disk.
        ends: the position after each text.
    """

    ids: Int[np.ndarray, " t"]
    ends: Int[np.ndarray, " n"]

    def entropy(self) -> float:
        """Nats per token of one who knows how frequent each is, and no more."""
        size = int(self.ids.max()) + 1
        counts = np.sum([np.bincount(part, minlength=size) for part in self._parts()], axis=0)
        shares = counts[counts > 0] / len(self.ids)
        return float(-(shares * np.log(shares)).sum())

    def _parts(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.ids), 2**22):
            yield self.ids[start : start + 2**22]


def token_stream(samples: TextSamples, tokenizer: Tokenizer) -> TokenStream:
    """The tokens of these texts, from the cache; made there if need be, in bounded memory.

    Raises:
        CacheError: the cache cannot be written.
    """
    key = hashlib.blake2b(f"{samples.content_hash()} {tokenizer.json}".encode(), digest_size=16).hexdigest()
    folder = cached(f"tokens-{key}", lambda temporary: _write(samples, tokenizer, temporary))
    size = (folder / IDS).stat().st_size // 4
    ids = np.memmap(folder / IDS, dtype=np.int32, mode="r", shape=(size,))
    return TokenStream(ids, np.load(folder / ENDS, allow_pickle=False))


def _write(samples: TextSamples, tokenizer: Tokenizer, folder: Path) -> None:
    end, lengths = tokenizer.special(LAST), np.empty(len(samples), dtype=np.int64)
    done = 0
    with (folder / IDS).open("wb") as file, progress(*_told(samples)) as advance:
        for texts in _text_parts(samples.texts):
            found = tokenizer.encode(texts)
            lengths[done : done + len(texts)] = [len(ids) + 1 for ids in found]
            np.concatenate([np.asarray([*ids, end], dtype=np.int32) for ids in found]).tofile(file)
            done += len(texts)
            advance(len(texts))
    np.save(folder / ENDS, lengths.cumsum(), allow_pickle=False)


def _told(samples: TextSamples) -> tuple[str, int]:
    """What progress says, if there is enough to do."""
    return "tokens" if len(samples) >= LOUD else "", len(samples)


def _text_parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts in consecutive parts of bounded size."""
    part: list[str] = []
    size = 0
    for text in texts:
        part.append(text)
        size += len(text)
        if len(part) == TEXTS_AT_ONCE or size >= CHARACTERS_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


class TokenWindows(Samples):
    """A stream of tokens cut into windows of equal length, one per sample: nothing is filled up.

    Windows follow each other; the last one, if incomplete, overlaps the one before. A stream shorter than a window is
    one window, shorter than asked for. Positions from `len` on are of the same windows, moved by a token, then by two,
    as far as the stream goes.

    Attributes:
        stream: of tokens.
        length: tokens in a window.
        moves: how many times `len` positions there are: by how many tokens windows may be moved, 0 among them.

    >>> stream = TokenStream(np.arange(7, dtype=np.int32), np.array([7]))
    >>> windows = TokenWindows(stream, 3)
    >>> windows[np.arange(len(windows))].x
    tensor([[0, 1, 2],
            [3, 4, 5],
            [4, 5, 6]])
    >>> windows[len(windows) + np.arange(len(windows))].x[:, 0]
    tensor([1, 4, 4])
    """

    kind = "tokens"

    def __init__(self, stream: TokenStream, length: int, *, step: int | None = None) -> None:
        self.stream = stream
        self.length = min(length, len(stream.ids))
        self.shape = (self.length,)
        self.moves = step or self.length
        self.starts = _starts(len(stream.ids), self.length, self.moves)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: np.ndarray) -> Batch:
        moved, window = np.divmod(index, len(self))
        starts = np.minimum(self.starts[window] + moved, self.starts[-1])
        places = starts[:, None] + np.arange(self.length)  # (n, t)
        return Batch(
            x=torch.from_numpy(self.stream.ids[places].astype(np.int64)),
            labels=torch.full((len(index),), UNLABELLED),
            index=torch.from_numpy(np.asarray(index, dtype=np.int64)),
        )


def _starts(total: int, length: int, step: int) -> Int[np.ndarray, " n"]:
    last = max(0, total - length)
    starts = np.arange(0, last + 1, step, dtype=np.int64)
    return starts if starts[-1] == last else np.append(starts, last)
