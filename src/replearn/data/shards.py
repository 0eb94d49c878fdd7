"""Folders of shards: files of one form that are one set of samples, in the order of their names."""

import os
from pathlib import Path


def holds_shards(path: Path, endings: tuple[str, ...]) -> bool:
    """Whether this is a folder of files of these endings alone; names that begin with `.` or `_` do not count."""
    if not path.is_dir():
        return False
    found = False
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith((".", "_")):
                continue
            if not entry.name.lower().endswith(endings) or not entry.is_file():
                return False
            found = True
    return found


def shards_in(path: Path) -> list[Path]:
    """The files of a folder of shards, in the order of their names; a file by itself."""
    if not path.is_dir():
        return [path]
    return sorted(inner for inner in path.iterdir() if not inner.name.startswith((".", "_")))
