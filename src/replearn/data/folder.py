"""Images in a folder or zip: decoded once into the cache, then read from there."""

import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, overload

import numpy as np

from replearn.data.arrays import tell_dark
from replearn.data.cache import ArrayWriter, cache_folder, cached
from replearn.data.decode import read_image, read_levels
from replearn.data.image_files import UndecodableError, quiet_pillow
from replearn.data.levels import Levels, dark_in_words, in_words, range_of
from replearn.data.progress import progress
from replearn.data.samples import ArraySamples
from replearn.data.sources import SUFFIXES, Source, folder_labels
from replearn.data.stored import open_rows
from replearn.data.survey import SHARE, Survey, pool_of, survey_of, threads
from replearn.data.told import DataWarning, tell_skipped

log = logging.getLogger("replearn")

# Decoded at once.
PART_BYTES = 2**25
# Part of the cache's key: raise it when decoding changes.
VERSION = 2
SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev"}


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
    entry = _entry(source, image_size)
    info = json.loads((entry / "info.json").read_text())
    skipped = [(name, reason) for name, reason in info["skipped"]]
    tell_skipped(skipped, "images", source.path, of=len(source.names), strict=strict)
    images = open_rows(entry / "images.npy")
    _tell(source, info, images.shape, asked=image_size is not None)
    if not info["levels"]:
        tell_dark(images)
    labels = np.load(entry / "labels.npy") if labelled and info["classes"] else None
    return ArraySamples(
        images,
        labels,
        classes=info["classes"] if labelled else (),
        names=StoredNames(entry / "names.json", len(images)),
        skipped=skipped,
        levels=tuple(info["levels"]) if info["levels"] else None,
    )


def _entry(source: Source, image_size: int | None) -> Path:
    """The cache's folder of these images.

    A run that was fitted on images of their own size asks for that size later: these are the same images.
    """

    def key(size: int | None) -> str:
        settings = f"{VERSION} {source.key} {size}"
        return "images-" + hashlib.blake2b(settings.encode(), digest_size=16).hexdigest()

    same = cache_folder() / key(None) / "images.npy"
    if image_size is not None and same.is_file():
        with suppress(OSError, ValueError):  # damaged: `cached` sees to it
            if open_rows(same).shape[2:] == (image_size, image_size):
                image_size = None
    return cached(key(image_size), lambda folder: _build(source, folder, image_size))


