"""Samples read as those of a run were: what their kind does about it (see `replearn.data.kinds`) is said."""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from replearn.data.datasets import DATASETS
from replearn.data.kinds import KINDS, OWN
from replearn.data.levels import Levels
from replearn.data.load import as_samples
from replearn.data.samples import Samples


@runtime_checkable
class Likeness(Protocol):
    """What is asked of samples: a description of those that a run was fitted on, or such samples."""

    @property
    def kind(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def levels(self) -> Levels | None: ...


def read_alike(data: Any, expected: Likeness, labels: Any = None, **options: Any) -> Samples:
    """`as_samples(data, labels)`, read as samples like those expected; the columns of a table as theirs.

    Files of images are decoded at the expected size (unless `image_size` is among the options), so they come from the
    same part of the cache as those that a run was fitted on. Files that a package's kind was asked for by name are read
    by that kind again.

    Args:
        data, labels, options: for `as_samples`.
        expected: what they are to be like.
    """
    if isinstance(data, str | Path) and str(data).partition(":")[0] not in DATASETS:
        given = {name: value for name, value in options.items() if value is not None}
        asked = {} if expected.kind in OWN else {"kind": expected.kind}
        options = asked | KINDS[expected.kind].options_like(expected) | given
    samples = as_samples(data, labels, like=expected, **options)
    return alike(samples, expected, convert=isinstance(data, str | Path))


def alike(samples: Samples, expected: Likeness, *, convert: bool) -> Samples:
    """Samples made like those expected, as far as nothing is lost. Those of another kind are returned as they are.

    Args:
        samples: to be read like that.
        expected: what they are to be like.
        convert: change what loses something, too: of images the size, and colour to grey.
    """
    if samples.kind != expected.kind:
        return samples
    return KINDS[samples.kind].alike(samples, expected, convert=convert)
