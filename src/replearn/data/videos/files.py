"""Videos in files: decoded once into the cache, at one rate and of one size, all frames one after another."""

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from replearn.data.asked import Asked, Found
from replearn.data.cache import ArrayWriter, cached
from replearn.data.decode import read_image, square, to_bytes
from replearn.data.folder import refuse_splits
from replearn.data.image_files import open_image
from replearn.data.levels import SIXTEEN_BITS
from replearn.data.progress import progress
from replearn.data.reasons import named_reason
from replearn.data.sources import Source, folder_labels, is_hidden
from replearn.data.stored import open_rows
from replearn.data.told import tell, tell_skipped
from replearn.data.videos.decode import FILMS, Header, header_of, pictures_of
from replearn.data.videos.samples import VideoSamples
from replearn.data.videos.windows import Windows

log = logging.getLogger("replearn")

USUAL_RATE = 10.0  # frames in a second, to which faster videos are brought
KEPT, MADE = (
    128,
    64,
)  # pixels a side up to which videos of one size keep it, and of the squares that others become
CLIP = 8  # frames, unless it is said
VERSION = 1  # part of the cache's key: raise it when reading changes


def is_video_name(name: str) -> bool:
    """Whether a file's ending is a film's, and neither it nor a folder on the way is hidden."""
    return name.lower().endswith(FILMS) and not is_hidden(name)


@dataclass(frozen=True)
class Video:
    """A video among files.

    Attributes:
        name: of the file, or of the folder of its frames.
        header: what is known of it; of frames in a folder the rate is None.
        pictures: decodes it at a rate, as bytes `(c, h, w)`; as squares of a side, if one is given.
    """

    name: str
    rate: float | None
    size: tuple[int, int]
    pictures: Callable[[float, int | None], Iterator[UInt8[np.ndarray, "c h w"]]]


def videos_in_files(
    source: Source, asked: Asked, windows: Windows, *, rate: float | None, side: int | None
) -> Found:
    """Clips of the video files of a folder, zip or list of files.

    Args:
        source: where the files lie; classes are sub-folders.
        asked: of `as_samples`.
        windows: how videos are cut.
        rate: frames in a second, to which all are brought; None: the most frequent one, at most 10.
        side: pixels of the squares that frames are cut to; None: see `KEPT`.

    Raises:
        ValueError: no file can be decoded, the package av is missing, or what `strict` says.
        CacheError: the cache cannot be written.
    """

    def found(bad: dict[str, str]) -> Iterator[Video]:
        for place, name in enumerate(source.names):
            try:
                with source.open(place) as file:
                    header = header_of(file, name)
            except Exception as error:  # what damaged files raise is not documented
                _refuse_without_package(error)
                bad[name] = f"is no video that can be read ({named_reason(error, 120)})"
                continue
            yield Video(name, header.rate, (header.height, header.width), _film(source, place, header))

    return _clips(source, asked, windows, found, len(source.names), rate=rate, side=side)


def videos_in_folders(source: Source, asked: Asked, windows: Windows, *, side: int | None) -> Found:
    """Clips of folders of frames: the images of a folder, in the order of the numbers in their names, are a video.

    Args:
        source: where the images lie; classes are the folders above.
        asked, windows, side: as `videos_in_files` takes them.

    Raises:
        ValueError, CacheError: as `videos_in_files`.
    """
    folders: dict[str, list[int]] = {}
    for place in sorted(range(len(source.names)), key=lambda place: _by_number(source.names[place])):
        folders.setdefault(source.names[place].rpartition("/")[0] or source.path.name, []).append(place)

    def found(bad: dict[str, str]) -> Iterator[Video]:
        for name, places in folders.items():
            try:
                with source.open(places[0]) as file, open_image(file) as image:
                    size = image.height, image.width
            except Exception as error:  # as above
                bad[name] = f"begins with an image that can't be read ({named_reason(error, 120)})"
                continue
            yield Video(name, None, size, _frames(source, places))

    return _clips(source, asked, windows, found, len(folders), rate=None, side=side)


def _film(source: Source, place: int, header: Header) -> Callable[..., Iterator[UInt8[np.ndarray, "c h w"]]]:
    def pictures(rate: float, side: int | None) -> Iterator[UInt8[np.ndarray, "c h w"]]:
        with source.open(place) as file:
            for picture in pictures_of(file, source.names[place], rate):
                yield to_bytes(picture if side is None else square(picture, side))

    return pictures


def _frames(source: Source, places: Sequence[int]) -> Callable[..., Iterator[UInt8[np.ndarray, "c h w"]]]:
    def pictures(rate: float, side: int | None) -> Iterator[UInt8[np.ndarray, "c h w"]]:
        for place in places:
            with source.open(place) as file:
                yield read_image(file, size=side, grey=False, levels=SIXTEEN_BITS)

    return pictures


