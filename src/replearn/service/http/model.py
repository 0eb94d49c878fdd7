"""What is served: a run, and an index that it made, whose new versions are taken up while requests come."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from replearn.data import Description
from replearn.service.http.contents import check_servable, samples_of
from replearn.service.indexes import Opened, Table, current, open_index
from replearn.service.reading import check_places, hash_of_run, members_of, rows_of
from replearn.transfer import FineTune

log = logging.getLogger("replearn")


class Served:
    """A fitted model that answers.

    Args:
        method: fitted.
        known: what its samples are like.
        run: its folder.
        index: that of an index which this run made, or None.

    Raises:
        ValueError: requests can't hold its samples, or the index is of another run.
    """

    def __init__(self, method: Any, known: Description, run: str, index: str | None = None) -> None:
        check_places(method)
        if members_of(method):
            raise ValueError("a server reads samples of one kind; this run is of clip, which has members.")
        check_servable(known)
        self.method, self.known, self.run = method, known, run
        self.weights = hash_of_run(run)
        self._index = index
        self._opened: Opened | None = None
        self._refused = ""
        if index is not None:
            opened = open_index(index)
            if opened.version.weights != self.weights:
                raise ValueError(
                    f"the index must be made by the run that is served; that in {index} was made by another, "
                    f"{opened.version.run}. Serve that one, or rebuild the index by --renew."
                )
            self._opened = opened

    @property
    def classifies(self) -> bool:
        """Whether it tells classes."""
        return isinstance(self.method, FineTune) and self.method.task == "classify"

    @property
    def classes(self) -> list[str]:
        """Of one that classifies."""
        return [str(name) for name in self.method.classes_]

    @property
    def version(self) -> str | None:
        """Of the index that is searched."""
        return None if self._opened is None else self._opened.name

    def rows(self, contents: Sequence[Any]) -> np.ndarray:
        """A representation per sample of some requests."""
        return rows_of(self.method, samples_of(contents, self.known), None)

    def probabilities(self, contents: Sequence[Any]) -> np.ndarray:
        """Probabilities of the classes per sample of some requests."""
        return np.asarray(self.method.predict_proba(samples_of(contents, self.known)))

    def table(self) -> Table | None:
        """The table of the index, of its current version where this run made it, else of the last one that it made."""
        if self._index is None or self._opened is None:
            return None
        name = current(self._index)
        if name not in (self._opened.name, self._refused):
            opened = open_index(self._index)
            if opened.version.weights == self.weights:
                self._opened = opened
                log.info("the index is at %s now", name)
            else:
                self._refused = name
                log.warning(
                    "the index has a version of another run, %s; %s stays in use", name, self._opened.name
                )
        return self._opened.table

    def condition(self, where: Mapping[str, Any]) -> str | None:
        """A condition of equal values, in SQL; values of requests are never read as SQL.

        Raises:
            ValueError: there is no such column, or a value is no string or number.
        """
        table = self.table()
        parts = []
        for name, value in where.items():
            if table is None or name not in table.columns:
                raise ValueError(f"where must name columns of the index; got {name!r:.40}.")
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise ValueError(f"values of where must be strings or numbers; got {value!r:.40}.")
            told = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
            parts.append(f"{table.quoted(name)} = {told}")
        return " AND ".join(parts) or None
