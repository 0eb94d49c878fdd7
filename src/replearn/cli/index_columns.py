"""The columns that an index has beside representations: what is known of each sample."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replearn.data import Samples


def columns_of(
    samples: "Samples", keep: "Sequence[str]", data: str, labels: str | None, *, first: int
) -> dict[str, Any]:
    """Number, name, label and group of each sample, where there are any, and the columns that are kept.

    Raises:
        ValueError: there is no such column, or it is called like one of these.
    """
    import numpy as np
    import pyarrow as pa

    from replearn.data.records import shown_name

    n = len(samples)
    found: dict[str, Any] = {"number": pa.array(np.arange(first, first + n), pa.int64())}
    if samples.names is not None:
        found["name"] = pa.array([shown_name(name) for name in samples.names], pa.string())
    if samples.labels is not None:
        names = [samples.classes[label] if label >= 0 else None for label in samples.labels.tolist()]
        found["label"] = pa.array(names, pa.string())
    if samples.groups is not None:
        found["group"] = pa.array(list(map(str, samples.groups)), pa.string())
    return found | _kept(samples, keep, data, labels)


def _kept(samples: "Samples", keep: "Sequence[str]", data: str, labels: str | None) -> dict[str, Any]:
    import pyarrow as pa

    from replearn.service.indexes import OWN

    own = [name for name in keep if name in OWN]
    if own:
        raise ValueError(f"--keep must name other columns than {', '.join(OWN)}; got {own[0]}. Rename it.")
    values = kept_values(samples, data, labels, keep)
    return {name: _array(column, pa) for name, column in values.items()}


def kept_values(
    samples: "Samples", data: str, labels: str | None, keep: "Sequence[str]"
) -> "Mapping[str, Sequence[Any]]":
    """The columns that `--keep` names, of DATA's table or of the file of `--labels`, a value per sample.

    Raises:
        ValueError: there are none of these names, or not a row per sample.
    """
    from replearn.data.label_files import read_label_file
    from replearn.data.records import is_record_file
    from replearn.data.remote import local_path
    from replearn.data.table_files import read_table

    if not keep:
        return {}
    file = local_path(data)
    if file.exists() and is_record_file(file):
        table = read_table(file)
        missing = [name for name in keep if name not in table.columns]
        if missing or len(table) != len(samples):
            there = ", ".join(map(str, table.columns[:10]))
            raise ValueError(
                f"--keep must name columns of {file}, a row per sample; it has {there}, "
                f"and {len(table):,} rows for {len(samples):,} samples."
            )
        return {name: table[name] for name in keep}  # type: ignore[misc]
    path = None if labels is None else local_path(labels)
    if path is None or not path.is_file() or samples.names is None:
        raise ValueError(
            "--keep is for DATA in a table, or with a file of --labels; got neither. Leave it out."
        )
    found = read_label_file(path, samples.names, targets=keep)[0]
    assert isinstance(found, dict)
    return found


def _array(values: Any, pa: Any) -> Any:
    """A column; of values of several types, their texts."""
    from replearn.data.records import shown_name

    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else shown_name(str(value)) for value in values], pa.string())