def _clips(
    source: Source,
    asked: Asked,
    windows: Windows,
    found: Callable[[dict[str, str]], Iterator[Video]],
    count: int,
    *,
    rate: float | None,
    side: int | None,
) -> Found:
    """Decode what is found, or take it from the cache, and cut it."""
    labelled = asked.labels is None
    if labelled:
        refuse_splits(source, "videos")
    settings = f"{VERSION} {source.key} {count} {rate} {side}"
    key = hashlib.blake2b(settings.encode(), digest_size=16).hexdigest()
    entry = cached(f"videos-{key}", lambda folder: _build(source, folder, found, count, rate=rate, side=side))
    info = json.loads((entry / "info.json").read_text())
    names, lengths = info["names"], info["lengths"]
    starts, of = windows.cut(lengths)
    if not len(starts):
        raise ValueError(
            f"{source.path} must hold a video of at least the {windows.span} frames of a clip; the longest has "
            f"{max(lengths)}. Ask for less: kind='video:frames={max(2, max(lengths) // windows.step)}', say."
        )
    skipped = [(name, reason) for name, reason in info["skipped"]]
    tell_skipped(skipped, "videos", source.path, of=count, strict=asked.strict)
    tell(str(source.path), [*info["lines"], *windows.told(lengths)], strict=asked.strict)
    log.info("%s: %s", source.path, info["told"])
    own = [names[number] for number in of]
    numbers, classes = folder_labels(own) if labelled else (None, ())
    labels = None if numbers is None else [classes[number] if number >= 0 else None for number in numbers]
    short = [
        (name, f"has {frames} frames, a clip {windows.span}")
        for name, frames in zip(names, lengths, strict=True)
        if frames < windows.span
    ]
    samples = VideoSamples(
        open_rows(entry / "frames.npy"),
        starts,
        windows,
        rate=info["rate"],
        names=own,
        skipped=[*skipped, *short],
        groups=np.array(own) if windows.stride is not None else None,
    )
    return samples, labels, None


def _build(
    source: Source,
    folder: Path,
    found: Callable[[dict[str, str]], Iterator[Video]],
    count: int,
    *,
    rate: float | None,
    side: int | None,
) -> None:
    """Decode all videos into `folder`: frames.npy and info.json."""
    bad: dict[str, str] = {}
    with progress("looking at videos", count) as advance:
        videos = []
        for video in found(bad):
            videos.append(video)
            advance(1)
    own = Counter(round(video.rate, 2) for video in videos if video.rate)
    rate = rate or (min(USUAL_RATE, own.most_common(1)[0][0]) if own else None)
    sizes = Counter(video.size for video in videos)
    same = len(sizes) == 1 and max(next(iter(sizes))) <= KEPT and side is None
    size = next(iter(sizes)) if same else (side or MADE, side or MADE)
    names, lengths, broken = [], [], 0
    with (
        ArrayWriter(folder / "frames.npy", most=1, shape=(3, *size)) as writer,
        progress("decoding videos", len(videos)) as advance,
    ):
        for video in videos:
            before = writer.rows
            try:
                for picture in video.pictures(rate or USUAL_RATE, None if same else size[0]):
                    if picture.shape != (3, *size):
                        raise ValueError("has pictures of several sizes")
                    writer.append(picture[None])
            except Exception as error:  # as above
                _refuse_without_package(error)
                broken += writer.rows > before
                if writer.rows == before:
                    bad[video.name] = f"can't be decoded ({named_reason(error, 120)})"
            if writer.rows > before:
                names.append(video.name)
                lengths.append(writer.rows - before)
            advance(1)
    if not names:
        name, reason = next(iter(bad.items()), (source.path.name, "holds no frame"))
        raise ValueError(
            f"{source.path} must hold at least one video that can be decoded; none of {count:,} can. The first: "
            f"{name!r} {reason}."
        )
    slow = sum(video.rate is not None and rate is not None and video.rate < 0.99 * rate for video in videos)
    lines = []
    if slow:
        lines.append(
            f"{slow:,} of {len(videos):,} videos have less than {rate:g} frames in a second, so some are repeated"
        )
    if broken:
        lines.append(f"{broken:,} videos are damaged, and used up to there")
    resized = "" if same else f", cut to squares of {size[0]} pixels (video:size= takes other ones)"
    steady = f" at {rate:g} frames in a second" if rate else ""
    info = {
        "names": names,
        "lengths": lengths,
        "rate": rate,
        "skipped": sorted(bad.items()),
        "lines": lines,
        "told": f"{sum(lengths):,} frames of {len(names):,} videos{steady}{resized}",
    }
    (folder / "info.json").write_text(json.dumps(info))


def _by_number(name: str) -> list[tuple[int, str]]:
    """By which names are sorted so that `frame10` comes after `frame9`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _refuse_without_package(error: Exception) -> None:
    """A package that is missing is no fault of a file."""
    if isinstance(error, ValueError) and "replearn[video]" in str(error):
        raise error
