"""Recordings of several channels become series of one length, `(n, c, t)`.

    recordings (c, t_i) --gaps filled--> --windows of one length--> series (n, c, t)

What was filled, cut, left out or padded is counted, and said in one line each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from replearn.data.samples import ArraySamples
from replearn.data.stored import StoredRows
from replearn.data.told import tell

Padding = Literal["edge", "constant"]
LARGEST = 1e18  # of a number's size: squares of larger ones overflow float32


class SeriesSamples(ArraySamples):
    """Series of one length, float32 `(n, c, t)`.

    Args:
        x: the series.
        channels: a name per channel, or none.
        stride: rows between the beginnings of two windows; None: there is a window of each recording.
        given: what else `ArraySamples` takes.
    """

    def __init__(
        self,
        x: np.ndarray | StoredRows,
        labels: np.ndarray | None = None,
        *,
        channels: Sequence[str] = (),
        stride: int | None = None,
        classes: Sequence[str] = (),
        names: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(x, labels, classes=classes, names=names, skipped=skipped)
        self.kind = "series"
        self.details = {"channels": list(channels), "stride": stride}


class Unusable(ValueError):
    """A recording can't be used; its message is the reason, which follows the recording's name."""


@dataclass
class Gaps:
    """Missing values that were filled."""

    values: int = 0
    recordings: int = 0

    def told(self, n: int) -> list[str]:
        """A line, where there were any."""
        if not self.values:
            return []
        return [
            f"{self.values:,} missing values in {self.recordings:,} of {n:,} recordings are filled by straight lines "
            "between their neighbours in time"
        ]


def filled(x: Float[np.ndarray, "c t"], gaps: Gaps, channels: Sequence[str] = ()) -> Float[np.ndarray, "c t"]:
    """The recording with missing values on straight lines between their neighbours; beyond the ends, as the nearest.

    Raises:
        Unusable: a channel has no value, or one that is infinite or too large.
    """
    missing = np.isnan(x)
    with np.errstate(invalid="ignore"):
        wrong = np.argwhere(~missing & ~(np.abs(x) <= LARGEST))
    if len(wrong):
        channel, row = wrong[0]
        raise Unusable(f"has {x[channel, row]:g} in {_channel(int(channel), channels)}, row {row}")
    if not missing.any():
        return x
    empty = np.flatnonzero(missing.all(1))
    if len(empty):
        raise Unusable(f"has no value in {_channel(int(empty[0]), channels)}")
    gaps.values += int(missing.sum())
    gaps.recordings += 1
    x, at = x.copy(), np.arange(x.shape[1])
    for channel in np.flatnonzero(missing.any(1)):
        there = ~missing[channel]
        x[channel] = np.interp(at, at[there], x[channel, there])
    return x


def _channel(number: int, channels: Sequence[str]) -> str:
    return f"channel {channels[number]!r}" if channels else f"channel {number}"


@dataclass(frozen=True)
class Cut:
    """How recordings become windows of one length.

    Attributes:
        length: rows of a window.
        stride: rows between the beginnings of two windows; None: one window, from the middle.
        lengths: rows of each recording.
    """

    length: int
    stride: int | None
    lengths: Sequence[int] = field(repr=False)

    def starts(self, rows: int) -> list[int]:
        """Where the windows of a recording of so many rows begin."""
        spare = rows - self.length
        if spare <= 0:
            return [0]
        return [spare // 2] if self.stride is None else list(range(0, spare + 1, self.stride))

    @property
    def windows(self) -> int:
        """Of all recordings together."""
        return sum(len(self.starts(rows)) for rows in self.lengths)

    def of(self, x: Float[np.ndarray, "c t"], *, mode: Padding = "edge") -> Float[np.ndarray, "k c _"]:
        """The windows of a recording; one that is too short goes on with its last values, or (`constant`) zeros."""
        short = self.length - x.shape[1]
        if short > 0:
            return np.pad(x, ((0, 0), (0, short)), mode=mode)[None]
        return np.stack([x[:, start : start + self.length] for start in self.starts(x.shape[1])])

    def told(self, how: str = "with their last values") -> list[str]:
        """Lines on what is not as it was; `how` short ones are made longer."""
        n, long = len(self.lengths), [rows for rows in self.lengths if rows > self.length]
        short = [self.length - rows for rows in self.lengths if rows < self.length]
        lines = []
        if self.stride is not None:
            rest = sum(rows - (self.starts(rows)[-1] + self.length) for rows in long)
            between = max(0, self.stride - self.length) * (self.windows - n)
            lines.append(
                f"{n:,} recordings are cut into {self.windows:,} windows of {self.length} rows, one every "
                f"{self.stride}; {rest + between:,} rows are in none"
            )
        elif long:
            lost = sum(rows - self.length for rows in long)
            lines.append(
                f"{len(long):,} of {n:,} recordings are cut to the {self.length} rows in their middle ({lost:,} rows "
                "are left out)"
            )
        if short:
            lines.append(
                f"{len(short):,} of {n:,} recordings are padded to {self.length} rows {how} "
                f"({sum(short):,} rows are made up)"
            )
        return lines


def cut_of(lengths: Sequence[int], length: int | None, stride: int | None) -> Cut:
    """How recordings of these lengths are cut: to the median of them, if no length is given.

    >>> cut_of([100, 100, 140], None, None).length, cut_of([10, 25], 10, 5).windows
    (100, 5)
    """
    return Cut(int(np.median(lengths)) if length is None else length, stride, lengths)


def one_length(
    recordings: Sequence[np.ndarray], *, length: int | None, stride: int | None, origin: str, strict: bool
) -> tuple[Float[np.ndarray, "n c t"], Int[np.ndarray, " n"]]:
    """Series of one length of recordings `(c, t_i)`, and the recording that each is of; what was done is said.

    Args:
        recordings: float, of the same channels; NaN where a value is missing.
        length, stride: see `Cut`; None: see `cut_of`.
        origin: what to call them.
        strict: raise where something was filled, cut or padded, instead of a `DataWarning`.

    Raises:
        ValueError: a recording can't be used, or what `strict` says.
    """
    gaps, parts = Gaps(), []
    cut = cut_of([x.shape[1] for x in recordings], length, stride)
    for number, x in enumerate(recordings):
        try:
            parts.append(cut.of(filled(x, gaps)))
        except Unusable as error:
            raise ValueError(
                f"series must have values in every channel, up to {LARGEST:g} in size; recording {number} {error}. "
                "Drop the recording or the channel."
            ) from error
    of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    tell(origin, [*gaps.told(len(recordings)), *cut.told()], strict=strict)
    return np.concatenate(parts).astype(np.float32, copy=False), of


def recordings_of(data: Any) -> list[Float[np.ndarray, "c t"]] | Float[np.ndarray, "n c t"]:
    """Recordings of an array or tensor `(n, c, t)`, or `(n, t)` of one channel, or of a list of arrays `(c, t_i)`.

    Raises:
        ValueError: they are none, or have unlike channels.
    """
    if isinstance(data, list | tuple):
        found = [_numbers(one, f"recording {number}") for number, one in enumerate(data)]
        found = [one[None] if one.ndim == 1 else one for one in found]
        wrong = next((i for i, one in enumerate(found) if one.ndim != 2 or 0 in one.shape), None)
        if wrong is not None or not found:
            came = f"recording {wrong} has shape {found[wrong].shape}" if wrong is not None else "none came"
            raise ValueError(f"a list of series must hold arrays (channels, rows) with values; {came}.")
        other = next((i for i, one in enumerate(found) if len(one) != len(found[0])), None)
        if other is not None:
            raise ValueError(
                f"recordings must have the same channels; recording {other} has shape {found[other].shape}, "
                f"recording 0 {found[0].shape}. An array is (channels, rows): turn it, if it has rows first."
            )
        return found
    array = _numbers(data, "the array")
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ValueError(
            "series must be an array (n, channels, rows), or (n, rows) of one channel, with values; got shape "
            f"{array.shape}."
        )
    return array[:, None] if array.ndim == 2 else array


def _numbers(data: Any, what: str) -> np.ndarray:
    array = data.detach().cpu().numpy() if hasattr(data, "detach") else data
    array = array if isinstance(array, np.ndarray) else np.asarray(array)
    if array.dtype.kind not in "buif":
        raise ValueError(f"series must be numbers; {what} has dtype {array.dtype}. Give a list of arrays.")
    with np.errstate(over="ignore"):  # becomes infinite, and is reported as such
        return array if array.dtype == np.float32 else array.astype(np.float32)


def whole(array: Float[np.ndarray, "n c t"]) -> bool:
    """Whether all numbers of an array can be used as they are, looked at part by part."""
    rows = max(1, 2**22 // max(1, array[0].size))
    with np.errstate(invalid="ignore"):
        return all(bool((np.abs(part) <= LARGEST).all()) for part in _parts(array, rows))


def _parts(array: np.ndarray, rows: int) -> Iterator[np.ndarray]:
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
