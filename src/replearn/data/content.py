"""What `Batch.x` may be: a tensor, texts, or whatever else a kind of samples is made of."""

import hashlib
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor


@runtime_checkable
class Content(Protocol):
    """The content of a batch, one part per sample.

    A tensor is one, and so are `Texts`. One of your own (the union of several graphs, say) must also have `each()`:
    bytes per sample that equal samples share, by which copies are found and other data are told apart. It may have,
    where it makes sense:

    - `hashes()`: int64 `(n,)`, a number of 64 bits per sample that equal ones share, where it is faster than `each()`;
    - `counts`: int64 `(n,)`, how many elements (nodes, points) each sample has, by which large batches are parted;
    - `floats()`: the same content as floats, as encoders read it;
    - `flat()`: float `(n, d)`, every sample as a row of the same numbers;
    - `channels()`: float `(m, c)`, all numbers by channel, of which statistics are made.
    """

    def __len__(self) -> int: ...
    def __getitem__(self, rows: slice, /) -> Any: ...
    def to(self, device: torch.device | str, /) -> Any: ...


def as_float(x: Tensor) -> Tensor:
    """Bytes in [0, 255] become floats in [0, 1]; floats stay as they are."""
    return x.float().div_(255) if x.dtype == torch.uint8 else x.float()


def floats_of(x: Any) -> Any:
    """Content as floats; what has none stays as it is."""
    if isinstance(x, Tensor):
        return as_float(x)
    return x.floats() if hasattr(x, "floats") else x


def rows_of_numbers(x: Any) -> Tensor | None:
    """Content as float `(n, d)`, images in [0, 1]; None where its samples are no rows of the same numbers."""
    if isinstance(x, Tensor):
        return as_float(x).flatten(1)
    found: Tensor | None = x.flat() if hasattr(x, "flat") else None
    return found


def channels_of(x: Any) -> Tensor | None:
    """All numbers of content by channel or column, float `(m, c)`; None where it has no channels."""
    if isinstance(x, Tensor):
        floats = as_float(x)  # (n, c, ...) or (n, d)
        return floats.flatten(2).transpose(1, 2).flatten(0, 1) if floats.ndim > 2 else floats
    found: Tensor | None = x.channels() if hasattr(x, "channels") else None
    return found


def each_as_bytes(x: Any) -> Iterator[bytes]:
    """The content of each sample, as bytes that equal samples share.

    Raises:
        ValueError: it does not tell them.
    """
    if isinstance(x, Tensor):
        numbers = x.flatten(1).numpy()
        for row in numbers if numbers.dtype == np.uint8 else numbers + 0:  # -0 becomes 0
            yield row.tobytes()
    elif hasattr(x, "each"):
        yield from x.each()
    else:
        raise ValueError(
            f"the content of samples must have each(), the bytes of each; {type(x).__name__} has none. Write it."
        )


def ids_of(x: Any) -> Int[Tensor, " n"]:
    """A number of 64 bits per sample that equal samples share, on any process and in any slice.

    Two unlike samples share one with probability 2^-64.

    >>> ids = ids_of(torch.tensor([[0.0, 1.0], [1.0, 0.0], [-0.0, 1.0]]))
    >>> (ids[:, None] == ids).int().tolist()
    [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    """
    if isinstance(x, Tensor):
        rows = x.flatten(1) + 0 if x.is_floating_point() else x.flatten(1)  # -0 becomes 0
        raw = rows.contiguous().view(torch.uint8)  # (n, bytes)
        return mixed(sums_of_words(F.pad(raw, (0, -raw.shape[1] % 8)).view(torch.int64)))
    if hasattr(x, "hashes"):
        numbers: Tensor = x.hashes()
        return numbers
    digests = [hashlib.blake2b(content, digest_size=8).digest() for content in each_as_bytes(x)]
    return torch.tensor(
        [int.from_bytes(digest, "little", signed=True) for digest in digests], dtype=torch.int64
    )


def sums_of_words(words: Int[Tensor, "n w"]) -> Int[Tensor, " n"]:
    """Sums of the words of each row, with odd weights; whole numbers of 64 bits wrap alike everywhere."""
    weights = mixed(torch.arange(words.shape[1], device=words.device)) | 1
    return (mixed(words) * weights).sum(dim=1)


def mixed(words: Tensor) -> Tensor:
    """Bits spread over all places, one to one (the finaliser of SplitMix64).

    Reference: Steele, Lea and Flood, OOPSLA 2014. https://doi.org/10.1145/2660193.2660195
    """
    words = words + (0x9E3779B97F4A7C15 - 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9 - 2**64), (27, 0x94D049BB133111EB - 2**64)):
        words = (words ^ ((words >> shift) & (2 ** (64 - shift) - 1))) * factor
    return words ^ ((words >> 31) & (2**33 - 1))
