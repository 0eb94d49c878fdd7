"""Frames of one video file, at a steady rate: films by PyAV, animations (GIF, WebP) by Pillow.

file --decoded one by one--> (seconds, picture) --the one that is seen at 0, 1/rate, 2/rate, ... s--> pictures
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageSequence

from replearn.data.decode import standard_mode
from replearn.data.image_files import open_image
from replearn.data.needed import needed

ANIMATED = (".gif", ".webp", ".apng")  # by Pillow; a WebP or a PNG may be a single picture
FILMS = (".mp4", ".m4v", ".webm", ".mov", ".mkv", ".avi", ".mpg", ".mpeg", ".ogv", ".wmv", ".flv", ".ts")
STILL = 0.1  # seconds that a frame of an animation is seen which does not say how long
LATE = 1e-6  # seconds by which a frame may come late

File = BufferedReader | BytesIO
Picture = TypeVar("Picture")


@dataclass(frozen=True)
class Header:
    """What is known of a video before it is decoded."""

    rate: float
    height: int
    width: int


def is_animation_name(name: str) -> bool:
    """Whether a file's ending is that of an animation, which may be a single picture."""
    return name.lower().endswith(ANIMATED)


def av() -> Any:
    """The package that decodes films.

    Raises:
        ValueError: it is not installed.
    """
    return needed("av", "videos need", "GIF, animated WebP and folders of frames are read without it.")


def header_of(file: File, name: str) -> Header:
    """What a file's header says."""
    if is_animation_name(name):
        with open_image(file) as image:
            seconds = [_seconds(frame) for frame in ImageSequence.Iterator(image)]
            if len(seconds) < 2:
                raise ValueError("it is a single picture")
            return Header(1 / float(np.median(seconds)), image.height, image.width)
    with av().open(file) as film:
        stream = film.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate
        return Header(float(rate or 1 / STILL), stream.height, stream.width)


def pictures_of(file: File, name: str, rate: float) -> Iterator[Image.Image]:
    """The RGB pictures of a file that are seen at 0, 1/rate, 2/rate, ... seconds from its first one on."""
    timed = _of_animation(file) if is_animation_name(name) else _of_film(file)
    for picture in steady(timed, rate):
        yield picture()


def steady(timed: Iterable[tuple[float, float, Picture]], rate: float) -> Iterator[Picture]:
    """What is seen at steady times.

    Args:
        timed: when each is seen first and for how long, in seconds, and what it is.
        rate: how many are wanted in a second.

    >>> "".join(steady([(0, 1, "a"), (1, 1, "b"), (2, 2, "c")], 2)), "".join(steady([(0, 1, "a"), (1, 1, "b")], 0.5))
    ('aabbcccc', 'a')
    """
    first: float | None = None
    last: tuple[float, Picture] | None = None
    number = 0
    for at, seen, picture in timed:
        first = at if first is None else first
        while last is not None and number / rate < at - first - LATE:
            yield last[1]
            number += 1
        last = at - first + seen, picture
    while last is not None and number / rate < last[0] - LATE:
        yield last[1]
        number += 1


def _of_film(file: File) -> Iterator[tuple[float, float, Callable[[], Image.Image]]]:
    with av().open(file) as film:
        stream = film.streams.video[0]
        stream.thread_type = "AUTO"
        each = 1 / float(stream.average_rate or stream.guessed_rate or 1 / STILL)
        for number, frame in enumerate(film.decode(stream)):
            at = number * each if frame.time is None else frame.time
            yield at, each, _picture(frame)


def _picture(frame: Any) -> Callable[[], Image.Image]:
    """A frame upright: phones write how it is to be turned."""

    def made() -> Image.Image:
        image = Image.fromarray(frame.to_ndarray(format="rgb24"))
        return image.rotate(turn, expand=True) if (turn := getattr(frame, "rotation", 0)) else image

    return made


def _of_animation(file: File) -> Iterator[tuple[float, float, Callable[[], Image.Image]]]:
    at = 0.0
    with open_image(file) as image:
        for frame in ImageSequence.Iterator(image):
            picture, seen = standard_mode(frame.copy(), grey=False), _seconds(frame)
            yield at, seen, lambda picture=picture: picture  # type: ignore[misc]
            at += seen


def _seconds(frame: Image.Image) -> float:
    return float(frame.info.get("duration", 0)) / 1000 or STILL
