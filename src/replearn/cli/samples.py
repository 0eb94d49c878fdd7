"""DATA on the command line: from its name and options to samples."""

import copy
import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:  # torch is imported when the data are
    from replearn.data import Samples

log = logging.getLogger("replearn")

NAMED = 3  # groups that are named
TEST_SHARE = 0.2
SEEN = (
    "the run was fitted on these {:,} test samples, too: new ones may score lower, and where it looked at labels the "
    "scores mean nothing. `replearn fit ... --split train` keeps test samples apart"
)


@dataclass(kw_only=True)
class DataOptions:
    """How to read DATA.

    Attributes:
        labels: CSV, TSV, JSON-lines or Parquet file with columns `file` and `label`; for a table, the column of labels.
        text: of a table, the column of texts; `text` if there is one of that name.
        columns: of a table, those to learn from, if not all that look like features.
        drop: columns of a table not to learn from.
        groups: column (of a table, or of the file of labels) of what a split keeps together: patients, speakers.
        image_size: make square images of this side, in pixels.
        kind: what to read DATA as, where it could be several things, with settings of the kind: graph (of a column of
            SMILES), series:length=100,stride=50.
    """

    labels: Annotated[str | None, tyro.conf.arg(metavar="FILE|COLUMN")] = None
    text: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    columns: Annotated[tuple[str, ...], tyro.conf.arg(metavar="COLUMN...")] = ()
    drop: Annotated[tuple[str, ...], tyro.conf.arg(metavar="COLUMN...")] = ()
    groups: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    image_size: Annotated[int | None, tyro.conf.arg(metavar="PIXELS")] = None
    kind: Annotated[str | None, tyro.conf.arg(metavar="KIND")] = None


def load_samples(data: str, options: DataOptions, *, like: Any = None) -> "Samples":
    """The samples called `data`.

    Args:
        data: built-in name or path.
        options: how to read them.
        like: samples (or the description of those of a run) as which images are read, of their size, grey or in
            colour, with their levels; and whose reading of a table's columns is taken.

    Raises:
        ValueError: as `replearn.data.as_samples` does.
    """
    from replearn.data import as_samples, read_alike
    from replearn.data.kinds import KINDS, PIXELS

    if is_builtin(data):
        _check_unset(data, options)
        return as_samples(data) if like is None else read_alike(data, like)
    if getattr(like, "reading", None) is not None and (options.columns or options.drop):
        raise ValueError(
            "--columns and --drop choose what is learned from, and this run has learned; "
            f"it reads {', '.join(like.reading.names[:10])}. Leave them out."
        )
    names = ("image_size", "text", "groups", "columns", "drop", "kind")
    how: dict[str, Any] = {name: getattr(options, name) for name in names}
    how |= {"targets": getattr(options, "targets", ())}  # which `fit` has
    samples = (
        as_samples(data, options.labels, **how)
        if like is None
        else read_alike(data, like, options.labels, **how)
    )
    if options.image_size is not None and PIXELS not in KINDS[samples.kind].offers:
        raise ValueError(
            f"--image-size is for images; {data} holds samples of kind {samples.kind}. Leave it out."
        )
    return samples


def load_parts(
    data: str, options: DataOptions, *, test: str | None = None, like: Any = None
) -> tuple["Samples", "Samples"]:
    """A training and a test part: the fixed ones of built-in data, those named, or 80 and 20 % at random.

    A warning where a run, `like`, was fitted on the test samples.

    Raises:
        ValueError: a test part beside built-in data, classes of the test part that training has not.
    """
    train, held, whole = parts_and_whole(data, options, test=test, like=like)
    tell_seen(like, held, whole)
    return train, held


def tell_seen(run: Any, test: "Samples", whole: "Samples | None") -> str | None:
    """What to say, and a warning that says it, where a run was fitted on the test samples; else None.

    Args:
        run: its description, or None.
        test: the test part.
        whole: what it was drawn from, or None.
    """
    if not (was_fitted_on(run, whole) or was_fitted_on(run, test)):
        return None
    told = SEEN.format(len(test))
    log.warning("%s", told)
    return told


def was_fitted_on(run: Any, samples: "Samples | None") -> bool:
    """Whether a run (its description, or None) was fitted on these samples, with or without their labels."""
    if samples is None or getattr(run, "n", 0) != len(samples):
        return False
    bare = copy.copy(samples)
    bare.labels = None
    return getattr(run, "fingerprint", "") in (samples.fingerprint(), bare.fingerprint())


