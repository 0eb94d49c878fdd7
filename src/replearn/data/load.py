"""The one door for data: whatever it is, `as_samples` makes samples of it."""

import copy
import difflib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset, IterableDataset

from replearn.data.array_files import read_npy, read_npz
from replearn.data.arrays import depth_of, is_array, square_images, standard_array
from replearn.data.datasets import DATASETS, load_data
from replearn.data.folder import image_samples
from replearn.data.items import item_samples
from replearn.data.label_files import read_label_file
from replearn.data.labels import encode_labels
from replearn.data.records import is_record_file
from replearn.data.samples import ArraySamples, Samples
from replearn.data.sources import find_source, is_text_name
from replearn.data.tables import is_table_file, read_table, table_samples
from replearn.data.text import text_samples
from replearn.data.text_files import file_samples, is_text_file, line_samples
from replearn.data.text_tables import (
    TEXT_COLUMN,
    has_texts,
    text_column,
    text_frame_samples,
    text_table_samples,
)

log = logging.getLogger("replearn")

LARGEST_SIZE = 4096


def as_samples(
    data: Any,
    labels: Any = None,
    *,
    image_size: int | None = None,
    text: str | None = None,
    strict: bool = False,
    classes: Sequence[str] | None = None,
) -> Samples:
    """Samples of whatever holds data.

    Args:
        data: one of

            - samples, returned as they are (with `labels`, if given);
            - a numpy array or torch tensor: a table `(n, d)` or images (see `standard_array` for layouts and
              ranges); a memory-mapped array stays on disk;
            - a pandas DataFrame of numbers, or with a column `text` of texts; its column `label`, if any, holds the
              labels;
            - a list, Series or array of strings, which are texts;
            - a list of arrays or PIL images of one shape, or of rows of numbers;
            - a torch Dataset with a length, of images or `(image, label)`;
            - a built-in name (`DATASETS`), or one part of it: `digits`, `digits:train`, `digits:test`;
            - a path: a folder or zip of images, a folder in a zip (`photos.zip/train`), `.npy`, `.npz`, CSV,
              TSV, Parquet; of texts: a `.txt` file (one per line that is not blank), a folder or zip of `.txt` files
              (one per file), a CSV, TSV, JSON-lines or Parquet file with a column `text`; all of them also `.gz`.
              A folder that holds both images and texts is one of images.
        labels: one class per sample (numbers, names; None, NaN or -1 where unknown); the name of a table's
            column; or, for named files, the path of a CSV or Parquet file with columns `file` and `label`.
            Without it, a folder's classes are its sub-folders if every file lies in one.
        image_size: make square images of this side. None keeps arrays as they are, and images in a folder
            too if all have one size of at most 512 pixels a side; else they become 96 x 96.
        text: the column of a table that holds its texts, if it is not called `text`.
        strict: raise if an image file cannot be decoded, or texts are not as they should be (not UTF-8, too long,
            missing). Otherwise the file is left out and listed in `samples.skipped`, bytes that are no UTF-8 are
            replaced, long lines cut, with one warning.
        classes: class names in order, so that these labels agree with other samples'
        (`classes=train.classes`).

    Raises:
        ValueError: data of a kind or content that cannot be used, or labels that do not fit.

    >>> import numpy as np
    >>> samples = as_samples(np.zeros((4, 32, 32, 3), dtype=np.uint8), ["cat", "dog", None, "cat"])
    >>> samples.kind, samples.shape, samples.labels.tolist(), samples.classes
    ('image', (3, 32, 32), [0, 1, -1, 0], ('cat', 'dog'))
    """
    if image_size is not None and not 1 <= image_size <= LARGEST_SIZE:
        raise ValueError(f"image_size must lie in 1 ... {LARGEST_SIZE}, pixels; got {image_size}.")
    if text is not None and not _is_table(data):
        named = repr(str(data)) if isinstance(data, str | Path) else type(data).__name__
        raise ValueError(f"text must name a column of a table; got text={text!r} for {named}. Leave it out.")
    if isinstance(data, str) and data.partition(":")[0] in DATASETS:
        samples, own = _built_in(data), None
    elif isinstance(data, str | Path):
        path = Path(data).expanduser()
        samples, own = _from_path(path, labels, image_size=image_size, text=text, strict=strict)
    else:
        samples, own = _from_object(data, labels, image_size=image_size, text=text, strict=strict)
    if isinstance(labels, str | Path) and own is None:
        if samples.names is None:
            raise ValueError(
                f"labels must be one per sample, since these samples have no names; got {str(labels)!r}."
            )
        own = read_label_file(Path(labels).expanduser(), samples.names)
    elif labels is not None and not isinstance(labels, str | Path):
        own = labels
    elif own is None and classes is not None and samples.labels is not None:
        own = [None if label < 0 else samples.classes[label] for label in samples.labels]
    if own is None:
        return samples
    return _with_labels(samples, own, classes)


def _with_labels(samples: Samples, labels: Any, classes: Sequence[str] | None) -> Samples:
    """A shallow copy of samples with other labels."""
    if samples.skipped and hasattr(labels, "__len__") and len(labels) != len(samples):
        raise ValueError(
            f"labels must hold one label per sample; got {len(labels):,} for {len(samples):,}, "
            f"since {len(samples.skipped):,} files could not be decoded. Pass a label file, which has names."
        )
    changed = copy.copy(samples)
    changed.labels, changed.classes = encode_labels(labels, len(samples), classes=classes)
    return changed


