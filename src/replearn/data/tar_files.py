"""Images in tar files, as WebDataset has them: `0001.jpg` beside `0001.cls`, `0001.json` or `0001.txt`.

    train-{000..009}.tar --members, in order--> images and labels --decoded once--> the cache

A member's key is its name up to the first point; members of one key are one sample. An image is read where it lies in
the tar, which therefore must not be compressed (its images are).
"""

import hashlib
import json
import logging
import os
import re
import tarfile
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

from replearn.data.asked import Asked, Found
from replearn.data.folder import image_samples
from replearn.data.labels import written_labels
from replearn.data.shards import holds_shards, shards_in
from replearn.data.sources import LARGEST_MEMBER, Source, is_image_name
from replearn.data.told import warn_of_data

log = logging.getLogger("replearn")

TAR = (".tar",)
PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
LABELLED = (".cls", ".json", ".txt")  # by which comes first
LONGEST_LABEL = 2**20  # bytes
NAMED = ("label", "cls", "class")  # of a label in an object of JSON
BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
SHORT = 20  # labels from which, if most differ, they are rather captions
MOST = 1_000_000  # names that braces may stand for
BLOCK = tarfile.BLOCKSIZE  # bytes; a tar ends with two of zeros


def expanded(path: str) -> list[str]:
    """All names that one with braces stands for, as shells and WebDataset have it; else the name itself.

    Raises:
        ValueError: the braces count down, or stand for more than a million names.

    >>> expanded("train-{08..10}.tar")
    ['train-08.tar', 'train-09.tar', 'train-10.tar']
    >>> expanded("train.tar")
    ['train.tar']
    """
    pieces = BRACES.split(path)
    bounds = [(pieces[place], pieces[place + 1]) for place in range(1, len(pieces), 3)]
    count = 1
    for low, high in bounds:
        count *= max(0, int(high) - int(low) + 1)
    if not 1 <= count <= MOST:
        told = ", ".join(f"{{{low}..{high}}}" for low, high in bounds)
        raise ValueError(f"braces must stand for 1 to {MOST:,} names, like {{000..009}}; got {told}.")
    ranges = [[f"{n:0{len(low)}}" for n in range(int(low), int(high) + 1)] for low, high in bounds]
    plain = pieces[::3]
    return [
        "".join(text + number for text, number in zip(plain, (*chosen, ""), strict=True))
        for chosen in product(*ranges)
    ]


def tar_paths(path: Path) -> list[Path]:
    """The tar files that a path names: itself, those of its braces, those of a folder of tars alone; or none.

    Raises:
        ValueError: a file is missing, or packed.
    """
    if path.name.lower().endswith(PACKED) and path.is_file():
        raise ValueError(
            f"tar files must not be packed, for images are read where they lie; got {str(path)!r}. Unpack it: gunzip."
        )
    if path.is_file() and path.name.lower().endswith(TAR):
        return [path]
    if holds_shards(path, TAR):
        return shards_in(path)
    if path.exists() or not path.name.lower().endswith(TAR) or not BRACES.search(str(path)):
        return []
    found = [Path(name) for name in expanded(str(path))]
    missing = [str(one) for one in found if not one.is_file()]
    if missing:
        raise ValueError(
            f"all files that {path.name} stands for must be there; {len(missing):,} of {len(found):,} are not, the "
            f"first: {missing[0]!r}."
        )
    return found


