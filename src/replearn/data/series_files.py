"""Recordings in files: a CSV file for each, or the rows of one long table, told apart by a column.

time, x, y, z          columns of numbers are channels; `time` orders rows, `label` tells the class
id, time, x, y, z      the same, of many recordings below each other
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from replearn.data.asked import Asked, Found
from replearn.data.cache import ArrayWriter, cached
from replearn.data.columns import ID, INDEX, LABEL_NAMES, is_number
from replearn.data.folder import refuse_splits
from replearn.data.labels import written_labels
from replearn.data.progress import progress
from replearn.data.reasons import reason_of
from replearn.data.series import Cut, Gaps, SeriesSamples, Unusable, cut_of, filled
from replearn.data.sources import Source, folder_labels, is_hidden
from replearn.data.stored import open_rows
from replearn.data.table_files import NO_NUMBER
from replearn.data.tables import group_names
from replearn.data.told import tell, tell_skipped

if TYPE_CHECKING:
    from pandas import DataFrame

log = logging.getLogger("replearn")

SUFFIXES = (".csv", ".tsv")
TIMES = frozenset({"time", "t", "timestamp", "date", "datetime", "seconds", "sec", "ms", "millis"})
EVEN = 0.1  # of the usual step between two rows: others may differ by so much
VERSION = 1  # part of the cache's key: raise it when reading changes


@runtime_checkable
class Windows(Protocol):
    """What is asked of recordings (see `replearn.data.kinds.series.Series`)."""

    @property
    def length(self) -> int | None: ...
    @property
    def stride(self) -> int | None: ...
    @property
    def id(self) -> str: ...
    @property
    def time(self) -> str: ...


def is_recording(name: str) -> bool:
    """Whether a file's ending is that of rows of numbers, and neither it nor a folder on the way is hidden."""
    return name.lower().endswith(SUFFIXES) and not is_hidden(name)


def folder_of_recordings(source: Source, windows: Windows, asked: Asked) -> Found:
    """The recordings of a folder or zip, a CSV file each; classes are sub-folders, or a column `label`.

    Files are read once, into the cache. One that can't be read, has other columns than most, or lacks all values of a
    channel is left out and named.

    Raises:
        ValueError: no file can be read, or what `strict` says.
    """
    labelled = asked.labels is None
    if labelled:
        refuse_splits(source, "recordings")
    settings = f"{VERSION} {source.key} {windows.length} {windows.stride} {windows.time}"
    key = "series-" + hashlib.blake2b(settings.encode(), digest_size=16).hexdigest()
    entry = cached(key, lambda folder: _build(source, folder, windows))
    info = json.loads((entry / "info.json").read_text())
    skipped = [(name, reason) for name, reason in info["skipped"]]
    tell_skipped(skipped, "recordings", source.path, of=len(source.names), strict=asked.strict)
    tell(str(source.path), info["lines"], strict=asked.strict)
    log.info("%s: channels %s", source.path, ", ".join(info["channels"]))
    of = np.array(info["of"])
    samples = SeriesSamples(
        open_rows(entry / "series.npy"),
        channels=info["channels"],
        stride=windows.stride,
        names=[info["names"][place] for place in of],
        skipped=skipped,
    )
    if windows.stride is not None:
        samples.groups = np.array([info["names"][place] for place in of])
    return samples, _labels(info, of) if labelled else None, None


def _labels(info: Mapping[str, Any], of: np.ndarray) -> list[Any] | None:
    """Of each window: what the column says, else the sub-folder."""
    if any(label is not None for label in info["labels"]):
        return list(info["labels"])
    numbers, classes = folder_labels(info["names"])
    if numbers is None:
        return None
    return [classes[numbers[place]] if numbers[place] >= 0 else None for place in of]


