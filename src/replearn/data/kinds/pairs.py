"""Pairs: samples with members of several kinds, a picture and its caption: tables, folders, mappings of data."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from replearn.data.asked import Asked, Found
from replearn.data.kinds.base import Kind
from replearn.data.labels import UNLABELLED
from replearn.data.pairs import PairSamples, member
from replearn.data.records import column_names, is_json_lines, is_record_file, records
from replearn.data.samples import Batch, Samples
from replearn.data.sources import FolderSource, is_image_name
from replearn.data.table_files import read_table
from replearn.data.tables import group_names
from replearn.data.told import warn_of_data

log = logging.getLogger("replearn")

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
FILE = "file_name"  # the column of such a file that names the images of its folder
IMAGE, TEXT = "image", "text"
LOOKED_AT, LONGEST = 100, 255  # rows that tell whether a column names files, and characters of such a name


@dataclass(frozen=True)
class Pairs(Kind):
    """Samples with members; each member is read as data of its own kind are.

    Args:
        columns: of a table, those that hold the members, as `image+caption`; none: all but labels and groups.
    """

    plural: ClassVar[str] = "pairs"
    offers: ClassVar[frozenset[str]] = frozenset()
    tabular: ClassVar[bool] = True
    rooms: ClassVar[Mapping[str, Kind]] = {}  # of what members are: set where all rooms are known

    columns: str = ""

    def claims(self, data: Any) -> bool:
        """Mappings of data; tables and folders are asked for by `kind="pairs"`."""
        return isinstance(data, Mapping)

    def read(self, data: Any, asked: Asked) -> Found:
        """Samples of a mapping from names to data, a table, or a folder, and their labels and groups.

        A table has a row for each sample and a column for each member, of texts or of names of files (images, sounds).
        A folder has images and a table `metadata.csv` (`.jsonl`, `.parquet`) whose column `file_name` names them, as
        Hugging Face's image folders have it; or for each image a text of its name, `cat.jpg` and `cat.txt`.

        Raises:
            ValueError: there are no two members.
        """
        if isinstance(data, Mapping):
            return PairSamples({str(name): asked.door(part) for name, part in data.items()}), None, None
        if hasattr(data, "columns"):
            return self._of_frame(data, asked, Path(), origin="the frame")
        if not isinstance(data, str | Path):
            raise ValueError(
                f"pairs must be a mapping from names to data, a table or a folder; got {type(data).__name__}. Write "
                "{'image': images, 'text': captions}, say."
            )
        path = Path(data).expanduser()
        if path.exists() and is_record_file(path):
            return self._of_frame(_table(path, asked), asked, path.parent, origin=str(path))
        told = next((path / name for name in METADATA if (path / name).is_file()), None)
        if told is not None:
            return self._of_frame(_table(told, asked), asked, path, origin=str(told))
        return self._of_folder(path, asked), None, None

    def _of_folder(self, path: Path, asked: Asked) -> Samples:
        images = FolderSource(path, is_image_name).names if path.is_dir() else []
        both = [name for name in images if (path / name).with_suffix(".txt").is_file()]
        if not both:
            raise ValueError(
                f"pairs must be a table (CSV, TSV, JSON lines, Parquet), a folder with {METADATA[0]}, or one with "
                f"images and texts of the same names (cat.jpg, cat.txt); got {str(path)!r}. Name one of these."
            )
        if len(both) < len(images):
            line = (
                f"{path}: {len(images) - len(both):,} of {len(images):,} images have no text and are left out"
            )
            warn_of_data(line, strict=asked.strict)
        texts = [
            (path / name).with_suffix(".txt").read_text(encoding="utf-8", errors="replace").strip()
            for name in both
        ]
        columns = {IMAGE: Files(both, path), TEXT: texts}
        return _made(columns, asked, origin=str(path))[0]

    def _of_frame(self, frame: Any, asked: Asked, folder: Path, *, origin: str) -> Found:
        """Samples of a table, and its columns of labels and groups, if they are named."""
        frame = frame.rename(columns=str)
        if FILE in frame.columns and IMAGE not in frame.columns:  # a name that says nothing of what it is
            frame = frame.rename(columns={FILE: IMAGE})
        table = asked.table
        named = [name for name in self.columns.split("+") if name] or list(table.columns)
        named = [IMAGE if name == FILE and FILE not in frame.columns else name for name in named]
        labels, groups = (IMAGE if name == FILE else name for name in (table.labels, table.groups))
        if labels is not None and labels not in frame.columns and Path(labels).expanduser().is_file():
            labels = None  # a file of labels, which are put to names
        apart = [name for name in (labels, groups) if name is not None]
        missing = [name for name in (*named, *apart) if name not in frame.columns]
        chosen = named or [name for name in frame.columns if name not in (*apart, *table.drop)]
        if missing or len(chosen) < 2:
            raise ValueError(
                f"pairs must be two columns or more of {origin}, which has {', '.join(map(repr, frame.columns))}; got "
                f"{', '.join(map(repr, missing or chosen)) or 'none'}. Name them: kind='pairs:columns=image+caption'."
            )
        blank = frame[chosen].map(lambda cell: isinstance(cell, str) and not cell.strip())
        there = (frame[chosen].notna() & ~blank).all(axis=1).to_numpy()
        if not there.any():
            raise ValueError(
                f"pairs must be in rows that have all members; no row of {origin} has. Fill some."
            )
        if not there.all():
            line = f"{origin}: {(~there).sum():,} of {len(frame):,} rows lack a member and are left out"
            warn_of_data(line, strict=asked.strict)
            frame = frame[there]
        columns = {name: _listed(frame[name], folder, origin=origin) for name in chosen}
        samples, kept = _made(columns, asked, origin=origin)
        own, of = (None if name is None else frame[name].iloc[kept] for name in (labels, groups))
        return samples, own, None if of is None else group_names(of)

    def options_like(self, expected: Any) -> dict[str, Any]:
        """The same members, by their names."""
        return {"kind": Pairs(columns="+".join(expected.members))}

    def alike(self, samples: Samples, expected: Any, *, convert: bool) -> Samples:
        """Each member like that of the same name."""
        assert isinstance(samples, PairSamples)
        told = {name: part.kind for name, part in expected.members.items()}
        if {name: part.kind for name, part in samples.members.items()} != told:
            raise ValueError(
                f"pairs must have the members {_in_words(told)}, as those of fit; got "
                f"{_in_words({name: part.kind for name, part in samples.members.items()})}. Name them alike."
            )
        members = {}
        for name, part in samples.members.items():
            wanted = expected.members[name]
            members[name] = self.rooms[part.kind].alike(part, wanted, convert=convert)
            if members[name].shape != wanted.shape:
                raise ValueError(
                    f"the member {name!r} must be like that of fit, of shape {wanted.shape}; got {part.shape}. "
                    "Resize it."
                )
        return samples.with_members(members)

    def of_batch(self, batch: Batch, like: Samples) -> Samples:
        made = PairSamples(
            {
                name: self.rooms[part.kind].of_batch(member(batch, name), part)
                for name, part in like.members.items()
            },
            classes=like.classes,
        )
        made.labels = None if (batch.labels == UNLABELLED).all() else batch.labels.numpy()
        return made

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"] | None:
        """What is computed by hand of members, side by side, each row of length 1; None: of none anything is."""
        found = [self.rooms[part.kind].features(part) for part in samples.members.values()]
        there = [
            rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
            for rows in found
            if rows is not None
        ]
        return np.concatenate(there, axis=1) if there else None


def _in_words(members: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in members.items())


class Files(list[str]):
    """Names of files in a folder.

    Args:
        names: as they are written.
        folder: in which they lie.
    """

    def __init__(self, names: list[str], folder: Path) -> None:
        super().__init__(names)
        self.paths = [os.path.abspath(folder / name) for name in names]


def _listed(column: Any, folder: Path, *, origin: str) -> list[str]:
    """The texts of a column, or the names of files in it; the first that is there tells."""
    values = column.tolist()
    wrong = next((value for value in values if not isinstance(value, str)), None)
    if wrong is not None:
        raise ValueError(
            f"the members of pairs must be texts or names of files; column {column.name!r} of {origin} holds "
            f"{wrong!r}. Leave it out (drop), or name the columns."
        )
    named = any(len(value) < LONGEST and (folder / value).is_file() for value in values[:LOOKED_AT])
    return Files(values, folder) if named else values


def _made(columns: Mapping[str, list[str]], asked: Asked, *, origin: str) -> tuple[PairSamples, np.ndarray]:
    """Samples of columns, and which rows they are: without those of which a file isn't there or can't be read.

    Rows that share a file are a group: a picture with several captions stays on one side of a split.
    """
    n = len(next(iter(columns.values())))
    files = {name: values for name, values in columns.items() if isinstance(values, Files)}
    kept = np.ones(n, dtype=bool)
    for values in files.values():
        kept &= [os.path.isfile(path) for path in values.paths]
    there = np.flatnonzero(kept)
    if not len(there):
        raise ValueError(f"pairs must name existing files; none of {origin} is.")
    read = {name: [values.paths[row] for row in there] for name, values in files.items()}
    read = {name: read.get(name, [values[row] for row in there]) for name, values in columns.items()}
    members = {name: asked.door(values) for name, values in read.items()}
    readable = {name: _readable(read[name], samples) for name, samples in members.items()}  # of those there
    whole = np.logical_and.reduce(list(readable.values()))
    rows = there[whole]
    if len(rows) < n:
        line = (
            f"{origin}: {n - len(rows):,} of {n:,} pairs are left out: of {n - len(there):,} a file is missing, of "
            f"{len(there) - len(rows):,} one can't be read"
        )
        warn_of_data(line, strict=asked.strict)
    some = {name: samples.subset(whole[readable[name]]) for name, samples in members.items()}
    told = next(iter(files.values()), next(iter(columns.values())))
    samples = PairSamples(some, names=[told[row] for row in rows])
    log.info("%s: %s pairs of %s", origin, f"{len(rows):,}", _in_words({k: v.kind for k, v in some.items()}))
    shared = next(
        (values for values in files.values() if len({values[row] for row in rows}) < len(rows)), None
    )
    if shared is not None:
        samples.groups = group_names([shared[row] for row in rows])
        log.info("%s: pairs that share a file are a group, which a split keeps together", origin)
    return samples, rows


def _readable(values: list[str], samples: Samples) -> np.ndarray:
    """Which rows of a column have a sample."""
    if len(samples) == len(values):
        return np.ones(len(values), dtype=bool)
    skipped = {file for file, _ in samples.skipped}
    return np.array([value not in skipped for value in values])


def _table(path: Path, asked: Asked) -> Any:
    """The table in a file, its cells as they are written; labels as numbers where they are."""
    if not is_json_lines(path):
        return read_table(path, texts=column_names(path), labels=asked.table.labels, strict=asked.strict)
    import pandas as pd

    names = column_names(path)
    return pd.DataFrame([values for _, values in records(path, names)], columns=names)
