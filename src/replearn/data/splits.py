"""Train and test parts of samples."""

import logging

import numpy as np
from jaxtyping import Int

from replearn.data.copies import belonging, content_hashes, copies
from replearn.data.samples import Samples

log = logging.getLogger("replearn")


def split(
    samples: Samples, *, test: float = 0.2, stratify: bool = True, random_state: int = 0
) -> tuple[Samples, Samples]:
    """Split samples at random into a training and a test part; nothing is copied.

    Exact copies of a sample stay on one side, and so do samples of one group (`samples.groups`: patients, speakers);
    a line of the log counts the copies. What a table's reading learns (see `TableReading`) is learned from the
    training part alone.

    Args:
        samples: what to split.
        test: share of the test part, between 0 and 1.
        stratify: take that share of each class, unlabelled samples counting as one class. Without labels it
            does nothing.
        random_state: the same number gives the same parts.

    Raises:
        ValueError: `test` out of range, or too few samples for two parts.

    >>> from replearn.data import load_data
    >>> [len(part) for part in split(load_data("digits8x8"), test=0.5)]
    [899, 898]
    """
    if not 0 < test < 1:
        raise ValueError(f"test must lie between 0 and 1; got {test}. 0.2 takes a fifth of the samples.")
    units = together(samples)
    labels = np.zeros(len(samples), np.int64) if samples.labels is None or not stratify else samples.labels
    held = stratified_test(labels, test=test, random_state=random_state, units=units)
    if not 0 < len(held) < len(samples):  # classes of a single group each
        held = stratified_test(np.zeros_like(labels), test=test, random_state=random_state, units=units)
    if not 0 < len(held) < len(samples):
        raise ValueError(
            f"both parts must hold a sample; {len(samples)} samples with test={test} leave one empty "
            f"({units.max() + 1} of them can be parted: copies and groups stay together). Name a test part (--test), "
            "or pass more samples."
        )
    kept = np.setdiff1d(np.arange(len(samples)), held)
    samples = samples.learned_on(kept)
    return samples.subset(kept), samples.subset(held)


def stratified_test(
    labels: Int[np.ndarray, " n"],
    *,
    test: float,
    random_state: int,
    units: Int[np.ndarray, " n"] | None = None,
) -> Int[np.ndarray, " m"]:
    """Positions of a test part that takes the share `test` of each class (rounded), in rising order.

    Args:
        labels: class of each sample.
        test: the share.
        random_state: seed of the draw.
        units: numbers from 0 on, of what stays together; it counts to its most frequent class. None: each sample can
            be parted from all others. A unit is taken if that brings the part of its class nearer to its share.
    """
    draw = np.random.default_rng(random_state)
    if units is None or units.max(initial=-1) + 1 == len(units):
        parts = [draw.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
        return np.sort(np.concatenate([part[: round(len(part) * test)] for part in parts]))
    sizes, classes = np.bincount(units), _majority(units, labels)
    taken = np.zeros(len(sizes), dtype=bool)
    for label in np.unique(classes):
        order = draw.permutation(np.flatnonzero(classes == label))
        wanted, size = round(int(sizes[order].sum()) * test), 0
        for unit, more in zip(order.tolist(), sizes[order].tolist(), strict=True):
            if abs(size + more - wanted) < abs(size - wanted):
                taken[unit] = True
                size += more
    return np.flatnonzero(taken[units])


def together(samples: Samples) -> Int[np.ndarray, " n"]:
    """A number per sample, shared by what must stay on one side of a split; a line of the log says how much does."""
    hashes = content_hashes(samples)
    repeated = copies(hashes)
    if repeated:
        told = (
            "1 sample is an exact copy of another"
            if repeated == 1
            else f"{repeated} samples are exact copies of others"
        )
        log.warning("%s; kept on one side of the split", told)
    if samples.groups is not None:
        alone, names = int((samples.groups == "").sum()), len(set(samples.groups.tolist()) - {""})
        also = f"; {alone} samples of no group" if alone else ""
        log.info("%d groups, each kept on one side of the split%s", names, also)
    return belonging(samples, hashes)


def _majority(units: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"]) -> Int[np.ndarray, " u"]:
    """The most frequent label of each unit, the smallest of several."""
    values, numbers = np.unique(labels, return_inverse=True)
    pairs, counts = np.unique(units * len(values) + numbers, return_counts=True)
    order = np.lexsort((pairs, -counts, pairs // len(values)))
    _, first = np.unique(pairs[order] // len(values), return_index=True)
    return np.asarray(values[pairs[order][first] % len(values)])
