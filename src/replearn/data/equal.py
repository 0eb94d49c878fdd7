"""Which samples of a batch are equal: told by a number of their content, so that none is taken for a stranger."""

import hashlib

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor

from replearn.data.content import each_as_bytes
from replearn.data.samples import Batch


def content_ids(batch: Batch) -> Int[Tensor, " n"]:
    """A number of 64 bits per sample of a batch that equal samples share, on any process and in any slice.

    Two unlike samples share one with probability 2^-64.

    >>> unknown = torch.full((3,), -1)
    >>> from replearn.data.text import Texts
    >>> ids = content_ids(Batch(Texts(["a", "b", "a"]), unknown, torch.arange(3)))
    >>> (ids[:, None] == ids).int().tolist()
    [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    """
    if isinstance(batch.x, Tensor):
        return _hashes(batch.x)
    if hasattr(batch.x, "hashes"):
        numbers: Tensor = batch.x.hashes()
        return numbers
    found = [hashlib.blake2b(content, digest_size=8) for content in each_as_bytes(batch.x)]
    told = [int.from_bytes(each.digest(), "little", signed=True) for each in found]
    return torch.tensor(told, dtype=torch.int64, device=batch.labels.device)


def _hashes(x: Tensor) -> Int[Tensor, " n"]:
    """Sums of the words of each row, with odd weights; whole numbers of 64 bits wrap alike everywhere."""
    rows = x.flatten(1) + 0 if x.is_floating_point() else x.flatten(1)  # -0 becomes 0
    raw = rows.contiguous().view(torch.uint8)  # (n, bytes)
    words = F.pad(raw, (0, -raw.shape[1] % 8)).view(torch.int64)  # (n, w)
    weights = mixed(torch.arange(words.shape[1], device=x.device)) | 1
    return mixed((mixed(words) * weights).sum(dim=1))


def mixed(words: Tensor) -> Tensor:
    """Bits spread over all places, one to one (the finaliser of SplitMix64).

    Reference: Steele, Lea and Flood, OOPSLA 2014. https://doi.org/10.1145/2660193.2660195
    """
    words = words + (0x9E3779B97F4A7C15 - 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9 - 2**64), (27, 0x94D049BB133111EB - 2**64)):
        words = (words ^ ((words >> shift) & (2 ** (64 - shift) - 1))) * factor
    return words ^ ((words >> 31) & (2**33 - 1))
