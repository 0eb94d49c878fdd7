"""Rows with their directions in a table that is searched by cosine, with conditions on other columns.

h (n, d) --length 1--> directions --> table --query, condition--> the nearest, by cosine

Tables lie in files (`replearn.service.indexes.lance`) or in a database (`replearn.service.indexes.server`).
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int

NUMBER, LABEL, DIRECTION = "number", "label", "h"
OWN = (NUMBER, "name", LABEL, "group", DIRECTION)  # columns that are not the user's
log = logging.getLogger("replearn")

AT_ONCE = 8192  # rows in memory


@dataclass(frozen=True)
class Partitions:
    """An approximate search: the nearest of some partitions are looked through.

    Attributes:
        of: how many there are.
        probes: how many are looked through.
    """

    of: int
    probes: int


class Table(ABC):
    """Rows, each with a number of its own, other columns, and a direction.

    Attributes:
        partitions: of an approximate search; None: every row is looked at.
    """

    partitions: Partitions | None

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """Names that conditions may have."""

    @property
    @abstractmethod
    def dim(self) -> int:
        """Numbers per row."""

    @abstractmethod
    def search(
        self, query: Float[np.ndarray, " d"], k: int, *, where: str | None = None, exact: bool = False
    ) -> "pa.Table":
        """The k nearest rows, the nearest first: all columns but the direction, and `cosine`.

        Args:
            query: a row of numbers.
            k: how many, at most.
            where: a condition in SQL: `label = 'cat' AND year > 2000`.
            exact: look at every row, whatever index there is.

        Raises:
            ValueError: the row has no direction, or the condition can't be read.
        """

    @abstractmethod
    def quoted(self, name: str) -> str:
        """A column's name as conditions have it where it is no plain word."""

    @abstractmethod
    def rows(self, numbers: list[int]) -> dict[int, Any]:
        """The directions of the rows of these numbers, of those that are there."""

    @abstractmethod
    def numbers(self) -> Int[np.ndarray, " n"]:
        """Those of all rows."""

    @abstractmethod
    def part(self, numbers: Int[np.ndarray, " q"]) -> tuple["pa.Table", Float[np.ndarray, "q d"]]:
        """The columns and the directions of the rows of these numbers, which are there and rise."""

    @abstractmethod
    def names(self) -> set[str]:
        """Of samples that have one."""

    @abstractmethod
    def add(self, rows: Float[np.ndarray, "n d"], columns: Mapping[str, "pa.Array"]) -> None:
        """Add rows, in one instant: a reader sees all or none of them. Columns that they lack are empty, with a line.

        Raises:
            ValueError: they have columns that the table has not, or another width.
        """

    @abstractmethod
    def delete(self, where: str) -> int:
        """Delete the rows for which a condition holds; how many there were.

        Raises:
            ValueError: it can't be read.
        """

    @abstractmethod
    def part_up(self, partitions: int) -> None:
        """Part the rows by k-means, so that a search may look through the nearest parts alone."""

    def direction(self, number: int) -> Float[np.ndarray, " d"]:
        """That of the row of this number.

        Raises:
            ValueError: there is none.
        """
        found: np.ndarray = self.directions(np.array([number]))[0]
        return found

    def directions(self, numbers: Int[np.ndarray, " q"]) -> Float[np.ndarray, "q d"]:
        """Those of the rows of these numbers.

        Raises:
            ValueError: one is not there.
        """
        found = self.rows(numbers.tolist())
        missing = [number for number in numbers.tolist() if number not in found]
        if missing:
            raise ValueError(
                f"the number must be that of a sample in the index; got {missing[0]}, which none of {len(self):,} has."
            )
        return np.asarray([found[number] for number in numbers.tolist()], dtype=np.float32)  # (q, d)

    def next_number(self) -> int:
        """Above all numbers so far."""
        return int(np.max(self.numbers(), initial=-1)) + 1

    def check_added(self, rows: Float[np.ndarray, "n d"], given: set[str]) -> list[str]:
        """The columns that rows which are added lack, which is said.

        Raises:
            ValueError: they have columns that the table has not, or another width.
        """
        known = set(self.columns)
        if given - known or rows.shape[1] != self.dim:
            raise ValueError(
                f"rows that are added must have {self.dim} numbers and no columns but {', '.join(sorted(known))}; got "
                f"{rows.shape[1]} and {', '.join(sorted(given))}. Rebuild the index."
            )
        lacking = sorted(known - given)
        if lacking:
            log.warning(
                "%d rows that are added have no %s, which is left empty", len(rows), ", ".join(lacking)
            )
        return lacking

    def unread(self, where: str, error: Exception) -> ValueError:
        """What to say of a condition that can't be read."""
        reason = " ".join(str(error).split())
        return ValueError(
            f"a condition must be one of SQL on the columns {', '.join(self.columns)}; got {where!r} "
            f"({reason:.120}). For instance: label = 'cat'"
        )


def directions(rows: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Rows of length 1.

    Raises:
        ValueError: one has no direction.
    """
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise ValueError(
            "a representation that is searched by must have a direction; got one of zeros, or NaN."
        )
    found: np.ndarray = (rows / lengths).astype(np.float32)
    return found


def neighbours(
    table: Table, queries: Float[np.ndarray, "q d"], own: Int[np.ndarray, " q"], k: int, *, exact: bool
) -> list[set[int]]:
    """Numbers of the k nearest rows of each query but its own."""
    found = []
    for query, number in zip(queries, own.tolist(), strict=True):
        near = table.search(query, k + 1, exact=exact)[NUMBER].to_pylist()
        found.append(set([other for other in near if other != number][:k]))
    return found