def _built_in(data: str) -> Samples:
    name, _, part = data.partition(":")
    if part not in ("", "train", "test"):
        raise ValueError(f"a part of {name} must be train or test; got {data!r}. Write {name}:train.")
    return load_data(name, split="train" if part == "train" else "test" if part == "test" else None)


def _from_object(
    data: Any, labels: Any, *, image_size: int | None, text: str | None, strict: bool
) -> tuple[Samples, Any]:
    """Samples of an object in memory, and the labels that it brings."""
    if isinstance(data, Samples):
        return data, None
    if _holds_strings(data):
        return text_samples(data if isinstance(data, list | tuple) else data.tolist()), None
    if is_array(data):
        return _from_array(data, image_size=image_size), None
    if hasattr(data, "columns") and hasattr(data, "to_numpy"):
        return _from_frame(data, labels if isinstance(labels, str) else None, text=text, strict=strict)
    if isinstance(data, Dataset):
        return _from_dataset(data, image_size=image_size), None
    if isinstance(data, list | tuple):
        return item_samples(list(data), image_size=image_size)[0], None
    kinds = "an array, tensor, DataFrame, list, Dataset, built-in name or path"
    raise ValueError(f"data must be {kinds}; got {type(data).__name__}.")


def _from_frame(frame: Any, labels: str | None, *, text: str | None, strict: bool) -> tuple[Samples, Any]:
    """Samples of a pandas frame: texts, if it has a column of them, else numbers."""
    if text is not None or has_texts(frame):
        return text_frame_samples(frame, text or TEXT_COLUMN, labels, strict=strict)
    return table_samples(frame, labels)


def _is_table(data: Any) -> bool:
    """Whether this is a pandas frame or a file of rows."""
    return is_record_file(Path(data)) if isinstance(data, str | Path) else hasattr(data, "columns")


def _holds_strings(data: Any) -> bool:
    """Whether a list, a pandas Series or an array of one axis holds strings, going by the first."""
    if isinstance(data, list | tuple):
        return bool(data) and isinstance(data[0], str)
    kind, axes = getattr(getattr(data, "dtype", None), "kind", ""), getattr(data, "ndim", 0)
    return axes == 1 and kind in "OUT" and len(data) > 0 and isinstance(data.tolist()[0], str)


def _from_dataset(data: Any, *, image_size: int | None) -> ArraySamples:
    """Samples of a torch Dataset; its numbers are named by its `classes`, if it has enough of them."""
    if isinstance(data, IterableDataset) or not hasattr(data, "__len__"):
        raise ValueError("a data set must have a length; got an iterable one. Pass a list of its images.")
    samples, labels = item_samples(data, image_size=image_size)
    if labels is None:
        return samples
    samples.labels, samples.classes = encode_labels(labels, len(samples))
    names = tuple(map(str, getattr(data, "classes", ())))
    if len(names) >= len(samples.classes) and all(name.isdigit() for name in samples.classes):
        samples.classes = names
    return samples


def _from_array(data: Any, *, image_size: int | None) -> ArraySamples:
    x = standard_array(data)
    levels = depth_of(x)
    if image_size is None or x.ndim != 4:
        return ArraySamples(x, levels=levels)
    return ArraySamples(square_images(x, image_size), levels=levels)


def _from_path(
    path: Path, labels: Any, *, image_size: int | None, text: str | None, strict: bool
) -> tuple[Samples, Any]:
    """Samples of a file or folder, and the labels that it brings."""
    suffix = path.suffix.lower()
    if path.is_file() and suffix == ".npy":
        return _from_array(read_npy(path), image_size=image_size), None
    if path.is_file() and suffix == ".npz":
        x, own = read_npz(path)
        return _from_array(x, image_size=image_size), own
    if path.is_file() and is_text_file(path):
        return line_samples(path, strict=strict), None
    if path.is_file() and (is_table_file(path) or is_record_file(path)):
        return _from_table(path, labels if isinstance(labels, str) else None, text=text, strict=strict)
    source = find_source(path)
    if source is not None and source.texts and not source.names:
        texts = find_source(path, is_text_name)
        assert texts is not None
        return file_samples(texts, strict=strict, labelled=labels is None)
    if source is not None:
        if source.texts:
            log.info(
                "%s: read as %d images; %d .txt files are left out", path, len(source.names), source.texts
            )
        return image_samples(source, image_size=image_size, strict=strict, labelled=labels is None), None
    if path.is_file():
        raise ValueError(
            f"a file must be .npy, .npz, .csv, .parquet, .txt, .jsonl or a zip of images or texts; got {str(path)!r}. "
            "Name the folder for a single image."
        )
    near = difflib.get_close_matches(path.name, [*DATASETS, *_siblings(path)], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"data must be a path that exists or a built-in name ({', '.join(DATASETS)}); got "
        f"{str(path)!r}.{hint}"
    )


def _from_table(path: Path, labels: str | None, *, text: str | None, strict: bool) -> tuple[Samples, Any]:
    """Samples of a file of rows: texts, if it has a column of them, else numbers."""
    column = text_column(path, text)
    if column is not None:
        return text_table_samples(path, column, labels, strict=strict)
    return table_samples(read_table(path), labels)


def _siblings(path: Path) -> list[str]:
    """What lies beside a path that does not exist."""
    return [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
