"""Samples of a file or folder, by what lies there."""

import difflib
import logging
from pathlib import Path
from typing import Any

from replearn.data.array_files import read_arrays
from replearn.data.arrays import as_numpy, levels_of, square_images, standard_array
from replearn.data.asked import Asked, Found
from replearn.data.datasets import DATASETS
from replearn.data.folder import image_samples
from replearn.data.records import is_record_file
from replearn.data.samples import ArraySamples
from replearn.data.sources import find_source, is_text_name
from replearn.data.table_files import read_table
from replearn.data.tables import array_samples, table_samples
from replearn.data.tar_files import tar_paths, tar_samples
from replearn.data.text_files import file_samples, is_text_file, line_samples
from replearn.data.text_tables import text_column, text_table_samples

log = logging.getLogger("replearn")


def from_array(data: Any, asked: Asked) -> ArraySamples:
    """Samples of an array: a table, or images."""
    if getattr(data, "ndim", 0) == 2:
        return array_samples(data, asked.table.reading)
    array = as_numpy(data)
    x = standard_array(array)
    levels = levels_of(x, array.dtype)
    if asked.image_size is None or x.ndim != 4:
        return ArraySamples(x, levels=levels)
    return ArraySamples(square_images(x, asked.image_size), levels=levels)


def from_path(path: Path, asked: Asked) -> Found:
    """Samples of a file or folder, and what it brings."""
    strict = asked.strict
    if (arrays := read_arrays(path)) is not None:
        return from_array(arrays[0], asked), arrays[1], None
    if path.is_file() and is_text_file(path):
        return line_samples(path, strict=strict), None, None
    if path.exists() and is_record_file(path):
        return _from_table(path, asked)
    if tars := tar_paths(path):
        return tar_samples(path, tars, asked)
    source = find_source(path)
    if source is not None and source.left_out:
        log.info("%s: not read as samples: %s", path, source.left_out)
    if source is not None and source.texts and not source.names:
        texts = find_source(path, is_text_name)
        assert texts is not None
        return *file_samples(texts, strict=strict, labelled=asked.labels is None), None
    if source is not None:
        if source.texts:
            log.info(
                "%s: read as %d images; %d .txt files are left out", path, len(source.names), source.texts
            )
        labelled = asked.labels is None
        return (
            image_samples(source, image_size=asked.image_size, strict=strict, labelled=labelled),
            None,
            None,
        )
    if path.is_file():
        raise ValueError(
            f"a file must be .npy, .npz, .csv, .parquet, .txt, .jsonl or a zip or tar of images or texts; got "
            f"{str(path)!r}. Name the folder for a single image."
        )
    near = difflib.get_close_matches(path.name, [*DATASETS, *_siblings(path)], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"data must be a path that exists or a built-in name ({', '.join(DATASETS)}); got "
        f"{str(path)!r}.{hint}"
    )


def _from_table(path: Path, asked: Asked) -> Found:
    """Samples of a file of rows: texts, if it has a column of them, else features."""
    table = asked.table
    column = None if table.reading is not None else text_column(path, asked.text)
    if column is not None:
        if table.columns or table.drop:
            raise ValueError(
                f"columns and drop are for tables of features; {path} holds texts. Leave them out."
            )
        return text_table_samples(path, column, table.labels, groups=table.groups, strict=asked.strict)
    texts = [*(table.reading.texts if table.reading else ()), *([table.groups] if table.groups else [])]
    return table_samples(
        read_table(path, texts=texts, labels=table.labels, strict=asked.strict), table, origin=str(path)
    )


def _siblings(path: Path) -> list[str]:
    """What lies beside a path that does not exist."""
    return [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
