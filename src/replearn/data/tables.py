"""Tables: pandas frames, also those of files (`replearn.data.table_files`), and arrays of two axes.

frame --choose_columns--> features --learn_reading, read_frame--> TableSamples
"""

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from replearn.data.arrays import chunks, standard_array
from replearn.data.columns import (
    LABEL_NAMES,
    Columns,
    choose_columns,
    gaps,
    label_column,
    like_groups,
)
from replearn.data.labels import encode_labels
from replearn.data.samples import ArraySamples
from replearn.data.stored import StoredRows
from replearn.data.table_files import string_names
from replearn.data.table_reading import LARGEST, TableReading, learn_reading, read_frame
from replearn.data.told import warn_of_data

if TYPE_CHECKING:  # pandas is imported where it is used: most data come as arrays or images
    from pandas import DataFrame

log = logging.getLogger("replearn")


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """What is asked of a table.

    Attributes:
        labels, groups: columns of classes, and of groups that a split keeps together.
        targets: columns of several things to predict, which are not learned from.
        columns: to learn from, if they are not to be found.
        drop: not to learn from.
        reading: how other rows were read, so that these are read alike; None: learn it from these.
        strict: raise where columns are left out or gaps are filled, instead of a `DataWarning`.
    """

    labels: str | None = None
    groups: str | None = None
    targets: Sequence[str] = ()
    columns: Sequence[str] = ()
    drop: Sequence[str] = ()
    reading: TableReading | None = None
    strict: bool = False


class TableSamples(ArraySamples):
    """Rows of a table, read as numbers.

    Args:
        frame: the columns that are read.
        reading: how.
        learned: whether it was learned from these rows, so that a split may learn it again from a part of them.
    """

    def __init__(self, frame: "DataFrame", reading: TableReading, *, origin: str, learned: bool) -> None:
        x, self.notes = read_frame(frame, reading, origin=origin)
        super().__init__(x)
        self.frame = frame
        self.reading = reading
        self.origin = origin
        self.learned = learned

    def learned_on(self, index: np.ndarray) -> "TableSamples":
        """The same rows, with medians and values of the rows at `index`; of a reading that was given, as they are."""
        if not self.learned:
            return self
        reading = learn_reading(self.frame.iloc[index])
        again = TableSamples(self.frame, reading, origin=self.origin, learned=True)
        changed = copy.copy(self)
        changed.__dict__.pop("statistics", None)
        changed.x, changed.shape, changed.reading = again.x, again.shape, reading
        for line in again.notes:
            log.info("%s: %s", self.origin, line)
        return changed


def table_samples(
    frame: "DataFrame", options: TableOptions, *, origin: str = "the table"
) -> tuple[TableSamples, Any, Any]:
    """The features of a table as samples, its labels or None, and its groups or None.

    Raises:
        ValueError: no such column, no feature, a number that is infinite or too large.
    """
    frame = string_names(frame)
    if len(frame) == 0:
        raise ValueError(f"a table must hold at least one sample; got none under {frame.shape[1]} columns.")
    label = label_column(list(frame.columns), options.labels, origin=origin)
    values = None if label is None else _labels(frame, label, given=options.labels is not None)
    lines = []
    if options.reading is None:
        chosen = choose_columns(
            frame,
            origin=origin,
            labels=options.labels,
            groups=options.groups,
            columns=options.columns,
            drop=[*options.drop, *options.targets],
        )
        features = frame[list(chosen.features)]
        reading = learn_reading(features)
        samples = TableSamples(features, reading, origin=origin, learned=True)
        lines = [f"not learned from: {chosen.told()}"] if chosen.left_out else []
        if label is not None and values is None:
            lines.append(f"{label!r} holds measurements: neither learned from nor labels")
        lines += filter(None, [_told_groups(frame, chosen, options), reading.told()])
    else:
        samples = TableSamples(frame, options.reading, origin=origin, learned=False)
        known = {*options.reading.names, *options.targets, label, options.groups}
        if options.groups in options.reading.names:
            log.warning(
                "%s: column %r holds the groups, but the run has learned from it; fit with groups named, too",
                *(origin, options.groups),
            )
        others = [name for name in frame.columns if name not in known]
        if others:
            log.info(
                "%s: columns that were not learned from are left out: %s", origin, ", ".join(others[:10])
            )
        for line in samples.notes:
            log.warning("%s: %s", origin, line)
    if lines:
        warn_of_data(f"{origin}: {'; '.join(lines)}", strict=options.strict)
    if label is not None and options.labels is None and label != LABEL_NAMES[0] and values is not None:
        log.info("%s: column %r holds the labels", origin, label)
    if options.groups is None:
        return samples, values, None
    groups = group_names(frame[options.groups])
    if options.reading is None:
        named = len(set(groups.tolist()) - {""})
        log.info("%s: column %r holds %d groups and is not learned from", origin, options.groups, named)
    return samples, values, groups


