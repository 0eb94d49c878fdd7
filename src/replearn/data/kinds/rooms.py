"""One registry of kinds for all stages: replearn's own, and those of installed packages.

    data/kinds/     how it is read, compared, scaled          Rooms("data", ...)
    views/kinds/    how it is seen                            Rooms("views", ...)
    encoders/kinds/ which networks read it                    Rooms("encoders", ...)
    report/kinds/   how it is shown                           Rooms("report", ...)

A package adds a kind by an entry point of the group `replearn.kinds`, whose name is the kind's. It leads to a module,
or any object, with one attribute per stage, `data`, `views`, `encoders` and `report`: an object that says what the
stage must know. What it lacks, the kind does not offer.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

from replearn.data.packages import brought

ENTRY_POINTS = "replearn.kinds"
STAGES = ("data", "views", "encoders", "report")
NAME = re.compile(r"[a-z][a-z0-9_-]*")
Room = TypeVar("Room")


class KindWarning(UserWarning):
    """A kind of samples of another package is left out."""


class Rooms(Mapping[str, Room], Generic[Room]):
    """What every kind says in one stage, by the kind's name.

    Args:
        stage: `data`, `views`, `encoders` or `report`.
        own: what is said of replearn's own kinds, by name.
        nothing: what is said of any other kind: samples of your own need no package.
        taken: names that no package's kind may have, those of replearn's own kinds.
    """

    def __init__(self, stage: str, own: Mapping[str, Room], nothing: Room, *, taken: Iterable[str]) -> None:
        self.stage = stage
        self.own = own
        self.nothing = nothing
        self.taken = frozenset(taken)

    def _all(self) -> dict[str, Room]:
        found = dict(self.own)
        for name, package in packaged(self.taken).items():
            found[name] = getattr(package, self.stage, self.nothing)
        return found

    def __getitem__(self, kind: str) -> Room:
        return self._all().get(kind, self.nothing)

    def __contains__(self, kind: object) -> bool:
        return kind in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


@cache
def packaged(taken: frozenset[str]) -> dict[str, Any]:
    """What installed packages bring, by the kind's name, which is none of those taken; looked up once in a process.

    Warns:
        KindWarning: one is left out, and why.
    """
    found: dict[str, Any] = {}

    def accept(point: Any) -> tuple[str, Any]:
        if not NAME.fullmatch(point.name):
            raise ValueError("a kind's name must be of lower-case letters, digits, - and _")
        if point.name in taken or point.name in found:
            raise ValueError(f"there is a kind {point.name} already")
        package = point.load()
        if not hasattr(package, "data"):
            raise TypeError("it must have an attribute `data`")
        classes = [stage for stage in STAGES if isinstance(getattr(package, stage, None), type)]
        if classes:
            raise TypeError(f"`{classes[0]}` must be an object, not a class: write {classes[0]} = ...()")
        return point.name, package

    for name, package in brought(ENTRY_POINTS, accept, what="kind", category=KindWarning):
        found[name] = package  # noqa: PERF403 - `accept` looks at what is there
    return found