def _build(source: Source, folder: Path, windows: Windows) -> None:
    """Read all files of `source` into `folder`: series.npy and info.json."""
    read: dict[str, tuple[np.ndarray, tuple[str, ...], np.ndarray | None]] = {}
    bad: dict[str, str] = {}
    gaps, uneven = Gaps(), 0
    with progress("reading recordings", len(source.names)) as advance:
        for place, name in enumerate(source.names):
            try:
                frame = _frame(source, place)
                x, channels, label, even = channels_of(frame, windows.time)
                read[name] = filled(x, gaps, channels), channels, label
                uneven += not even
            except Unusable as error:
                bad[name] = str(error)
            except Exception as error:  # what damaged files raise is not documented
                bad[name] = f"cannot be read: {reason_of(error, 100)}"
            advance(1)
    if not read:
        name, reason = next(iter(bad.items()))
        raise ValueError(
            f"{source.path} must hold at least one recording that can be read; none of {len(source.names):,} can. "
            f"The first: {name!r} {reason}."
        )
    usual = Counter(channels for _, channels, _ in read.values()).most_common(1)[0][0]
    for name in [name for name, (_, channels, _) in read.items() if channels != usual]:
        bad[name] = f"has channels {_few(read.pop(name)[1])}, not {_few(usual)}"
    cut = cut_of([x.shape[1] for x, _, _ in read.values()], windows.length, windows.stride)
    labels, of = _write(folder / "series.npy", list(read.values()), cut, len(usual))
    mixed = sum(label is not None and len(label) > 1 for label in labels)
    lines = [
        *gaps.told(len(read)),
        *cut.told(),
        *_told_uneven(uneven, len(read), windows.time),
        *_told_mixed(mixed),
    ]
    info = {
        "channels": usual,
        "names": list(read),
        "of": of,
        "labels": written_labels([label[0] if label else None for label in labels]),
        "skipped": sorted(bad.items()),
        "lines": lines,
    }
    (folder / "info.json").write_text(json.dumps(info))


def _write(
    path: Path,
    recordings: Sequence[tuple[np.ndarray, tuple[str, ...], np.ndarray | None]],
    cut: Cut,
    channels: int,
) -> tuple[list[list[str] | None], list[int]]:
    """Write the windows; return the labels in each, the most frequent first, and the recording of each."""
    labels: list[list[str] | None] = []
    of: list[int] = []
    with ArrayWriter(path, most=cut.windows, shape=(channels, cut.length), dtype=np.float32) as writer:
        for number, (x, _, label) in enumerate(recordings):
            parts = cut.of(x)
            writer.append(parts)
            of += [number] * len(parts)
            labels += [labels_within(label, start, cut.length) for start in cut.starts(x.shape[1])]
    return labels, of


def labels_within(labels: np.ndarray | None, start: int, length: int) -> list[str] | None:
    """The labels in a window, the most frequent first; None where there are none."""
    if labels is None:
        return None
    there = Counter(label for label in labels[start : start + length].tolist() if label)
    return [label for label, _ in there.most_common()] or None


def _told_mixed(mixed: int) -> list[str]:
    return [f"{mixed:,} windows have several labels, of which the most frequent is taken"] if mixed else []


def _told_uneven(uneven: int, n: int, time: str) -> list[str]:
    if not uneven:
        return []
    return [
        f"{uneven:,} of {n:,} recordings have uneven steps of {time}; their rows are taken as equally far apart"
    ]


def _frame(source: Source, place: int) -> "DataFrame":
    """A file's rows; one without a header has columns 0, 1, ..."""
    import pandas as pd

    separator = "\t" if source.names[place].lower().endswith(".tsv") else ","
    with source.open(place) as file:
        frame = pd.read_csv(file, sep=separator, na_values=NO_NUMBER, keep_default_na=False, low_memory=False)
    if all(_is_written_number(name) for name in frame.columns):
        with source.open(place) as file:
            frame = pd.read_csv(file, sep=separator, header=None, na_values=NO_NUMBER, keep_default_na=False)
    return frame.set_axis([str(name) for name in frame.columns], axis=1)