def parts_and_whole(
    data: str, options: DataOptions, *, test: str | None = None, like: Any = None
) -> tuple["Samples", "Samples", "Samples | None"]:
    """The training part, the test part, and what both were drawn from, if they were."""
    from replearn.data import split

    if test is not None:
        train = load_samples(data, options, like=like)
        return train, check_groups(train, with_classes(_test_part(test, options, train), train)), None
    if is_builtin(data):
        if ":" in data:
            raise ValueError(
                f"built-in data to judge by must be named without a part, since both parts are needed; got {data}. "
                f"Write {data.partition(':')[0]}."
            )
        train, held = (load_samples(f"{data}:{part}", options, like=like) for part in ("train", "test"))
        return train, held, None
    samples = load_samples(data, options, like=like)
    train, held = split(samples, test=TEST_SHARE, random_state=0)
    log.info(
        "%s: split at random%s: %d samples to train, %d to test%s (--test names your own)",
        *(shown_data(data), _way(samples), len(train), len(held)),
        "" if held.groups is None else f" of {_names(held.groups)}",
    )
    return train, held, samples


def _test_part(test: str, options: DataOptions, train: "Samples") -> "Samples":
    """The test part that is named: its own sub-folders name its classes, where it has some; else --labels does."""
    same = dataclasses.replace(options, columns=(), drop=())  # the reading of `train` says it
    if options.labels is not None and Path(options.labels).is_file() and _has_folders(Path(test)):
        own = load_samples(test, dataclasses.replace(same, labels=None, groups=None), like=train)
        if own.labels is not None:
            unknown = "" if options.groups is None else ", and its groups are not known"
            log.info(
                "%s is of the training samples; the classes of %s are its sub-folders%s",
                *(options.labels, test, unknown),
            )
            return own
    return load_samples(test, same, like=train)


def _has_folders(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() == ".zip"


def _way(samples: "Samples") -> str:
    """How a part is drawn, as it goes on."""
    if samples.groups is not None:
        return ", by groups"
    return ", each class alike" if samples.labels is not None else ""


def _names(groups: Any) -> str:
    """How many groups, and the first of them."""
    found = sorted({*groups.tolist()} - {""})
    more = ", ..." if len(found) > NAMED else ""
    return f"{len(found):,} group{'s' * (len(found) != 1)} ({', '.join(map(str, found[:NAMED]))}{more})"


def with_classes(samples: "Samples", train: "Samples") -> "Samples":
    """Samples whose labels are numbered as those of the training samples are."""
    from replearn.data import as_samples

    if samples.labels is None or samples.classes == train.classes:
        return samples
    names = [samples.classes[label] if label >= 0 else None for label in samples.labels]
    return as_samples(samples, names, classes=train.classes)


def check_groups(train: "Samples", test: "Samples") -> "Samples":
    """The test part; a warning if it holds samples of groups that training holds."""
    if train.groups is None or test.groups is None:
        return test
    both = ({*train.groups.tolist()} & {*test.groups.tolist()}) - {""}
    if both:
        rows = sum(name in both for name in test.groups.tolist())
        log.warning(
            "%d groups are in both parts, with %d of %d test samples: the scores are not those of new groups; the "
            "first: %r",
            *(len(both), rows, len(test), min(both)),
        )
    return test


def is_builtin(data: str) -> bool:
    """Whether this names built-in data, or a part of them."""
    from replearn.data import DATASETS

    return data.partition(":")[0] in DATASETS


def all_of(data: str) -> str:
    """The name of all parts of built-in data; other data as they are named.

    >>> all_of("digits:train"), all_of("photos/")
    ('digits', 'photos/')
    """
    return data.partition(":")[0] if is_builtin(data) else data


def shown_data(data: str) -> str:
    """Data as they are named where others may read it: an address without what may be secret in it."""
    if "://" not in data:
        return data
    from replearn.data.remote import shown_address

    return shown_address(data)


def short_name(data: str) -> str:
    """What to call data in names of files: `photos` for `../photos.zip`, `digits-test` for `digits:test`."""
    return Path(shown_data(data)).resolve().name.partition(".")[0].replace(":", "-") or "data"


def _check_unset(data: str, options: DataOptions) -> None:
    for name in ("labels", "text", "columns", "drop", "groups", "image_size", "kind", "targets"):
        if getattr(options, name, ()) not in (None, ()):
            raise ValueError(
                f"--{name.replace('_', '-')} is for files and folders; got the built-in {data}. Leave it out."
            )
