"""What is found in a set: of each sample at most one finding of a kind, with the sample that it is because of.

copy        equals an earlier sample
near copy   nearly equals an earlier sample (by the rule of `replearn.evaluate.near_within`)
leak        equals, or nearly equals, a sample of the test part
outlier     lies far from all others, in the representation
wrong label is told to be of another class by a probe that has not seen it
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from replearn.comparison.copies import near_across
from replearn.data import Samples
from replearn.data.copies import belonging, connected, content_hashes
from replearn.data.kinds import KINDS, WORDS
from replearn.data.labels import UNLABELLED
from replearn.evaluate import balanced as balanced_sample
from replearn.evaluate import (
    hierarchical_kmeans,
    label_errors,
    near_texts_within,
    near_within,
    out_of_fold,
    outlying,
)
from replearn.evaluate.checks import unit_columns

log = logging.getLogger("replearn")

KINDS_OF = ("copy", "near copy", "leak", "outlier", "wrong label")
FEWEST = 10  # labelled samples of which wrong ones are looked for
TRUSTED = 0.85  # of the labels that probes must tell, for samples to be left out because of them


@dataclass(frozen=True)
class Finding:
    """A sample that should be looked at.

    Attributes:
        kind: one of `KINDS_OF`.
        sample: its position.
        other: of copies the position of the sample that it repeats, of leaks that in the test part; else -1.
        score: of near copies none (0); of outliers the distance as a multiple of the limit; of wrong labels the
            margin of the other class.
        guess: of wrong labels, the class that the sample seems to be.
    """

    kind: str
    sample: int
    other: int = -1
    score: float = 0.0
    guess: str = ""


@dataclass(frozen=True, eq=False)
class Findings:
    """All findings of a set.

    Attributes:
        samples: the set.
        test: the test part, or None.
        found: the findings, kind by kind, the surest first.
        keep: which samples to keep, (n,).
        told: what was looked at, and by which rules: lines.
        doubt: the one of these that says why findings did not count, if one does.
    """

    samples: Samples
    test: Samples | None
    found: Sequence[Finding]
    keep: Bool[np.ndarray, " n"]
    told: Sequence[str]
    doubt: Sequence[str] = ()

    def of(self, kind: str) -> list[Finding]:
        """Those of a kind."""
        return [one for one in self.found if one.kind == kind]


def find(
    samples: Samples,
    rows: Float[np.ndarray, "n d"],
    *,
    simple: Float[np.ndarray, "n e"] | None = None,
    test: Samples | None = None,
    balanced: int | None = None,
    by: str = "the representation",
    random_state: int = 0,
) -> Findings:
    """Look for copies, leaks, outliers and wrong labels; keep what has no finding, or a balanced part of it.

    Args:
        samples: the set.
        rows: a representation of each sample, by which outliers and wrong labels are found.
        simple: simple features, by which outliers are found, too: a network may take noise for something known.
        test: a test part, whose samples the set must not hold.
        balanced: keep so many, evenly over clusters of clusters.
        by: what `rows` are, for the reader.
        random_state: seed of folds and clusters.
    """
    hashes = content_hashes(samples)
    _, first, same = np.unique(hashes, return_index=True, return_inverse=True)
    alone = np.sort(first)  # the first of each content
    found = [Finding("copy", i, int(first[same[i]])) for i in range(len(samples)) if first[same[i]] != i]
    unlike = 0 if samples.labels is None else sum(_disagree(samples.labels, one) for one in found)
    pairs = _near(samples, alone)
    found += [Finding("near copy", int(later), int(earlier)) for later, earlier in _later(pairs)]
    told = [
        f"{len(samples):,} samples; near copies by their {_what(samples)}, among the {len(alone):,} that differ"
    ]
    if unlike:
        told.append(f"copies with another label than the sample that they repeat, which is kept: {unlike:,}")
    if test is not None:
        leaks, line = _leaks(samples, test, hashes)
        found += leaks
        told.append(line)
    far = np.max([_far(of[alone]) for of in (rows, simple) if of is not None], axis=0)
    out = [place for place in np.argsort(-far, kind="stable").tolist() if far[place] > 1]
    found += [Finding("outlier", int(alone[place]), score=float(far[place])) for place in out]
    told.append(
        "outliers: mean distance to the 10 nearest above the upper quartile by twice the distance of the quartiles, in "
        + (by if simple is None else f"{by} or simple features")
    )
    units = belonging(samples, hashes)
    if len(pairs):
        units = connected(units, _together(len(samples), pairs))
    wrong, line, agree = _wrong(samples, rows, units, alone[out], random_state)
    found += wrong
    told.append(line)
    doubted = (
        f"{len(wrong):,} labels that seem wrong are kept: the probes tell {100 * agree:.1f} % of all labels, so most "
        "of these may be their own errors; a better representation (--run) would tell more"
    )
    doubt = [doubted] if wrong and agree < TRUSTED else []
    told += doubt
    keep = np.ones(len(samples), dtype=bool)
    keep[[one.sample for one in found if not doubt or one.kind != "wrong label"]] = False
    if balanced is not None:
        left = np.flatnonzero(keep)
        chosen = balanced_sample(
            hierarchical_kmeans(rows[left], random_state=random_state), balanced, random_state=random_state
        )
        keep[:] = False
        keep[left[chosen]] = True
        told.append(f"balanced: {keep.sum():,} of {len(left):,}, evenly over clusters of clusters")
    return Findings(samples, test, found, keep, told, doubt)


def _far(rows: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
    """How far samples lie from others, as multiples of the limit."""
    far, limit = outlying(rows)
    return far / limit if limit > 0 else np.zeros_like(far)


def _disagree(labels: np.ndarray, copy: Finding) -> bool:
    """Whether a copy and what it repeats have labels, and not the same."""
    own, other = labels[copy.sample], labels[copy.other]
    return bool(own >= 0 and other >= 0 and own != other)


def _near(samples: Samples, alone: Int[np.ndarray, " m"]) -> Int[np.ndarray, "k 2"]:
    """Pairs of near copies among samples that differ: texts by wording, columns over their deviations, else numbers."""
    some = samples.subset(alone)
    if WORDS in KINDS[samples.kind].offers:
        pairs = near_texts_within([str(text) for part in some.parts() for text in some[part].x])
    else:
        rows = some.flat()
        if KINDS[samples.kind].scaled:
            rows = unit_columns(rows).astype(np.float32)
        pairs = near_within(rows)
    return alone[pairs]


def _later(pairs: Int[np.ndarray, "k 2"]) -> list[tuple[int, int]]:
    """Of samples that near copies join, all but the first, and a sample that each is nearly equal to."""
    earlier: dict[int, int] = {}
    for later, first in pairs.tolist():
        earlier.setdefault(later, first)
    return sorted(earlier.items())


def _together(n: int, pairs: Int[np.ndarray, "k 2"]) -> np.ndarray:
    """A name for each sample, that near copies share; `""` of all others."""
    names = np.full(n, "", dtype=object)
    parent = dict(_later(pairs))
    for later in parent:
        root = later
        while root in parent:
            root = parent[root]
        names[later] = names[root] = str(root)
    return names.astype(str)


def _leaks(samples: Samples, test: Samples, hashes: np.ndarray) -> tuple[list[Finding], str]:
    """Samples that the test part holds, too."""
    there = {value: place for place, value in reversed(list(enumerate(content_hashes(test).tolist())))}
    equal = {i: there[value] for i, value in enumerate(hashes.tolist()) if value in there}
    near = near_across(test, samples)  # of each sample, the nearest of the test part
    leaks = {**dict(zip(near.test.tolist(), near.train.tolist(), strict=True)), **equal}
    line = f"leaks: samples that equal one of {len(test):,} test samples, or nearly do ({near.rule})"
    if near.compared < len(samples):
        line += f"; nearly equal ones among {near.compared:,} samples"
    return [Finding("leak", i, other) for i, other in sorted(leaks.items())], line


def _wrong(
    samples: Samples,
    rows: Float[np.ndarray, "n d"],
    units: np.ndarray,
    outliers: np.ndarray,
    random_state: int,
) -> tuple[list[Finding], str, float]:
    """Labels that are likely wrong, what was looked at, and which share of the labels the probes tell."""
    labels = None if samples.labels is None else samples.labels.copy()
    if labels is None or (labels >= 0).sum() < FEWEST or len(np.unique(labels[labels >= 0])) < 2:
        return [], "labels: not looked at, since there are fewer than 10, or fewer than two classes", 0.0
    known = int((labels >= 0).sum())
    labels[outliers] = UNLABELLED  # of no class, whatever they are labelled
    p = out_of_fold(rows, labels, groups=units, random_state=random_state)
    errors = label_errors(labels, p)
    found = [
        Finding("wrong label", int(i), score=float(margin), guess=str(samples.classes[guess]))
        for i, guess, margin in zip(errors.wrong, errors.guess, errors.margin, strict=True)
    ]
    seen = np.isfinite(p).all(1)
    right = float(np.mean(p[seen].argmax(1) == labels[seen])) if seen.any() else 0.0
    line = (
        f"labels: {errors.judged:,} of {known:,} judged by linear probes out of fold, which agree with "
        f"{100 * right:.1f} %"
    )
    return found, line, right


def _what(samples: Samples) -> str:
    return "wording" if WORDS in KINDS[samples.kind].offers else "raw numbers"
