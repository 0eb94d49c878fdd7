"""Representations in a table that is searched: made, added to, made again beside the old one."""

from replearn.service.indexes.folder import (
    Opened,
    Version,
    current,
    is_index,
    note,
    open_index,
    write_version,
    writing,
)
from replearn.service.indexes.recall import Recall
from replearn.service.indexes.table import LABEL, NUMBER, OWN, Table

__all__ = [
    "LABEL",
    "NUMBER",
    "OWN",
    "Opened",
    "Recall",
    "Table",
    "Version",
    "current",
    "is_index",
    "note",
    "open_index",
    "write_version",
    "writing",
]