def _told_groups(frame: "DataFrame", chosen: Columns, options: TableOptions) -> str:
    """What to say of features that look like groups where none are named; nothing where there are none."""
    alike = [] if options.columns or options.groups else like_groups(frame, chosen.features)
    if not alike:
        return ""
    return (
        f"{alike[0]!r} is learned from, but looks like groups of rows ({frame[alike[0]].nunique():,} values): --groups "
        f"{alike[0]}, in Python groups={alike[0]!r}, keeps it out, and each group on one side of a split"
    )


def array_samples(data: Any, reading: TableReading | None = None) -> ArraySamples:
    """An array `(n, d)` as samples; digits that float32 would lose are saved by a shift, which `reading` keeps.

    Raises:
        ValueError: as `standard_array` does; a number is too large.
    """
    import pandas as pd

    array = data.detach().cpu().numpy() if hasattr(data, "detach") else data
    plain = reading is not None and not reading.texts and not any(c.marked for c in reading.columns)
    fits = reading is not None and plain and array.ndim == 2 and len(reading.columns) == array.shape[1]
    wide = array.ndim == 2 and array.dtype.kind in "iuf" and array.dtype.itemsize > 4 and 0 not in array.shape
    known = reading if fits and reading is not None and any(c.shift for c in reading.columns) else None
    if known is None and (not wide or not np.isfinite(array).all()):  # `standard_array` says in how many rows
        return ArraySamples(_within(standard_array(data)))
    frame = pd.DataFrame(array)
    found = known or learn_reading(string_names(frame))
    if not any(column.shift for column in found.columns):
        return ArraySamples(_within(standard_array(data)))
    samples = TableSamples(
        frame.set_axis(list(found.names), axis=1), found, origin="the array", learned=known is None
    )
    if known is None:
        warn_of_data(f"the array: {found.told()}", strict=False)
    return samples


def group_names(values: Any) -> np.ndarray:
    """Names of groups, `""` where there is none.

    Raises:
        ValueError: they are not one column.
    """
    import pandas as pd

    column = pd.Series(values)
    if column.ndim != 1:
        raise ValueError(f"groups must be one column; got shape {column.shape}.")
    missing = gaps(column)
    return np.array(
        ["" if gap else str(value) for gap, value in zip(missing, column, strict=True)], dtype=str
    )


def _labels(frame: "DataFrame", label: str, *, given: bool) -> Any:
    """The column of labels; None of one that was found by its name and holds no classes."""
    if given or label == LABEL_NAMES[0]:
        return frame[label]
    try:
        encode_labels(frame[label], len(frame))
    except ValueError:
        return None
    return frame[label]


def _within(x: "np.ndarray | StoredRows") -> "np.ndarray | StoredRows":
    """The same, if its numbers are not too large."""
    size = max((float(np.abs(part).max()) for _, part in chunks(x)), default=0.0)
    if size > LARGEST:
        raise ValueError(
            f"values must be at most {LARGEST:.0e} in size, for their squares must fit float32; got {size:.3g}. "
            "Divide them by a constant."
        )
    return x
