"""Columns of targets, several of each sample, in a table or in a file of labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from replearn.data.columns import check_names
from replearn.data.kinds import KINDS
from replearn.data.label_files import read_label_file
from replearn.data.records import is_record_file, records, typed
from replearn.data.samples import Samples


def target_columns(
    data: Any, labels: Any, samples: Samples, targets: Sequence[str], *, groups: str | None
) -> tuple[dict[str, Any], np.ndarray | None]:
    """The columns of targets by name, for `read_targets`; and the groups that a file of labels has, or None.

    Args:
        data: what the samples came of: a pandas frame, a file of rows, or named files.
        labels: of named files, the path of the file that has the columns; else None.
        samples: of the data.
        targets: names of the columns.
        groups: of a file of labels, the column of groups.

    Raises:
        ValueError: there is no table or file of labels, or no such column; rows that are no samples.
    """
    if isinstance(labels, str | Path) and samples.names is not None and not KINDS[samples.kind].cuts:
        found, of_groups = read_label_file(
            Path(labels).expanduser(), samples.names, targets=targets, groups=groups
        )
        assert isinstance(found, dict)
        return found, of_groups
    table = Path(data).expanduser() if isinstance(data, str | Path) else data
    if labels is not None or not (
        is_record_file(table) if isinstance(table, Path) else hasattr(table, "columns")
    ):
        named = repr(str(data)) if isinstance(data, str | Path) else type(data).__name__
        raise ValueError(
            f"targets must be columns of a table, beside no labels, or of a file of labels for named files; got "
            f"{', '.join(targets)} for {named}. In Python, a mapping or a frame as labels does it, too."
        )
    if not isinstance(table, Path):
        frame = table.rename(columns=str)
        check_names(list(frame.columns), list(targets), "the frame")
        return {name: frame[name] for name in targets}, None
    rows = [values for _, values in records(table, list(targets))]
    if len(rows) != len(samples):
        raise ValueError(
            f"{table} must have a row for each sample; it has {len(rows):,}, of which {len(samples):,} can be read as "
            "samples. Leave the others out of the file."
        )
    return {name: typed(table, [row[i] for row in rows]) for i, name in enumerate(targets)}, None
