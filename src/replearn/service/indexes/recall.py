"""How much of exact search an approximate one finds, and how many partitions that takes.

recall@k = mean over queries of |nearest k found ∩ nearest k| / k
"""

import time
from dataclasses import dataclass

import numpy as np

from replearn.service.indexes.table import Partitions, Table, neighbours

FEWEST = 1000  # rows
K = 10
ASKED = 100  # queries by which probes are chosen, and as many others by which recall is told
WANTED = 0.95


@dataclass(frozen=True)
class Recall:
    """What an approximate search finds.

    Attributes:
        recall: of the 10 nearest, the mean over other samples than those by which `probes` were chosen.
        partitions: how many there are, and how many are looked through.
        milliseconds: of a search, and of an exact one.
    """

    recall: float
    partitions: Partitions
    milliseconds: tuple[float, float]

    def __str__(self) -> str:
        approximate, exact = self.milliseconds
        return (
            f"approximate: finds {100 * self.recall:.1f} % of the {K} nearest (of {ASKED} samples), looking through "
            f"{self.partitions.probes} of {self.partitions.of} parts; {approximate:.1f} ms, exact {exact:.1f} ms"
        )


def approximate(table: Table, *, random_state: int = 0) -> Recall:
    """Part a table up, and look through as few parts as find 95 % of the 10 nearest.

    Half as many samples as are drawn choose how many parts that is, the others tell the recall.

    Raises:
        ValueError: the table is small, so that an exact search takes milliseconds.
    """
    if len(table) < FEWEST:
        raise ValueError(
            f"an approximate search is for {FEWEST:,} samples and more; got {len(table):,}, which an exact one looks "
            "through in milliseconds. Leave --approximate out."
        )
    of = round(len(table) ** 0.5)
    table.part_up(of)
    numbers = _drawn(table, random_state)
    queries = table.directions(numbers)
    began = time.perf_counter()
    truth = neighbours(table, queries, numbers, K, exact=True)
    slow = (time.perf_counter() - began) / len(numbers)
    choosing, telling = slice(0, ASKED), slice(ASKED, None)
    probes = 1
    while True:
        table.partitions = Partitions(of, min(probes, of))
        found = neighbours(table, queries[choosing], numbers[choosing], K, exact=False)
        if probes >= of or _recall(found, truth[choosing]) >= WANTED:
            break
        probes *= 2
    began = time.perf_counter()
    found = neighbours(table, queries[telling], numbers[telling], K, exact=False)
    fast = (time.perf_counter() - began) / len(found)
    return Recall(_recall(found, truth[telling]), table.partitions, (1000 * fast, 1000 * slow))


def _drawn(table: Table, random_state: int) -> np.ndarray:
    numbers = table.numbers()
    order = np.random.default_rng(random_state).permutation(len(numbers))
    drawn: np.ndarray = numbers[order[: 2 * ASKED]]
    return drawn


def _recall(found: list[set[int]], truth: list[set[int]]) -> float:
    return float(np.mean([len(a & b) / max(1, len(b)) for a, b in zip(found, truth, strict=True)]))
