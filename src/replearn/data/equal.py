"""Which samples of a batch are equal: told by a number of their content, so that none is taken for a stranger."""

import hashlib

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor

from replearn.data.samples import Batch
from replearn.data.text import Texts


def content_ids(batch: Batch) -> Int[Tensor, " n"]:
    """A number of 64 bits per sample of a batch that equal samples share, on any process and in any slice.

    Two unlike samples share one with probability 2^-64. Content that is neither a tensor nor texts is told apart by
    where it lies in the samples.

    >>> unknown = torch.full((3,), -1)
    >>> ids = content_ids(Batch(Texts(["a", "b", "a"]), unknown, torch.arange(3)))
    >>> (ids[:, None] == ids).int().tolist()
    [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    """
    if isinstance(batch.x, Texts):
        found = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8) for text in batch.x]
        numbers = [int.from_bytes(each.digest(), "little", signed=True) for each in found]
        return torch.tensor(numbers, dtype=torch.int64, device=batch.labels.device)
    return _hashes(batch.x) if isinstance(batch.x, Tensor) else batch.index


def _hashes(x: Tensor) -> Int[Tensor, " n"]:
    """Sums of the words of each row, with odd weights; whole numbers of 64 bits wrap alike everywhere."""
    rows = x.flatten(1) + 0 if x.is_floating_point() else x.flatten(1)  # -0 becomes 0
    raw = rows.contiguous().view(torch.uint8)  # (n, bytes)
    words = F.pad(raw, (0, -raw.shape[1] % 8)).view(torch.int64)  # (n, w)
    weights = _mixed(torch.arange(words.shape[1], device=x.device)) | 1
    return _mixed((_mixed(words) * weights).sum(dim=1))


def _mixed(words: Tensor) -> Tensor:
    """Bits spread over all places, one to one (the finaliser of SplitMix64).

    Reference: Steele, Lea and Flood, OOPSLA 2014. https://doi.org/10.1145/2660193.2660195
    """
    words = words + (0x9E3779B97F4A7C15 - 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9 - 2**64), (27, 0x94D049BB133111EB - 2**64)):
        words = (words ^ ((words >> shift) & (2 ** (64 - shift) - 1))) * factor
    return words ^ ((words >> 31) & (2**33 - 1))
