"""What the headers of all image files tell, before the first image is stored: sizes, colours, depth."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from replearn.data.image_files import Header, UndecodableError, read_header
from replearn.data.sources import Source

# Images of unequal size, or larger than KEPT, become squares of this side unless the caller names one.
DEFAULT_SIZE = 96
KEPT = 512
# Names that a thread takes at once.
SHARE = 32


@dataclass
class Survey:
    """What the headers of all files tell."""

    good: list[int] = field(default_factory=list)
    bad: dict[int, str] = field(default_factory=dict)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    deep: dict[int, str] = field(default_factory=dict)  # of what is deeper than bytes
    stacks: Counter[int] = field(default_factory=Counter)  # of how many pages
    lost: Counter[str] = field(default_factory=Counter)
    grey: bool = True

    def add(self, place: int, header: Header) -> None:
        """Count a good file."""
        self.good.append(place)
        self.sizes[header.height, header.width] += 1
        self.stacks[header.pages] += 1
        self.grey &= header.grey
        if header.depth != "bytes":
            self.deep[place] = header.depth
        if header.lost:
            self.lost[header.lost] += 1

    @property
    def large(self) -> bool:
        """Whether decoding outlasts the Python around it (32 x 32 JPEG: a fifth), so threads help."""
        return any(height * width > 64 * 64 for height, width in self.sizes)

    @property
    def all_deep(self) -> bool:
        """Whether levels are kept."""
        return len(self.deep) == len(self.good)

    @property
    def whole(self) -> bool:
        """Whether deep levels are whole numbers."""
        return "float" not in self.deep.values()

    @property
    def pages(self) -> int:
        """Pages that are channels: those of images that are all grey stacks of one number of pages."""
        return next(iter(self.stacks)) if len(self.stacks) == 1 and self.grey else 1

    def dtype(self) -> type:
        """What images are stored as."""
        if not self.all_deep:
            return np.uint8
        return np.uint16 if set(self.deep.values()) == {"uint16"} else np.float32

    def square(self, image_size: int | None) -> int | None:
        """Side of the square to make of each image, None to keep them as they are."""
        if image_size is not None:
            return image_size
        return None if len(self.sizes) == 1 and max(max(self.sizes)) <= KEPT else DEFAULT_SIZE


def survey_of(source: Source, pool: ThreadPoolExecutor, advance: Callable[[int], None]) -> Survey:
    """Read every file's header: sizes and colours must be known before the first image is stored."""

    def look(places: range) -> list[Header | str]:
        return [_header_or_reason(source, place) for place in places]

    survey = Survey()
    shares = [
        range(start, min(start + SHARE, len(source.names))) for start in range(0, len(source.names), SHARE)
    ]
    for places, headers in zip(shares, pool.map(look, shares), strict=True):
        for place, header in zip(places, headers, strict=True):
            if isinstance(header, str):
                survey.bad[place] = header
                continue
            survey.add(place, header)
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


@contextmanager
def pool_of(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads whose waiting work is dropped when something fails, so that Ctrl-C ends at once."""
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def threads() -> int:
    """Pillow releases the interpreter while it decodes; more than 8 threads only wait for each other."""
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
