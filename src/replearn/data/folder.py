"""Images in a folder or zip: decoded once into the cache, then read from there."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from replearn.data.cache import ArrayWriter, cached
from replearn.data.decode import Header, UndecodableError, quiet_pillow, read_header, read_image
from replearn.data.progress import progress
from replearn.data.samples import ArraySamples
from replearn.data.sources import SUFFIXES, Source, folder_labels
from replearn.data.stored import open_rows

# Images of unequal size, or larger than KEPT, become squares of this side unless the caller names one.
DEFAULT_SIZE = 96
KEPT = 512
# Decoded at once, and the names a thread takes at once.
PART_BYTES = 2**25
SHARE = 32
# Part of the cache's key: raise it when decoding changes.
VERSION = 1
SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev"}


class DataWarning(UserWarning):
    """Some of the data could not be used as given; one line says what and how much."""


def warn_of_data(line: str, *, strict: bool) -> None:
    """Warn of what is wrong with data; raise a ValueError instead if `strict`."""
    if strict:
        raise ValueError(f"strict: {line}.")
    warnings.warn(line, DataWarning, stacklevel=5)


def image_samples(
    source: Source, *, image_size: int | None, strict: bool, labelled: bool = True
) -> ArraySamples:
    """The images of a folder or zip.

    Args:
        source: where the files lie.
        image_size: side of the square images to make; None keeps the size if all images have one, of at most
            512 pixels a side, and else makes them 96 x 96.
        strict: raise if a file cannot be decoded, instead of leaving it out with a `DataWarning`.
        labelled: take the classes from sub-folders.

    Raises:
        ValueError: no images, none that can be decoded, sub-folders that are splits, or what `strict` says.
        CacheError: the cache cannot be written.
    """
    if not source.names:
        endings = ", ".join(sorted(SUFFIXES)[:6])
        raise ValueError(
            f"{source.path} must hold at least one image; found no file ending in {endings}, ... "
            "(nor a text, ending in .txt)."
        )
    if labelled:
        refuse_splits(source, "images")
    settings = f"{VERSION} {source.key} {image_size}"
    key = "images-" + hashlib.blake2b(settings.encode(), digest_size=16).hexdigest()
    entry = cached(key, lambda folder: _build(source, folder, image_size))
    info = json.loads((entry / "info.json").read_text())
    skipped = [(name, reason) for name, reason in info["skipped"]]
    _report(source, skipped, strict=strict)
    images = open_rows(entry / "images.npy")
    labels = np.load(entry / "labels.npy") if labelled and info["classes"] else None
    return ArraySamples(
        images,
        labels,
        classes=info["classes"] if labelled else (),
        names=StoredNames(entry / "names.json", len(images)),
        skipped=skipped,
    )


class StoredNames(Sequence[str]):
    """Names in a JSON file, read when the first is asked for."""

    def __init__(self, path: Path, length: int) -> None:
        self.path = path
        self.length = length
        self._names: list[str] | None = None

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, position: int) -> str: ...
    @overload
    def __getitem__(self, position: slice) -> list[str]: ...
    def __getitem__(self, position: int | slice) -> str | list[str]:
        if self._names is None:
            self._names = json.loads(self.path.read_text())
        return self._names[position]


def refuse_splits(source: Source, what: str) -> None:
    """Sub-folders `train` and `test` are no classes."""
    labels, classes = folder_labels(source.names)
    if labels is not None and "train" in (found := {name.lower() for name in classes}) and found <= SPLITS:
        raise ValueError(
            f"{source.path} must be one set of {what}; it holds the parts {', '.join(classes)}. "
            f"Name one of them: {source.path / classes[-1]}"
        )


def _report(source: Source, skipped: list[tuple[str, str]], *, strict: bool) -> None:
    if not skipped:
        return
    named = "; ".join(f"{name!r} {reason}" for name, reason in skipped[:3])
    more = "; ..." if len(skipped) > 3 else ""
    if strict:
        raise ValueError(
            f"strict: every image must decode; {len(skipped):,} of {source.path} did not: {named}{more}"
        )
    line = f"{len(skipped):,} of {len(source.names):,} images in {source.path} were left out: {named}{more}"
    warnings.warn(line, DataWarning, stacklevel=4)


@dataclass
class Survey:
    """What the headers of all files tell."""

    good: list[int]
    bad: dict[int, str]
    sizes: set[tuple[int, int]]
    grey: bool

    @property
    def large(self) -> bool:
        """Whether decoding outlasts the Python around it (32 x 32 JPEG: a fifth), so threads help."""
        return any(height * width > 64 * 64 for height, width in self.sizes)

    def square(self, image_size: int | None) -> int | None:
        """Side of the square to make of each image, None to keep them as they are."""
        if image_size is not None:
            return image_size
        return None if len(self.sizes) == 1 and max(max(self.sizes)) <= KEPT else DEFAULT_SIZE


def _build(source: Source, folder: Path, image_size: int | None) -> None:
    """Decode all images of `source` into `folder`: images.npy, labels.npy, names.json, info.json."""
    with quiet_pillow(), progress("decoding images", 2 * len(source.names)) as advance:
        with _pool(_threads() if source.parallel else 1) as pool:
            survey = _survey(source, pool, advance)
        with _pool(_threads() if survey.large else 1) as pool:
            kept = _decode(source, folder, survey, survey.square(image_size), pool, advance)
    if not kept:
        name, reason = next((source.names[place], reason) for place, reason in sorted(survey.bad.items()))
        raise ValueError(
            f"{source.path} must hold at least one image that can be decoded; none of {len(source.names):,} "
            f"can. "
            f"The first: {name!r} {reason}."
        )
    names = [source.names[place] for place in kept]
    labels, classes = folder_labels(names)
    if labels is not None:
        np.save(folder / "labels.npy", labels)
    (folder / "names.json").write_text(json.dumps(names))
    skipped = [(source.names[place], reason) for place, reason in sorted(survey.bad.items())]
    (folder / "info.json").write_text(json.dumps({"classes": classes, "skipped": skipped}))


def _survey(source: Source, pool: ThreadPoolExecutor, advance: Callable[[int], None]) -> Survey:
    """Read every file's header: sizes and colours must be known before the first image is stored."""

    def look(places: range) -> list[Header | str]:
        return [_header_or_reason(source, place) for place in places]

    survey = Survey([], {}, set(), grey=True)
    shares = [
        range(start, min(start + SHARE, len(source.names))) for start in range(0, len(source.names), SHARE)
    ]
    for places, headers in zip(shares, pool.map(look, shares), strict=True):
        for place, header in zip(places, headers, strict=True):
            if isinstance(header, str):
                survey.bad[place] = header
                continue
            survey.good.append(place)
            survey.sizes.add((header.height, header.width))
            survey.grey &= header.grey
        advance(len(places))
    return survey


