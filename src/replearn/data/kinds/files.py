"""Whether a folder or zip is one of files of a kind, found out without reading them all where it is of images."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from replearn.data.sound_files import is_sound_name
from replearn.data.sources import Source, find_source, is_image_name, is_text_name, walk

log = logging.getLogger("replearn")

Names = Callable[[str], bool]
OTHERS: tuple[Names, ...] = (is_image_name, is_text_name, is_sound_name)


def names_in(path: Path) -> Iterator[str]:
    """The files of a folder or zip, one by one."""
    if path.is_dir():
        yield from (name for name, _ in walk(path, []))
    elif (source := find_source(path, lambda name: True)) is not None:
        yield from source.names


def holds(path: Path, wanted: Names, *, instead: Names = is_image_name) -> bool:
    """Whether there is a file of names that are wanted, and none of those `instead`."""
    found = False
    for name in names_in(path):
        if instead(name):
            return False
        found = found or wanted(name)
    return found


def holds_only(path: Path, wanted: Names) -> bool:
    """Whether there is such a file, and neither an image, a text nor a sound."""
    return holds(path, wanted, instead=lambda name: any(other(name) for other in OTHERS))


def told_left_out(source: Source, plural: str) -> Source:
    """The same source; the log says what else lies there."""
    if source.left_out:
        log.info("%s: not read as samples: %s", source.path, source.left_out)
    if source.texts:
        log.info(
            "%s: read as %d %s; %d .txt files are left out",
            source.path,
            len(source.names),
            plural,
            source.texts,
        )
    return source
