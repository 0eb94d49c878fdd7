"""What the page asks of: samples, their representation and places, colours, neighbours, search and labels."""

import base64
import csv
import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from replearn.data import Samples
from replearn.data.labels import UNLABELLED
from replearn.evaluate import nearest
from replearn.report.excerpts import without_controls
from replearn.report.kinds import LOOKS
from replearn.service.curation.table import name_of
from replearn.service.explore.labelling import LabelFile, numbered
from replearn.service.explore.places import Places
from replearn.service.explore.proposing import propose
from replearn.service.explore.seen import card, shown_name, whole_card

CONTAIN, MEANT = 200, 20  # samples that a search finds at most: by their words, by the representation
CLASSES = 5000  # names of a column that is shown as classes


@dataclass(frozen=True, eq=False)
class Colour:
    """A column by which points are coloured: classes, or an amount.

    Attributes:
        name: of the column.
        values: class of each sample, -1 where it has none; or amounts, NaN where there is none.
        classes: their names; empty of amounts.
    """

    name: str
    values: np.ndarray
    classes: Sequence[str] = ()

    @property
    def amounts(self) -> bool:
        """Whether these are amounts, not classes."""
        return self.values.dtype.kind == "f"

    def told(self) -> dict[str, Any]:
        """For the page: numbers in base64, amounts as shares of their range."""
        if not self.amounts:
            return {
                "name": self.name,
                "classes": list(self.classes),
                "values": packed(self.values.astype("<i4")),
            }
        there = self.values[np.isfinite(self.values)]
        low, high = (float(there.min()), float(there.max())) if len(there) else (0.0, 1.0)
        share = (self.values - low) / max(high - low, 1e-12)
        return {
            "name": self.name,
            "low": low,
            "high": high,
            "values": packed(np.nan_to_num(share, nan=-1).astype("<f4")),
        }

    def at(self, position: int) -> str:
        """The value of a sample, in words."""
        value = self.values[position]
        if not self.amounts:
            return self.classes[int(value)] if value >= 0 else ""
        return f"{value:.3g}" if np.isfinite(value) else ""


@dataclass(frozen=True, eq=False)
class Beside:
    """A second representation of the same samples.

    Attributes:
        title: of its run.
        rows: `(n, d)`.
        places: of its map, turned to lie like the first.
        changed: of each sample, the share of its nearest that are others than by the first representation.
        told: how that was found.
    """

    title: str
    rows: Float[np.ndarray, "n d"]
    places: Places
    changed: Float[np.ndarray, " n"]
    told: str


@dataclass(eq=False, kw_only=True)
class Explored:
    """Samples, and all that the page shows of them.

    Attributes:
        title: of the page.
        samples: n of them.
        rows: their representations.
        places: where they lie.
        colours: by which points can be coloured, the first one at the beginning.
        told: what a reader must know, in lines.
        labels: the file that clicks are written to, or None.
        read_text: represents a text as the run does, or None where it reads none.
        beside: a second representation, or None.
    """

    title: str
    samples: Samples
    rows: Float[np.ndarray, "n d"]
    places: Places
    colours: list[Colour] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    labels: LabelFile | None = None
    read_text: Callable[[str], Float[np.ndarray, "1 d"]] | None = None
    beside: Beside | None = None

    def __post_init__(self) -> None:
        self._one = threading.RLock()  # samples and networks are read by one thread at a time

    def __len__(self) -> int:
        return len(self.samples)

    def map(self) -> dict[str, Any]:
        """All that is drawn before anything is asked: places, colours, lines."""
        maps = [{"title": self.title, "xy": _packed_places(self.places)}]
        if self.beside is not None:
            maps.append({"title": self.beside.title, "xy": _packed_places(self.beside.places)})
        return {
            "title": self.title,
            "n": len(self),
            "maps": maps,
            "colours": [colour.told() for colour in self.colours],
            "told": self.told,
            "labelling": self.labels is not None,
            "meant": self.read_text is not None,
        }

    def small(self, positions: Sequence[int]) -> list[dict[str, Any]]:
        """What lists show of samples."""
        with self._one:
            return [self._with_values(card(self.samples, one), one) for one in positions]

    def whole(self, position: int) -> dict[str, Any]:
        """What is shown of a sample that is opened."""
        with self._one:
            found = self._with_values(whole_card(self.samples, position), position)
        found["values"] = [
            (colour.name, colour.at(position)) for colour in self.colours if colour.at(position)
        ]
        return found

    def neighbours(self, position: int, k: int) -> dict[str, Any]:
        """The k nearest of a sample by cosine, without itself; by the second representation, too."""
        found = {"neighbours": self._nearest(self.rows, position, k)}
        if self.beside is not None:
            found["beside"] = self._nearest(self.beside.rows, position, k)
            first, second = ({one["position"] for one in found[name]} for name in ("neighbours", "beside"))
            for one in found["neighbours"] + found["beside"]:
                one["shared"] = one["position"] in first & second
        return found

    def search(self, asked: str) -> dict[str, Any]:
        """Samples whose name or text holds what is asked for, and, where the run reads texts, the nearest to it."""
        asked = asked.strip()
        if not asked:
            raise ValueError("q must hold what is searched for; got nothing.")
        contain = self._containing(asked.casefold())
        found: dict[str, Any] = {"positions": contain[:CONTAIN], "found": len(contain)}
        if self.read_text is not None:
            with self._one:
                row = self.read_text(asked)
            index, cosine = nearest(row, self.rows, k=min(MEANT, len(self)))
            found["meant"] = self._listed(index[0].tolist(), cosine[0].tolist())
        return found

    def propose(self, count: int, random_state: int) -> tuple[list[int], str]:
        """Samples to label next, by the labels that were clicked."""
        found, told = propose(self.rows, self.clicked()[0], count, random_state=random_state)
        return found.tolist(), told

    def clicked(self) -> tuple[Int[np.ndarray, " n"], list[str]]:
        """Labels that were given by clicking, and their classes."""
        assert self.labels is not None
        return numbered(self.labels.read())

    def csv(self, positions: Sequence[int]) -> str:
        """Samples as a CSV: number, file, and the columns by which points are coloured."""
        columns = [colour.name for colour in self.colours]
        clicked = None if self.labels is None else self.labels.read()
        header = ["number", "file", *(["label"] if clicked is not None else []), *columns]
        made = io.StringIO()
        writer = csv.writer(made, lineterminator="\n")
        writer.writerow(_apart(header))
        for one in positions:
            own = [] if clicked is None else [clicked[one] or ""]
            writer.writerow(
                [one, name_of(self.samples, one), *own, *(colour.at(one) for colour in self.colours)]
            )
        return made.getvalue()

    def _nearest(self, rows: np.ndarray, position: int, k: int) -> list[dict[str, Any]]:
        index, cosine = nearest(rows[[position]], rows, k=min(k + 1, len(rows)))
        pairs = [(i, c) for i, c in zip(index[0].tolist(), cosine[0].tolist(), strict=True) if i != position]
        return self._listed(*map(list, zip(*pairs[:k], strict=True))) if pairs else []

    def _listed(self, positions: list[int], cosines: list[float]) -> list[dict[str, Any]]:
        shown = self.small(positions)
        return [one | {"cosine": round(cosine, 4)} for one, cosine in zip(shown, cosines, strict=True)]

    def _with_values(self, found: dict[str, Any], position: int) -> dict[str, Any]:
        told = self.colours[0].at(position) if self.colours else ""
        return found | {"position": position, "told": told}

    def _containing(self, asked: str) -> list[int]:
        looks = LOOKS[self.samples.kind]

        def words(i: int) -> str:
            text = looks.text(self.samples, i) if looks.shown == "text" else ""
            return f"{shown_name(self.samples, i)}\n{text}".casefold()

        return [i for i in range(len(self)) if asked in words(i)]