def _header_or_reason(source: Source, place: int) -> Header | str:
    try:
        with source.open(place) as file:
            return read_header(file)
    except UndecodableError as error:
        return str(error)
    except Exception as error:  # what a damaged or locked zip member raises is not documented
        return f"cannot be read: {error}"


def _decode(
    source: Source,
    folder: Path,
    survey: Survey,
    size: int | None,
    pool: ThreadPoolExecutor,
    advance: Callable[[int], None],
) -> list[int]:
    """Write the images that the survey found good; return the places of those that decode."""
    if not survey.good:
        return []
    height, width = next(iter(survey.sizes)) if size is None else (size, size)
    shape = (1 if survey.grey else 3, height, width)
    rows = max(1, min(1024, PART_BYTES // int(np.prod(shape))))
    part = np.empty((rows, *shape), dtype=np.uint8)  # (k, c, h, w)
    kept: list[int] = []

    def fill(share: range, places: list[int]) -> list[str | None]:
        return [_fill(source, places[i], part[i], size=size, grey=survey.grey) for i in share]

    with ArrayWriter(folder / "images.npy", most=len(survey.good), shape=shape) as writer:
        for start in range(0, len(survey.good), rows):
            places = survey.good[start : start + rows]
            step = min(SHARE, max(1, len(places) // _threads()))
            shares = [range(first, min(first + step, len(places))) for first in range(0, len(places), step)]
            reasons = [reason for done in pool.map(fill, shares, [places] * len(shares)) for reason in done]
            fine = np.array([reason is None for reason in reasons])
            writer.append(part[: len(places)][fine])
            kept += [place for place, reason in zip(places, reasons, strict=True) if reason is None]
            survey.bad |= {place: why for place, why in zip(places, reasons, strict=True) if why is not None}
            advance(len(places))
    return kept


def _fill(source: Source, place: int, row: np.ndarray, *, size: int | None, grey: bool) -> str | None:
    """Decode one image into `row`; the reason if it cannot be."""
    try:
        with source.open(place) as file:
            image = read_image(file, size=size, grey=grey)
    except UndecodableError as error:
        return str(error)
    except Exception as error:  # as above
        return f"cannot be read: {error}"
    if image.shape != row.shape:
        return f"decodes to shape {image.shape}, not {row.shape} as its header says"
    row[:] = image
    return None


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads whose waiting work is dropped when something fails, so that Ctrl-C ends at once."""
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _threads() -> int:
    """Pillow releases the interpreter while it decodes; more than 8 threads only wait for each other."""
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
