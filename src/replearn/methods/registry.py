"""All methods by name: those that `replearn.methods.families` enlists, and those of installed packages."""

import difflib
import logging
from dataclasses import dataclass, replace
from typing import Any

from sklearn.base import BaseEstimator

from replearn.data.packages import brought
from replearn.methods.needs import kinds_served
from replearn.methods.outline import Outline

log = logging.getLogger("replearn")

ENTRY_POINTS = "replearn.methods"
# What papers call a method of ours, with the views and the network that such samples have by default.
ALSO = {
    "graphcl": ("simclr", "SimCLR on graphs"),
    "grace": ("simclr", "SimCLR on the nodes of a graph"),
    "bgrl": ("byol", "BYOL on the nodes of a graph"),
}
Source = tuple[int, str]  # year and link of a paper


class MethodWarning(UserWarning):
    """A method of another package is left out."""


@dataclass(frozen=True)
class Entry:
    """A method as the registry lists it.

    Attributes:
        name: on the command line, in lower case.
        cls: the class; a `replearn.methods.Model`, or scikit-learn's own.
        family, kinds, year, paper: tags.
    """

    name: str
    cls: type[Any]
    family: str
    kinds: tuple[str, ...]
    year: int
    paper: str


OURS: list[tuple[type[Any], Source | None]] = []


def enlist(cls: type[Any], source: Source | None = None) -> None:
    """Let the registry know a class of ours, or of scikit-learn, which does not say what its paper is."""
    OURS.append((cls, source))


def registry() -> dict[str, Entry]:
    """Every method by its name in lower case.

    Warns:
        MethodWarning: one of another package is left out, and why.
    """
    entries = {entry.name: entry for entry in (_entry(cls, source) for cls, source in OURS)}

    def accept(point: Any) -> Entry:
        entry = _entry(point.load())
        if entry.name in entries:
            raise ValueError(f"there is a {entry.name} already, {entries[entry.name].cls.__module__}")
        return entry

    for entry in brought(ENTRY_POINTS, accept, what="method", category=MethodWarning):
        entries[entry.name] = entry
    return entries


def find_method(name: str) -> Entry:
    """The method called `name`, in any case; of names in `ALSO`, the method of ours that it is.

    Raises:
        ValueError: there is none; the nearest names are offered.
    """
    entries = registry()
    if name.lower() in entries:
        return entries[name.lower()]
    if name.lower() in ALSO:
        own, told = ALSO[name.lower()]
        log.info("%s is %s", name, told)
        return replace(entries[own], name=name.lower())
    near = difflib.get_close_matches(name.lower(), [*entries, *ALSO], n=3, cutoff=0.4)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    raise ValueError(f"method must be one of those `replearn list` shows; got {name!r:.60}.{hint}")


def _entry(cls: Any, source: Source | None = None) -> Entry:
    """How a class is listed.

    Raises:
        TypeError: it is no estimator, or its tags are of other types.
    """
    if not (isinstance(cls, type) and issubclass(cls, BaseEstimator)):
        raise TypeError(
            f"a method must be a class of scikit-learn's protocol, a BaseEstimator; got {cls!r:.60}"
        )
    if issubclass(cls, Outline):
        tags: tuple[Any, ...] = (cls.family, kinds_served(cls), cls.year, cls.paper)
    else:  # an estimator of another package may carry the tags, as a `Method` does, or none
        year, paper = source or (getattr(cls, "year", 0), getattr(cls, "paper", ""))
        tags = (getattr(cls, "family", "classical"), kinds_served(cls), year, paper)
    family, kinds, year, paper = tags
    named = isinstance(kinds, tuple | list) and all(isinstance(kind, str) for kind in kinds)
    if not (named and isinstance(family, str) and isinstance(year, int) and isinstance(paper, str)):
        raise TypeError(
            f"family, kinds, year and paper must be a name, names, a number and a link; got {tags}"
        )
    return Entry(cls.__name__.lower(), cls, family, tuple(kinds), year, paper)
