"""The one door for data: whatever it is, `as_samples` makes samples of it."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset, IterableDataset

from replearn.data.arrays import is_array
from replearn.data.asked import Asked, Found
from replearn.data.datasets import DATASETS, load_data
from replearn.data.folder import image_samples
from replearn.data.items import item_samples
from replearn.data.kinds import KINDS, OWN
from replearn.data.kinds.base import Kind
from replearn.data.kinds.named import kind_named
from replearn.data.label_files import read_label_file
from replearn.data.labels import encode_labels
from replearn.data.packaged import claimed, read_by_package
from replearn.data.paths import from_array, from_path
from replearn.data.records import is_record_file
from replearn.data.remote import here
from replearn.data.samples import ArraySamples, Samples
from replearn.data.sources import ListSource, is_image_name
from replearn.data.tables import TableOptions, group_names, table_samples
from replearn.data.target_files import target_columns
from replearn.data.targets import holds_columns, read_targets
from replearn.data.text import text_samples
from replearn.data.text_tables import TEXT_COLUMN, has_texts, text_frame_samples
from replearn.data.told import tell_blank, tell_numbers, tell_unlabelled

LARGEST_SIZE = 4096


def as_samples(
    data: Any,
    labels: Any = None,
    *,
    image_size: int | None = None,
    text: str | None = None,
    columns: Sequence[str] = (),
    drop: Sequence[str] = (),
    groups: Any = None,
    targets: Sequence[str] = (),
    strict: bool = False,
    classes: Sequence[str] | None = None,
    like: Any = None,
    kind: str | Kind | None = None,
) -> Samples:
    """Samples of whatever holds data.

    Args:
        data: one of

            - samples, returned as they are (with `labels`, if given);
            - a numpy array or torch tensor: a table `(n, d)` or images (see `standard_array` for layouts and
              ranges); a memory-mapped array stays on disk;
            - a pandas DataFrame, of features (see `choose_columns`) or with a column `text` of texts; its column
              `label`, if any, holds the labels;
            - a list, Series or array of strings, which are texts, or of paths of images;
            - a list of arrays or PIL images of one shape, or of rows of numbers;
            - a torch Dataset with a length, of images or `(image, label)`;
            - a built-in name (`DATASETS`), or one part of it: `digits`, `digits:train`, `digits:test`;
            - a path: a folder or zip of images, a folder in a zip (`photos.zip/train`), `.npy`, `.npz`, CSV,
              TSV, Parquet; of texts: a `.txt` file (one per line that is not blank), a folder or zip of `.txt` files
              (one per file), a CSV, TSV, JSON-lines or Parquet file with a column `text`; all of them also `.gz`.
              A folder that holds both images and texts is one of images;
            - a folder or zip of sounds, or of CSV files, one for each recording of sensors (see `kind`);
            - games of chess or Go, in PGN or SGF;
            - volumes, in NIfTI or DICOM;
            - clouds of points and meshes, in PLY, OBJ, STL, OFF or XYZ;
            - images in tar files as WebDataset has them, `train-{000..009}.tar`, with labels;
            - a folder of Parquet files, which are one table;
            - the address of a file or folder (`https://`, `s3://`, `gs://`, what fsspec knows), fetched once into the
              cache (see `replearn.data.remote`);
            - what a kind of another package claims (see `replearn.data.kinds`), which is asked first.
        labels: one class per sample (numbers, names; None, NaN or -1 where unknown); the name of a table's
            column; a mapping or pandas frame of several columns, which become `targets` (see `read_targets`); or, for
            named files, the path of a CSV, TSV, JSON-lines or Parquet file with columns `file` and
            `label`; in place of names, samples without them have their numbers, from 0. Without it, a folder's
            classes are its sub-folders; files outside of them are unlabelled.
        image_size: make square images of this side. None keeps arrays as they are, and images in a folder
            too if all have one size of at most 512 pixels a side; else they become 96 x 96.
        text: the column of a table that holds its texts, if it is not called `text`.
        columns: of a table, those to learn from; without it, all that look like features.
        drop: columns of a table that are not to be learned from.
        groups: what a split keeps together (patients, speakers): a name per sample; the name of a column of a table or
            of the file of labels.
        targets: columns, of a table or of the file of labels, of several things to predict, which become `targets`
            (see `read_targets`); empty cells are unknown.
        strict: raise if an image file cannot be decoded, or texts are not as they should be (not UTF-8, too long,
            missing). Otherwise the file is left out and listed in `samples.skipped`, bytes that are no UTF-8 are
            replaced, long lines cut, with one warning.
        classes: class names in order, so that these labels agree with other samples'
            (`classes=train.classes`).
        like: samples, or the description of samples, by whose reading of columns a table is read.
        kind: of samples that are to come of it, such as `table`, by name, with settings where it has some
            (`"series:length=100,stride=50"`), or as an object of `replearn.data.kinds`; None: what the data look like.

    Raises:
        ValueError: data of a kind or content that cannot be used, or labels that do not fit.

    >>> import numpy as np
    >>> samples = as_samples(np.zeros((4, 32, 32, 3), dtype=np.uint8), ["cat", "dog", None, "cat"])
    >>> samples.kind, samples.shape, samples.labels.tolist(), samples.classes
    ('image', (3, 32, 32), [0, 1, -1, 0], ('cat', 'dog'))
    """
    if isinstance(data, str) and not data.strip():
        raise ValueError(
            "data must be a path or a built-in name; got an empty one. Write '.' for this folder."
        )
    data, labels = here(data), here(labels)
    if image_size is not None and not 1 <= image_size <= LARGEST_SIZE:
        raise ValueError(f"image_size must lie in 1 ... {LARGEST_SIZE}, pixels; got {image_size}.")
    if kind is None and like is not None and not isinstance(data, Samples) and not _is_built_in(data):
        kind = KINDS[like.kind].options_like(like).get("kind")
    named, room = (None, None) if kind is None else kind_named(kind)
    tabular = _is_table(data) or (isinstance(data, str | Path) and room is not None and room.tabular)
    _check_for_tables(data, tabular, text=text, columns=columns, drop=drop)
    _check_lists(columns=columns, drop=drop, targets=targets)
    column = groups if isinstance(groups, str) else None
    asked = Asked(
        labels=labels,
        image_size=image_size,
        text=text,
        table=TableOptions(
            labels=labels if isinstance(labels, str) else None,
            groups=column if tabular else None,
            targets=targets,
            columns=columns,
            drop=drop,
            reading=getattr(like, "reading", None),
            strict=strict,
        ),
        door=lambda part: as_samples(part, image_size=image_size, strict=strict),
    )
    samples, own, of_groups = _found(data, asked, named, room)
    if named is not None and samples.kind != named:
        raise ValueError(
            f"kind must be what the data are; got kind={named!r} for samples of kind {samples.kind}. Leave it out."
        )
    if targets:
        own, of_files = target_columns(data, labels, samples, targets, groups=column)
        of_groups = of_groups if of_files is None else of_files
    elif isinstance(labels, str | Path) and (own is None or (not tabular and is_record_file(Path(labels)))):
        names = samples.names if samples.names is not None else [str(i) for i in range(len(samples))]
        own, of_groups = read_label_file(Path(labels).expanduser(), names, groups=column)
    elif labels is not None and not isinstance(labels, str | Path):
        own = own if KINDS[samples.kind].cuts and own is not None else labels
    elif own is None and classes is not None and samples.labels is not None:
        own = [None if label < 0 else samples.classes[label] for label in samples.labels]
    if own is not None:
        samples = _with_labels(samples, own, classes)
    if groups is not None:
        samples = _with_groups(samples, groups if of_groups is None else of_groups)
    if isinstance(data, str | Path) or isinstance(labels, str | Path):
        tell_unlabelled(samples, own)
        tell_numbers(samples)
        tell_blank(samples)
    return samples


def _found(data: Any, asked: Asked, kind: str | None, room: Kind | None) -> Found:
    """Samples of whatever holds data, and what they bring."""
    if _is_built_in(data):
        return _built_in(data), None, None
    others = [name for name in KINDS if name not in OWN]
    claiming = [name for name in others if name == kind or (kind is None and claimed(name, data))]
    if claiming and not isinstance(data, Samples):
        return read_by_package(claiming[0], data, asked)
    reads = room is not None and kind in OWN and type(room).read is not Kind.read  # its data by itself
    own = room if reads else None
    if kind is None:
        own = next((each for each in OWN.values() if each.claims(data)), None)
    if own is not None and not isinstance(data, Samples):
        return own.read(data, asked)
    if isinstance(data, str | Path):
        return from_path(Path(data).expanduser(), asked)
    return _from_object(data, asked)


def _check_for_tables(
    data: Any, tabular: bool, *, text: str | None, columns: Sequence[str], drop: Sequence[str]
) -> None:
    """Raises ValueError where an option for tables is given for something else."""
    for name, value in (("text", text), ("columns", columns), ("drop", drop)):
        if value and not tabular:
            named = repr(str(data)) if isinstance(data, str | Path) else type(data).__name__
            raise ValueError(
                f"{name} must name a column of a table; got {name}={value!r} for {named}. Leave it out."
            )


def _check_lists(**given: Any) -> None:
    """Raises ValueError where a name stands for a list of names."""
    for name, value in given.items():
        if isinstance(value, str):
            raise ValueError(f"{name} must be a list of names; got {value!r}. Put it in brackets.")


def _with_groups(samples: Samples, given: Any) -> Samples:
    """A shallow copy of samples with groups."""
    if isinstance(given, str):
        raise ValueError(
            f"groups must be a column of a table or of a file of labels; got {given!r} without one. Pass labels=."
        )
    groups = group_names(given)
    if len(groups) != len(samples):
        raise ValueError(
            f"groups must hold one name per sample; got {len(groups):,} for {len(samples):,} samples."
        )
    changed = copy.copy(samples)
    changed.groups = groups
    return changed


def _with_labels(samples: Samples, labels: Any, classes: Sequence[str] | None) -> Samples:
    """A shallow copy of samples with other labels, or with several columns of targets instead."""
    if holds_columns(labels):
        changed = samples.with_targets(read_targets(labels, len(samples)))
        changed.labels, changed.classes = None, ()
        return changed
    if samples.skipped and hasattr(labels, "__len__") and len(labels) != len(samples):
        raise ValueError(
            f"labels must hold one label per sample; got {len(labels):,} for {len(samples):,}, "
            f"since {len(samples.skipped):,} files could not be decoded. Pass a label file, which has names."
        )
    changed = samples.with_targets(None)
    changed.labels, changed.classes = encode_labels(labels, len(samples), classes=classes)
    return changed


def _is_built_in(data: Any) -> bool:
    return isinstance(data, str) and data.partition(":")[0] in DATASETS


def _built_in(data: str) -> Samples:
    name, _, part = data.partition(":")
    if part not in ("", "train", "test"):
        raise ValueError(f"a part of {name} must be train or test; got {data!r}. Write {name}:train.")
    return load_data(name, split="train" if part == "train" else "test" if part == "test" else None)


def _from_object(data: Any, asked: Asked) -> Found:
    """Samples of an object in memory, and what it brings."""
    if hasattr(data, "columns") and hasattr(data, "to_numpy"):
        return _from_frame(data, asked)
    return _from_sequence(data, asked), None, None


def _from_sequence(data: Any, asked: Asked) -> Samples:
    """Samples of an object in memory that brings nothing but them."""
    if isinstance(data, Samples):
        return data
    if _holds_strings(data):
        strings = data if isinstance(data, list | tuple) else data.tolist()
        return _images_at(strings, asked) or text_samples(strings)
    if is_array(data):
        return from_array(data, asked)
    if isinstance(data, Dataset):
        return _from_dataset(data, image_size=asked.image_size)
    if isinstance(data, list | tuple):
        images = _images_at(data, asked) if data and isinstance(data[0], Path) else None
        return images or item_samples(list(data), image_size=asked.image_size)[0]
    kinds = "an array, tensor, DataFrame, list, Dataset, built-in name or path"
    raise ValueError(f"data must be {kinds}; got {type(data).__name__}.")


def _images_at(paths: Sequence[Any], asked: Asked) -> Samples | None:
    """The images at a list of paths, or None if it is none: if an item is no name of an image file.

    Raises:
        ValueError: all are such names, and some of no file.
    """
    if not all(isinstance(path, str | Path) and is_image_name(Path(path).name) for path in paths):
        return None
    missing = [str(path) for path in paths if not Path(path).is_file()]
    if missing:
        raise ValueError(
            f"a list of names of image files must name existing files; {len(missing):,} of {len(paths):,} do not "
            f"exist, the first: {missing[0]!r}."
        )
    return image_samples(ListSource(paths), image_size=asked.image_size, strict=asked.strict, labelled=False)


def _from_frame(frame: Any, asked: Asked) -> Found:
    """Samples of a pandas frame: texts, if it has a column of them, else features."""
    table = asked.table
    if asked.text is not None or has_texts(frame):
        column = asked.text or TEXT_COLUMN
        return text_frame_samples(frame, column, table.labels, groups=table.groups, strict=asked.strict)
    return table_samples(frame, table, origin="the frame")


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
