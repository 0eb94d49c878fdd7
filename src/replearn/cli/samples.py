"""DATA on the command line: from its name and options to samples."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:  # torch is imported when the data are
    from replearn.data import Samples

log = logging.getLogger("replearn")

TEST_SHARE = 0.2


@dataclass(kw_only=True)
class DataOptions:
    """How to read DATA.

    Attributes:
        labels: CSV or Parquet file with columns `file` and `label`; for a table, the column of labels.
        text: of a table, the column of texts; `text` if there is one of that name.
        image_size: make square images of this side, in pixels.
    """

    labels: Annotated[str | None, tyro.conf.arg(metavar="FILE|COLUMN")] = None
    text: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    image_size: Annotated[int | None, tyro.conf.arg(metavar="PIXELS")] = None


def load_samples(data: str, options: DataOptions, *, like: Any = None) -> "Samples":
    """The samples called `data`.

    Args:
        data: built-in name or path.
        options: how to read them.
        like: samples (or the description of those of a run) as which images are read: of their size, grey or in
            colour, with their levels.

    Raises:
        ValueError: as `replearn.data.as_samples` does.
    """
    from replearn.data import as_samples, read_alike

    if is_builtin(data):
        _check_unset(data, options)
        return as_samples(data) if like is None else read_alike(data, like)
    how: dict[str, Any] = {"image_size": options.image_size, "text": options.text}
    if like is None:
        return as_samples(data, options.labels, **how)
    return read_alike(data, like, options.labels, **how)


def load_parts(
    data: str, options: DataOptions, *, test: str | None = None, like: Any = None
) -> tuple["Samples", "Samples"]:
    """A training and a test part: the fixed ones of built-in data, those named, or 80 and 20 % at random.

    Raises:
        ValueError: a test part beside built-in data, classes of the test part that training has not.
    """
    from replearn.data import split

    if test is not None:
        train = load_samples(data, options, like=like)
        return train, with_classes(load_samples(test, options, like=train), train)
    if is_builtin(data):
        if ":" in data:
            raise ValueError(
                f"built-in data to judge by must be named whole, since both parts are needed; got {data}. "
                f"Write {data.partition(':')[0]}."
            )
        train, held = (load_samples(f"{data}:{part}", options, like=like) for part in ("train", "test"))
        return train, held
    samples = load_samples(data, options, like=like)
    train, held = split(samples, test=TEST_SHARE, random_state=0)
    log.info(
        "%s: split at random, each class alike: %d samples to train, %d to test (--test names your own)",
        *(data, len(train), len(held)),
    )
    return train, held


def with_classes(samples: "Samples", train: "Samples") -> "Samples":
    """Samples whose labels are numbered as those of the training samples are."""
    from replearn.data import as_samples

    if samples.labels is None or samples.classes == train.classes:
        return samples
    names = [samples.classes[label] if label >= 0 else None for label in samples.labels]
    return as_samples(samples, names, classes=train.classes)


def is_builtin(data: str) -> bool:
    """Whether this names built-in data, or a part of them."""
    from replearn.data import DATASETS

    return data.partition(":")[0] in DATASETS


def short_name(data: str) -> str:
    """What to call data in names of files: `photos` for `../photos.zip`, `digits-test` for `digits:test`."""
    return Path(data).resolve().name.partition(".")[0].replace(":", "-") or "data"


def _check_unset(data: str, options: DataOptions) -> None:
    given = ("--labels", options.labels), ("--text", options.text), ("--image-size", options.image_size)
    for name, value in given:
        if value is not None:
            raise ValueError(f"{name} is for files and folders; got the built-in {data}. Leave it out.")
