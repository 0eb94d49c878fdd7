"""Graphs as they are read, one by one: looked at, and put together into samples."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from replearn.data.graphs.samples import GraphSamples
from replearn.data.told import first_of, warn_of_data

log = logging.getLogger("replearn")

DEGREES = 16  # columns of a node's degree, where a graph says nothing else of its nodes


@dataclass(eq=False)
class Read:
    """A graph as it was read.

    Attributes:
        name: of its file, its row, or its number.
        nodes: numbers `(v, d)` of its nodes.
        edges: int64 `(2, e)`.
        marks: numbers `(e, f)` of its edges, or None.
        label: its class, or None.
        refused: why it can't be read, if so.
    """

    name: str
    nodes: np.ndarray
    edges: np.ndarray
    marks: np.ndarray | None = None
    label: Any = None
    refused: str = ""


def refusal(name: str, reason: str) -> Read:
    """What can't be read, and why."""
    return Read(name, np.zeros((0, 0), np.float32), np.zeros((2, 0), np.int64), refused=reason)


def assembled(
    graphs: Iterable[Read], origin: str, *, strict: bool = False, details: Mapping[str, Any] | None = None
) -> tuple[GraphSamples, list[Any] | None]:
    """Samples of those that are as they must be, and their labels, or None if there is none.

    Args:
        graphs: in their order.
        origin: what they are of, in messages.
        strict: raise where one is left out.
        details: for the samples.

    Raises:
        ValueError: none is left, or what `strict` says.

    Warns:
        DataWarning: how many are left out, and why.
    """
    samples, labels = put_together(graphs, origin, details=details)
    tell(samples, origin, strict=strict)
    return samples, labels


def put_together(
    graphs: Iterable[Read], origin: str, *, details: Mapping[str, Any] | None = None
) -> tuple[GraphSamples, list[Any] | None]:
    """The same, without a word of what is left out."""
    found = list(graphs)
    widths = Counter(
        (one.nodes.shape[1], _width(one.marks)) for one in found if not one.refused and len(one.nodes)
    )
    usual = widths.most_common(1)[0][0] if widths else (0, None)
    kept, skipped = [], []
    for one in found:
        reason = one.refused or _wrong(one, usual)
        if reason:
            skipped.append((one.name, reason))
        else:
            kept.append(one)
    if not kept:
        told = first_of(skipped) or "none"
        raise ValueError(f"{origin} must hold at least one graph that can be read; got {told}. Correct them.")
    marks = None if usual[1] is None else np.concatenate([one.marks for one in kept])  # type: ignore[arg-type]
    samples = GraphSamples(
        np.concatenate([one.nodes for one in kept]),
        np.concatenate([one.edges for one in kept], axis=1),
        [len(one.nodes) for one in kept],
        [one.edges.shape[1] for one in kept],
        marks,
        names=[one.name for one in kept],
        skipped=skipped,
        details=dict(details or {}),
    )
    labels = [one.label for one in kept]
    return samples, None if all(label is None for label in labels) else labels


def tell(samples: GraphSamples, origin: str, *, strict: bool) -> None:
    """What was left out, as a warning, or an error if `strict`; and edges that lead from a node to itself."""
    skipped, loops = samples.skipped, int((samples.edges[0] == samples.edges[1]).sum())
    if skipped:
        number = len(skipped) + len(samples)
        warn_of_data(
            f"{len(skipped):,} of {number:,} graphs of {origin} are left out: {first_of(skipped)}",
            strict=strict,
        )
    if loops:
        log.info("%s: %d edges lead from a node to itself; they are kept", origin, loops)


def _width(marks: np.ndarray | None) -> int | None:
    return None if marks is None else marks.shape[1]


def _wrong(one: Read, usual: tuple[int, int | None]) -> str:
    """What is wrong with a graph, as a clause; nothing of most."""
    if not len(one.nodes):
        return "has no node"
    if (one.nodes.shape[1], _width(one.marks)) != usual:
        own, most = one.nodes.shape[1], usual[0]
        return f"has {own} numbers a node and {_width(one.marks) or 0} an edge, most have {most} and {usual[1] or 0}"
    out = (one.edges < 0) | (one.edges >= len(one.nodes))
    if out.any():
        return f"has an edge to node {one.edges[out][0]}, and its nodes are 0 to {len(one.nodes) - 1}"
    if one.marks is not None and len(one.marks) != one.edges.shape[1]:
        return f"has {one.edges.shape[1]} edges, and numbers of {len(one.marks)}"
    for what, numbers in (("node", one.nodes), ("edge", one.marks)):
        if numbers is not None and not np.isfinite(numbers).all():
            bad = np.flatnonzero(~np.isfinite(numbers).all(1))
            return f"has a number that is not finite, at {what} {bad[0]}"
    return ""


def degrees(edges: np.ndarray, nodes: int) -> np.ndarray:
    """How many edges lead into each node, in 16 columns, of which the last is for more; of nodes that say nothing."""
    inside = edges[1][(edges[1] >= 0) & (edges[1] < nodes)]
    counts = np.bincount(inside, minlength=nodes).clip(max=DEGREES - 1)
    rows: np.ndarray = np.eye(DEGREES, dtype=np.float32)[counts]
    return rows


def tell_degrees(origin: str) -> None:
    """That nodes say nothing, so that their degree stands for them."""
    log.info("%s: nodes have no numbers; their degree, up to %d, stands for them", origin, DEGREES - 1)


def one_hot(values: Sequence[Any]) -> tuple[np.ndarray, list[str]]:
    """A column per value that there is, in order, and the columns' names."""
    known = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    place = {value: column for column, value in enumerate(known)}
    return np.eye(len(known), dtype=np.float32)[[place[value] for value in values]], [
        str(value) for value in known
    ]
