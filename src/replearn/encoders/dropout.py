"""Dropout that is the same on any number of processes and with any filling up: which numbers are lost is a hash.

A step draws one seed per layer; the number `j` of token `i` of row `r` is lost where 16 bits of
hash(seed, r, i, j // 4) say so. The row counts within the joined batch, so processes that hold parts of it lose what
one process would lose.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

from replearn.data.samples import Batch
from replearn.encoders.vocabulary import Tokens

log = logging.getLogger("replearn")
_first_row: ContextVar[int] = ContextVar("first row", default=0)
AT_ONCE = 4  # numbers of 16 bits in one of 64
GOLDEN = -0x61C8864680B583EB  # 2^64 over the golden ratio, as 64 bits with a sign


class RowDropout(nn.Dropout):
    """Numbers of a state lost with probability `p` while training, the others scaled by 1 / (1 - p).

    References: Srivastava et al., JMLR 2014. https://jmlr.org/papers/v15/srivastava14a.html

    >>> _ = torch.manual_seed(0)
    >>> RowDropout(0.5)(torch.ones(1, 1, 6))
    tensor([[[0., 0., 2., 2., 2., 0.]]])
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        seed = torch.randint(2**31, ()).to(x.device)
        rows = torch.arange(len(x), device=x.device) + _first_row.get()  # (n,)
        tokens = torch.arange(x[0].numel() // x.shape[-1], device=x.device)  # of a row
        words = torch.arange(-(-x.shape[-1] // AT_ONCE), device=x.device)
        places = _hash(_hash(rows + seed)[:, None] + tokens)  # (n, t)
        drawn = _hash(places[..., None] + words).view(torch.int16)[..., : x.shape[-1]]  # (n, t, d)
        lost = round(self.p * 2**16)  # of 2^16 numbers that may be drawn
        kept = (drawn >= lost - 2**15).to(x.dtype).mul_(2**16 / max(2**16 - lost, 1))
        return x * kept.view_as(x)


@contextmanager
def rows_of(part: Tokens | Batch) -> Iterator[None]:
    """While entered, rows count from where this part lies in the joined batch."""
    token = _first_row.set(part.start)
    try:
        yield
    finally:
        _first_row.reset(token)


def with_row_dropout(net: nn.Module) -> nn.Module:
    """`net`, with `RowDropout` wherever torch's dropout lost something.

    Attention's stays as it was made, with nothing to lose: it asks torch for random numbers that other processes would
    not draw.
    """
    for name, child in net.named_children():
        if type(child) is nn.Dropout and child.p > 0:
            setattr(net, name, RowDropout(child.p))
        elif type(child) is not nn.Dropout:
            with_row_dropout(child)
    return net


def set_dropout(net: nn.Module, p: float) -> None:
    """Let all of a network's dropouts lose this share, but not those within attention (see `with_row_dropout`); a line
    of the log says where there is none.
    """
    found = [module for module in net.modules() if isinstance(module, RowDropout)]
    for module in found:
        module.p = p
    if p and not found:
        log.info("dropout=%g does nothing, since the encoder has no layer that loses numbers", p)


def _hash(x: Tensor) -> Tensor:
    """Integers of 64 bits, scattered: splitmix64 (Steele, Lea & Flood 2014)."""
    x = x * GOLDEN
    x ^= (x >> 30).bitwise_and_(2**34 - 1)  # without the sign, which a shift would spread
    x *= -0x40A7B892E31B1A47
    x ^= (x >> 27).bitwise_and_(2**37 - 1)
    x *= -0x6B2FB644ECCEEE15
    return x.bitwise_xor_((x >> 31).bitwise_and_(2**33 - 1))
