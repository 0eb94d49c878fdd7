"""Whether the test part nearly holds samples of the training part, said in one line and kept with the scores."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from replearn.data import Samples
from replearn.data.copies import belonging, content_hashes
from replearn.data.kinds import KINDS, WORDS
from replearn.evaluate import NearCopies, near_copies, near_texts
from replearn.evaluate.checks import unit_columns

log = logging.getLogger("replearn")

NEAR = "near copies across the split"
NAMED = 20  # pairs that are named


def copies_across(train: Samples, test: Samples) -> dict[str, Any]:
    """Facts of a comparison: how many test samples nearly equal a training sample, which, and by which rule.

    Texts are compared by their wording, columns of a table over their deviations, all else as raw numbers.
    """
    found = near_across(train, test)
    pairs = [
        f"{_name(test.names, i)} = {_name(train.names, j)}"
        for i, j in zip(found.test.tolist()[:NAMED], found.train.tolist()[:NAMED], strict=True)
    ]
    if pairs:
        log.warning(
            "%d of %d test samples nearly equal a training sample (%s), so that all scores are too high: "
            "test %s in training, and so on. Split by groups, or drop them.",
            len(found.test),
            found.compared,
            found.rule,
            pairs[0],
        )
    return {NEAR: {"test samples": len(found.test), "of": found.compared, "rule": found.rule, "pairs": pairs}}


def together_in_training(train: Samples) -> np.ndarray | None:
    """A number per training sample, shared by exact copies and members of a group; None where all stand alone."""
    units = belonging(train, content_hashes(train))
    return None if units.max(initial=-1) + 1 == len(units) else units


def near_across(train: Samples, test: Samples) -> NearCopies:
    """Test samples that nearly equal a training sample: of texts by their wording, else by raw numbers."""
    if WORDS in KINDS[train.kind].offers:
        return near_texts(_texts(train), _texts(test))
    rows, others = train.flat(), test.flat()
    if KINDS[train.kind].scaled:
        both = unit_columns(np.concatenate([rows, others])).astype(np.float32)
        rows, others = both[: len(rows)], both[len(rows) :]
    return near_copies(rows, others)


def _texts(samples: Samples) -> list[str]:
    return [str(text) for part in samples.parts() for text in samples[part].x]


def _name(names: Sequence[str] | None, place: int) -> str:
    return str(place) if names is None else str(names[place])