class TarSource(Source):
    """Images in tar files, in the order of the files and of their members; `labels`, one for each, or None.

    The key covers each file's name, size and times of last change.
    """

    parallel = True

    def __init__(self, path: Path, files: list[Path]) -> None:
        self.path = path
        self.names: list[str] = []
        self.texts, self.left_out = 0, ""
        self.same = 0  # images whose key an earlier image has
        self.labels: list[str | None] = []
        self._rows: list[tuple[Path, int, int]] = []
        digest = hashlib.blake2b(b"tar", digest_size=16)
        others, above = 0, os.path.commonpath([file.parent for file in files])
        for file in files:
            stat, name = file.stat(), os.path.relpath(file, above)
            mark = f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}\n"
            digest.update(mark.encode("utf-8", "surrogateescape"))
            others += self._read(file, prefix=f"{name}/" if len(files) > 1 else "")
        self.key = digest.hexdigest()
        if others:
            self.left_out = f"{others:,} members that are no images, nor labels of one"

    def open(self, position: int) -> BytesIO:
        file, offset, size = self._rows[position]
        if size > LARGEST_MEMBER:
            raise OSError(f"holds {size:,} bytes, over the limit of {LARGEST_MEMBER:,}")
        with file.open("rb", buffering=0) as opened:
            opened.seek(offset)
            return BytesIO(opened.read(size))

    def _read(self, file: Path, *, prefix: str) -> int:
        """Take the images of a file, with their labels; how many members are none of both."""
        images: dict[str, int] = {}
        told: dict[str, dict[str, str | None]] = {}
        others = 0
        try:
            with tarfile.open(file, "r:") as archive:
                for member in archive:
                    key, ending = _key(member.name)
                    if not member.isfile():
                        continue
                    if is_image_name(member.name):
                        if key in images:
                            self.same += 1
                            continue
                        images[key] = len(self.names)
                        self.names.append(prefix + member.name)
                        self._rows.append((file, member.offset_data, member.size))
                    elif ending in LABELLED and member.size <= LONGEST_LABEL:
                        content = archive.extractfile(member)
                        told.setdefault(key, {})[ending] = _label(
                            b"" if content is None else content.read(), ending
                        )
                    else:
                        others += 1
                end = archive.offset
        except (tarfile.TarError, OSError, EOFError) as error:
            raise ValueError(f"{file} must be a whole tar file; {error}. Fetch it again.") from error
        with file.open("rb") as opened:  # `tarfile` takes a file that ends anywhere for one that is whole
            opened.seek(end)
            if opened.read(BLOCK) != bytes(BLOCK):
                raise ValueError(
                    f"{file} must be a whole tar file; it lacks the mark of its end. Fetch it again."
                )
        self.labels += [None] * len(images)
        for key, position in images.items():
            found = told.get(key, {})
            self.labels[position] = next((found[end] for end in LABELLED if found.get(end) is not None), None)
        return others


def tar_samples(path: Path, files: list[Path], asked: Asked) -> Found:
    """The images of tar files, and their labels, if they have any.

    Raises:
        ValueError: a file is damaged, or has no image.
    """
    source = TarSource(path, files)
    if source.left_out:
        log.info("%s: not read as samples: %s", path, source.left_out)
    if source.same:
        told = f"{source.same:,} images share their name up to its first point with an earlier one, and are left out"
        warn_of_data(f"{path}: {told}", strict=asked.strict)
    samples = image_samples(source, image_size=asked.image_size, strict=asked.strict, labelled=False)
    known = [label for label in source.labels if label is not None]
    if not known or asked.labels is not None:
        return samples, None, None
    if len(known) >= SHORT and len(set(known)) > len(known) / 2:
        told = f"{len(set(known)):,} different texts beside {len(known):,} images are no labels, and are left out"
        warn_of_data(f"{path}: {told}", strict=asked.strict)
        return samples, None, None
    by_name = dict(zip(source.names, source.labels, strict=True))
    names = samples.names
    assert names is not None
    return samples, written_labels([by_name[name] for name in names]), None


def _key(name: str) -> tuple[str, str]:
    """What members of a sample share, and what follows.

    >>> _key("a.b/0001.left.jpg")
    ('a.b/0001', '.left.jpg')
    """
    folder, _, file = name.rpartition("/")
    stem, point, ending = file.partition(".")
    return f"{folder}/{stem}" if folder else stem, f"{point}{ending}".lower()


def _label(content: bytes, ending: str) -> str | None:
    """The label in a member's text, or None."""
    text = content.decode("utf-8", "replace").strip()
    if ending != ".json":
        return text or None
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        found = next((found[name] for name in NAMED if name in found), None)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else None
