"""What is told of data and of samples: what was left out or changed, and what in them may be a mistake."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from replearn.data.labels import UNLABELLED
from replearn.data.samples import Samples

log = logging.getLogger("replearn")

MANY, FEW_EACH = 50, 5  # classes, and samples of each, from which and below which numbers are hardly names
NAMED = 3  # of what was left out


class DataWarning(UserWarning):
    """Some of the data could not be used as given; one line says what and how much."""


def warn_of_data(line: str, *, strict: bool) -> None:
    """Warn of what is wrong with data; raise a ValueError instead if `strict`."""
    if strict:
        raise ValueError(f"strict: {line}.")
    warnings.warn(line, DataWarning, stacklevel=5)


def tell(origin: str, lines: Sequence[str], *, strict: bool) -> None:
    """Warn of what is not as it was, if there is anything."""
    if lines:
        warn_of_data(f"{origin}: {'; '.join(lines)}", strict=strict)


def tell_skipped(
    skipped: Sequence[tuple[str, str]], what: str, path: Path | str, *, of: int, strict: bool
) -> None:
    """Warn of what could not be read and was left out of `of` things at a path, if there is anything."""
    if skipped:
        line = f"{len(skipped):,} of {of:,} {what} in {path} were left out: {first_of(skipped)}"
        warn_of_data(line, strict=strict)


def first_of(skipped: Sequence[tuple[str, str]]) -> str:
    """The first things that were left out, each with its reason.

    >>> first_of([("a.png", "is empty")] * 4)
    "'a.png' is empty; 'a.png' is empty; 'a.png' is empty; ..."
    """
    named = "; ".join(f"{name!r} {reason}" for name, reason in skipped[:NAMED])
    return f"{named}; ..." if len(skipped) > NAMED else named


def tell_resized(shape: Sequence[int], size: Sequence[int] | None, by: Path | str) -> None:
    """A line of the log where images of a height and width are brought to the only ones that a network reads."""
    if size is not None and tuple(shape) != tuple(size):
        log.info("images of %d x %d pixels are resized to %d x %d, the size that %s reads", *shape, *size, by)


def tell_unlabelled(samples: Samples, own: Any) -> None:
    """A line of the log if not every sample of a file or folder has a label, where any has; -1 is a warning."""
    unknown = len(samples) if samples.labels is None else int((samples.labels == UNLABELLED).sum())
    if not unknown or samples.targets is not None or (samples.labels is None and own is None):
        return
    minus = sum(
        isinstance(label, int | np.integer) and label == UNLABELLED
        for label in (own if own is not None else ())
    )
    if minus:
        log.warning(
            "%d of %d samples are unlabelled, %d of them by the label -1 (write another name to make it a class)",
            *(unknown, len(samples), minus),
        )
    else:
        log.info("%d of %d samples are unlabelled", unknown, len(samples))


def tell_numbers(samples: Samples) -> None:
    """A warning where whole numbers are so many classes that they are rather something to predict."""
    labels = np.empty(0, np.int64) if samples.labels is None else samples.labels[samples.labels != UNLABELLED]
    there = np.unique(labels)
    if len(there) > MANY and len(labels) < FEW_EACH * len(there) and all(map(str.isdigit, samples.classes)):
        log.warning(
            "%d classes among %d labelled samples: if they are numbers to predict, use `replearn finetune --task "
            "regress`",
            *(len(there), len(labels)),
        )


def tell_blank(samples: Samples) -> None:
    """A warning where samples hold one number throughout: black images, silence. In them nothing can be seen.

    At most 4,096 samples are looked at, evenly spread; those of one axis (rows of a table) may be as they are.
    """
    if len(samples.shape) < 2:
        return
    blank: list[int] = []
    for part in samples.parts(samples.spread()):
        x = samples[part].x
        if not isinstance(x, Tensor):
            return
        rows = x.flatten(1)
        blank += part[(rows.amax(1) == rows.amin(1)).numpy()].tolist()
    if blank:
        first = samples.names[blank[0]] if samples.names is not None else f"number {blank[0]}"
        log.warning(
            "%d of %d samples that were looked at hold one number throughout (black, silent, the same everywhere), so "
            "that nothing can be learned from them; the first: %.80s",
            *(len(blank), len(samples.spread()), first),
        )
