"""Tables of numbers: pandas frames, CSV and Parquet files."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from replearn.data.arrays import standard_array
from replearn.data.samples import ArraySamples

if TYPE_CHECKING:  # pandas is imported where it is used: most data come as arrays or images
    from pandas import DataFrame

TABLE_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")
# A column of this name holds the labels unless others are given: it must never be learned from.
LABEL_COLUMN = "label"


def is_table_file(path: Path) -> bool:
    """Whether a path's ending is a table's."""
    return path.name.lower().endswith(TABLE_SUFFIXES)


def read_table(path: Path) -> "DataFrame":
    """A CSV, TSV or Parquet file; a CSV whose first line is all numbers has no header.

    Raises:
        ValueError: the file is damaged or empty.
    """
    import pandas as pd

    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        separator = "\t" if ".tsv" in path.suffixes else ","
        frame = pd.read_csv(path, sep=separator)
        return pd.read_csv(path, sep=separator, header=None) if _all_numbers(frame.columns) else frame
    except (ValueError, OSError, pd.errors.ParserError) as error:  # pyarrow's errors are these, too
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path} must be a readable table with at least one row; {reason}.") from error


def table_samples(frame: "DataFrame", labels: str | None) -> tuple[ArraySamples, Any]:
    """The numeric columns as samples, and the column of labels (named by `labels`, or `label`) or None.

    Raises:
        ValueError: no such column, columns that are not numbers, gaps.
    """
    frame = frame.rename(columns=str)
    if len(frame) == 0:
        raise ValueError(f"a table must hold at least one sample; got none under {frame.shape[1]} columns.")
    if labels is not None and labels not in frame.columns:
        raise ValueError(
            f"labels must name a column; got {labels!r}. Columns: {', '.join(frame.columns[:10])}."
        )
    column = labels or (LABEL_COLUMN if LABEL_COLUMN in frame.columns else None)
    numbers = frame if column is None else frame.drop(columns=column)
    other = [name for name in numbers.columns if numbers[name].dtype.kind not in "buif"]
    if other:
        raise ValueError(
            f"a table must hold numbers; {len(other)} of {numbers.shape[1]} columns do not: "
            f"{', '.join(other[:5])}. Drop "
            "them, encode them (pandas.get_dummies), or name the column of classes by labels=, of texts by text=."
        )
    samples = ArraySamples(standard_array(numbers.to_numpy(dtype="float32", na_value=float("nan"))))
    return samples, None if column is None else frame[column]


def _all_numbers(columns: Any) -> bool:
    try:
        [float(name) for name in columns]
    except ValueError:
        return False
    return True
