"""All methods by name: the families' `__all__`, scikit-learn's classical ones, and those of installed packages."""

import difflib
import importlib.metadata
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from replearn.methods import (
    classical,
    contrastive,
    given,
    joint_embedding,
    labelled,
    language,
    reconstruction,
)
from replearn.methods.model import Model

FAMILIES: tuple[ModuleType, ...] = (
    classical,
    reconstruction,
    contrastive,
    joint_embedding,
    language,
    labelled,
    given,
)
ENTRY_POINTS = "replearn.methods"


@dataclass(frozen=True)
class Entry:
    """A method as the registry lists it.

    Attributes:
        name: on the command line, in lower case.
        cls: the class; a `Model`, or scikit-learn's own.
        family, kinds, year, paper: tags.
    """

    name: str
    cls: type[Any]
    family: str
    kinds: tuple[str, ...]
    year: int
    paper: str


def registry() -> dict[str, Entry]:
    """Every method by its name in lower case."""
    classes = [getattr(family, name) for family in FAMILIES for name in family.__all__]
    classes += [point.load() for point in importlib.metadata.entry_points(group=ENTRY_POINTS)]
    entries = [_entry(cls) for cls in classes]
    return {entry.name: entry for entry in entries}


def find_method(name: str) -> Entry:
    """The method called `name`, in any case.

    Raises:
        ValueError: there is none; the nearest names are offered.
    """
    entries = registry()
    if name.lower() in entries:
        return entries[name.lower()]
    near = difflib.get_close_matches(name.lower(), entries, n=3, cutoff=0.4)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    raise ValueError(f"method must be one of those `replearn list` shows; got {name!r:.60}.{hint}")


def is_ours(method: Any) -> bool:
    """Whether a method takes samples (else it has scikit-learn's protocol alone, and takes rows of numbers)."""
    return isinstance(method, Model)


def _entry(cls: type[Any]) -> Entry:
    if issubclass(cls, Model):
        return Entry(cls.__name__.lower(), cls, cls.family, cls.kinds, cls.year, cls.paper)
    # An estimator of another package may carry the tags, as a `Method` does, or none.
    year, paper = classical.PAPERS.get(cls.__name__, (getattr(cls, "year", 0), getattr(cls, "paper", "")))
    family, kinds = getattr(cls, "family", "classical"), getattr(cls, "kinds", ("image", "table"))
    return Entry(cls.__name__.lower(), cls, family, kinds, year, paper)