def changed_neighbours(
    first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "n e"], *, k: int = 10, most: int = 20_000
) -> tuple[Float[np.ndarray, " n"], str]:
    """Of each sample, the share of its k nearest by the first rows that are not among the k nearest by the second.

    Nearest are sought among at most 20,000 samples, drawn at random.

    >>> rows = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    >>> changed_neighbours(rows, rows[[0, 2, 1, 3]], k=1)[0].tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    n = len(first)
    some = np.sort(np.random.default_rng(0).permutation(n)[:most])
    k = min(k, len(some) - 1)
    if k < 1:
        return np.zeros(n), "a sample alone has no neighbours"
    found = [some[nearest(rows, rows[some], k=k + 1)[0]] for rows in (first, second)]  # (n, k + 1)
    changed = np.empty(n)
    for i, (a, b) in enumerate(zip(*found, strict=True)):
        own, other = (set(one[one != i][:k].tolist()) for one in (a, b))
        changed[i] = 1 - len(own & other) / k
    among = f", sought among {len(some):,} of {n:,} samples" if len(some) < n else ""
    return changed, (
        f"{100 * changed.mean():.0f} % of the {k} nearest of a sample are others in the second representation{among}"
    )


def label_colour(samples: Samples) -> Colour | None:
    """The samples' own labels, where they have some."""
    if samples.labels is None or (samples.labels == UNLABELLED).all():
        return None
    return Colour(
        "label", np.asarray(samples.labels), tuple(without_controls(str(name)) for name in samples.classes)
    )


def column_colour(name: str, values: Sequence[Any]) -> Colour:
    """A column as an amount, if it holds numbers of which many differ, else as classes.

    Raises:
        ValueError: it has more different names than are shown.
    """
    plain = [None if pd.isna(one) or one == "" else one for one in values]
    numbers = [one for one in plain if one is not None]
    amounts = all(isinstance(one, int | float | np.number) and not isinstance(one, bool) for one in numbers)
    if amounts and (len(set(numbers)) > 20 or any(float(one) % 1 for one in numbers)):
        return Colour(name, np.array([np.nan if one is None else float(one) for one in plain]))
    found, classes = numbered([None if one is None else without_controls(str(one)) for one in plain])
    if len(classes) > CLASSES:
        raise ValueError(
            f"--keep must name columns of at most {CLASSES:,} different names; {name!r} has {len(classes):,}. Leave "
            "it out."
        )
    return Colour(name, found, classes)


def packed(numbers: np.ndarray) -> str:
    """Little-endian numbers in base64."""
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode("ascii")


def _packed_places(places: Places) -> str:
    return packed(places.xy.astype("<f4"))


def _apart(header: list[str]) -> list[str]:
    """Names of columns, each once."""
    found: list[str] = []
    for name in header:
        made = name
        while made in found:
            made += "_"
        found.append(made)
    return found