def _is_written_number(name: Any) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def channels_of(
    frame: "DataFrame",
    time: str,
    *,
    chosen: Sequence[str] = (),
    drop: Sequence[str] = (),
    label: str | None = None,
) -> tuple[Float[np.ndarray, "c t"], tuple[str, ...], np.ndarray | None, bool]:
    """The channels of a recording in the order of time, their names, the label of each row, and whether steps are even.

    Raises:
        Unusable: there are no rows or no channels.
    """
    if len(frame) < 2:
        raise Unusable(f"has {len(frame)} rows")
    told = label or next((name for name in frame.columns if name.lower() in LABEL_NAMES), None)
    clock = next((name for name in frame.columns if name == time or name.lower() in TIMES), None)
    even = True
    if clock is not None and is_number(frame[clock]) and frame[clock].notna().all():
        frame = frame.sort_values(clock, kind="stable")
        steps = np.diff(frame[clock].to_numpy(np.float64))
        usual = float(np.median(steps))
        even = bool((np.abs(steps - usual) <= EVEN * abs(usual)).all())
    others = {told, clock, *drop}
    names = tuple(chosen) or tuple(
        name for name in frame.columns if name not in others and is_number(frame[name]) and not _counts(name)
    )
    if not names:
        raise Unusable("has no column of numbers")
    with np.errstate(over="ignore"):
        x = frame[list(names)].to_numpy(np.float64).T.astype(np.float32)  # (c, t)
    labels = None
    if told is not None:
        labels = np.array(
            ["" if gap else str(value) for gap, value in zip(frame[told].isna(), frame[told], strict=True)]
        )
    return x, names, labels, even


def _counts(name: str) -> bool:
    """Whether a column is called as one that counts rows."""
    return bool(INDEX.fullmatch(name.lower()) or ID.fullmatch(name))


def table_of_recordings(frame: "DataFrame", windows: Windows, asked: Asked, *, origin: str) -> Found:
    """The recordings of a long table, told apart by a column.

    Raises:
        ValueError: there is no such column, or a recording can't be used.
    """
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    table = asked.table
    for name in (windows.id, *table.columns, *filter(None, [table.labels, table.groups])):
        if name not in frame.columns:
            hint = " Write kind='series:id=COLUMN'." if name == windows.id else ""
            raise ValueError(
                f"{origin} must have a column {name!r}, by which series are read; it has "
                f"{', '.join(frame.columns[:10])}.{hint}"
            )
    gaps, uneven, found, labels, groups, names = Gaps(), 0, [], [], [], []
    drop = (windows.id, *table.drop, *filter(None, [table.groups]))
    for own_id, rows in frame.groupby(windows.id, sort=False):
        try:
            x, channels, label, even = channels_of(
                rows, windows.time, chosen=table.columns, drop=drop, label=table.labels
            )
            found.append(filled(x, gaps, channels))
        except Unusable as error:
            raise ValueError(
                f"recordings of {origin} must have values in every channel; {windows.id} {own_id!s} {error}. Drop it."
            ) from error
        uneven += not even
        names.append(str(own_id))
        labels.append(label)
        groups.append(str(group_names(rows[table.groups])[0]) if table.groups else str(own_id))
    cut = cut_of([x.shape[1] for x in found], windows.length, windows.stride)
    x = np.concatenate([cut.of(one) for one in found])
    of = np.repeat(np.arange(len(found)), [len(cut.starts(one.shape[1])) for one in found])
    within = [
        labels_within(labels[number], start, cut.length)
        for number, one in enumerate(found)
        for start in cut.starts(one.shape[1])
    ]
    mixed = sum(one is not None and len(one) > 1 for one in within)
    missing = int(frame[windows.id].isna().sum())
    lost = [f"{missing:,} rows without {windows.id} are left out"] if missing else []
    lines = [*lost, *gaps.told(len(found)), *cut.told(), *_told_uneven(uneven, len(found), windows.time)]
    tell(origin, [*lines, *_told_mixed(mixed)], strict=asked.strict)
    log.info("%s: %d recordings, channels %s", origin, len(found), ", ".join(channels))
    samples = SeriesSamples(x, channels=channels, stride=windows.stride, names=[names[place] for place in of])
    samples.details = {**samples.details, "id": windows.id, "time": windows.time}
    together = np.array([groups[place] for place in of])
    if windows.stride is not None:
        samples.groups = together
    elsewhere = asked.labels is not None and table.labels is None
    own = (
        written_labels([one[0] if one else None for one in within]) if any(within) and not elsewhere else None
    )
    return samples, own, together if table.groups else None


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