def _tell(source: Source, info: dict[str, Any], shape: tuple[int, ...], *, asked: bool) -> None:
    """What of these images is not as it was: a line each; `asked` for their size, or not."""
    n, path = shape[0], source.path
    for what, count in info["lost"].items():
        line = f"{path}: {count:,} of {n:,} images have {what}"
        warnings.warn(line, DataWarning, stacklevel=4)
    if info["mixed"]:
        levels = in_words(tuple(info["range"]))
        line = (
            f"{path}: {info['mixed']:,} of {n:,} images are deeper than 8 bits and the others are not, so all become "
            f"8 bits: levels {levels} of the deep ones are read as 0 ... 255"
        )
        warnings.warn(line, DataWarning, stacklevel=4)
    if info["levels"]:
        held, levels = in_words(tuple(info["range"])), in_words(tuple(info["levels"]))
        dark = dark_in_words(info["range"][1]) if tuple(info["levels"]) == (0, 255) else ""
        log.info("%s: levels %s, read as float32: %s become 0 ... 1%s", path, held, levels, dark)
    if info["pages"] > 1:
        log.info("%s: each image has %d pages, read as its channels", path, info["pages"])
    if info["resized"]:
        height, width = shape[2:]
        log.info(
            "%s: %s of %s images were resized to %d x %d, cut to that shape in the middle%s",
            *(path, f"{info['resized']:,}", f"{n:,}", height, width),
            "" if asked else " (--image-size, in Python image_size=, takes another size)",
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


def _build(source: Source, folder: Path, image_size: int | None) -> None:
    """Decode all images of `source` into `folder`: images.npy, labels.npy, names.json, info.json."""
    found: Levels | None = None
    with quiet_pillow(), progress("decoding images", 2 * len(source.names)) as advance:
        with pool_of(threads() if source.parallel else 1) as pool:
            survey = survey_of(source, pool, advance)
        size = survey.square(image_size)
        with pool_of(threads() if survey.large else 1) as pool:
            if survey.deep and not survey.all_deep:
                found = _extremes(source, survey, pool)
            kept, held = _decode(source, folder, survey, size, found, pool, advance)
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
    pages = survey.pages
    if pages == 1 and set(survey.stacks) != {1}:
        lost = "more than one page, of which the first is read"
        survey.lost[lost] += sum(count for number, count in survey.stacks.items() if number > 1)
    info = {
        "classes": classes,
        "skipped": [(source.names[place], reason) for place, reason in sorted(survey.bad.items())],
        "lost": survey.lost,
        "resized": 0 if size is None else sum(survey.sizes.values()) - survey.sizes[size, size],
        "pages": pages,
        "mixed": len(survey.deep) if found else 0,
        "range": found or held,
        "levels": range_of(*held, whole=survey.whole) if held else None,
    }
    (folder / "info.json").write_text(json.dumps(info))


def _extremes(source: Source, survey: Survey, pool: ThreadPoolExecutor) -> Levels | None:
    """The range of the deep images among others that are not."""

    def look(place: int) -> Levels | None:
        try:
            with source.open(place) as file:
                levels = read_levels(file, size=None)
        except Exception:  # `_fill` says so
            return None
        return float(levels.min()), float(levels.max())

    found = [bounds for bounds in pool.map(look, survey.deep) if bounds]
    if not found:
        return None
    return range_of(min(low for low, _ in found), max(high for _, high in found), whole=survey.whole)


def _decode(
    source: Source,
    folder: Path,
    survey: Survey,
    size: int | None,
    levels: Levels | None,
    pool: ThreadPoolExecutor,
    advance: Callable[[int], None],
) -> tuple[list[int], Levels | None]:
    """Write the images that the survey found good; return the places of those that decode, and of levels the lowest
    and the highest.
    """
    if not survey.good:
        return [], None
    height, width = next(iter(survey.sizes)) if size is None else (size, size)
    shape = (survey.pages if survey.grey else 3, height, width)
    rows = max(1, min(1024, PART_BYTES // int(np.prod(shape))))
    part: np.ndarray = np.empty((rows, *shape), dtype=survey.dtype())  # (k, c, h, w)
    kept: list[int] = []
    bounds: list[Levels] = []

    def read(file: BufferedReader | BytesIO) -> np.ndarray:
        if survey.all_deep:
            return read_levels(file, size=size, pages=survey.pages)
        return read_image(file, size=size, grey=survey.grey, levels=levels, pages=survey.pages)

    def fill(share: range, places: list[int]) -> list[str | None]:
        return [_fill(source, places[i], part[i], read) for i in share]

    with ArrayWriter(folder / "images.npy", most=len(survey.good), shape=shape, dtype=part.dtype) as writer:
        for start in range(0, len(survey.good), rows):
            places = survey.good[start : start + rows]
            step = min(SHARE, max(1, len(places) // threads()))
            shares = [range(first, min(first + step, len(places))) for first in range(0, len(places), step)]
            reasons = [reason for done in pool.map(fill, shares, [places] * len(shares)) for reason in done]
            fine = np.array([reason is None for reason in reasons])
            images = part[: len(places)][fine]
            writer.append(images)
            if survey.all_deep and len(images):
                bounds.append((float(images.min()), float(images.max())))
            kept += [place for place, reason in zip(places, reasons, strict=True) if reason is None]
            survey.bad |= {place: why for place, why in zip(places, reasons, strict=True) if why is not None}
            advance(len(places))
    held = (min(low for low, _ in bounds), max(high for _, high in bounds)) if bounds else None
    return kept, held


def _fill(
    source: Source, place: int, row: np.ndarray, read: Callable[[BufferedReader | BytesIO], np.ndarray]
) -> str | None:
    """Decode one image into `row`; the reason if it cannot be."""
    try:
        with source.open(place) as file:
            image = read(file)
    except UndecodableError as error:
        return str(error)
    except Exception as error:  # as above
        return f"cannot be read: {error}"
    if image.shape != row.shape:
        return f"decodes to shape {image.shape}, not {row.shape} as its header says"
    row[:] = np.rint(image) if row.dtype == np.uint16 else image
    return None
