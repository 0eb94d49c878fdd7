"""Videos: clips `(c, t, h, w)` of files, folders of frames, and arrays."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float

from replearn.data.array_files import LABEL_NAMES, read_npy, read_npz
from replearn.data.arrays import channels_are_last, square_images
from replearn.data.asked import Asked, Found
from replearn.data.kinds.base import ROWS, Kind
from replearn.data.kinds.files import holds, told_left_out
from replearn.data.samples import Samples
from replearn.data.sound_files import is_sound_name
from replearn.data.sources import ListSource, Source, find_source, is_image_name
from replearn.data.stored import stored_rows
from replearn.data.told import tell
from replearn.data.videos import VideoSamples, Windows, is_video_name, videos_in_files, videos_in_folders
from replearn.data.videos.decode import is_animation_name
from replearn.data.videos.files import CLIP

CLIPS, LENGTHS, GROUPS = (
    ("clips", "videos"),
    ("length", "lengths"),
    ("group", "groups"),
)  # arrays of `.npz` files
LOOKED_AT = 1000  # clips, of which is seen whether they end in frames that are repeated
CELLS = 4  # along each side of a frame, of features by hand


@dataclass(frozen=True)
class Video(Kind):
    """Clips of videos.

    Args:
        frames: of a clip; None: 8 of a file, all of an array.
        step: frames of the video from one frame of a clip to the next.
        stride: frames of the video between the beginnings of two clips; None: there is one, from the middle.
        rate: frames in a second. Films are brought to it; of arrays it is told. None: of films the most frequent one,
            at most 10.
        size: pixels a side of the squares that frames are cut to; None: what they have, if files have one of at most
            128, else 64.
    """

    plural: ClassVar[str] = "clips"
    offers: ClassVar[frozenset[str]] = frozenset({ROWS})
    bounded: ClassVar[bool] = True
    cuts: ClassVar[bool] = True

    frames: int | None = field(default=None, metadata={"least": 1})
    step: int = field(default=1, metadata={"least": 1})
    stride: int | None = field(default=None, metadata={"least": 1})
    rate: float | None = field(default=None, metadata={"least": 0.01})
    size: int | None = field(default=None, metadata={"least": 1})

    def claims(self, data: Any) -> bool:
        """Films, lists of them, folders and zips of them without images and sounds; `.npz` that names clips."""
        if isinstance(data, list | tuple):
            return bool(data) and all(
                isinstance(one, str | Path) and is_video_name(Path(one).name) for one in data
            )
        if not isinstance(data, str | Path):
            return False
        path = Path(data).expanduser()
        if path.is_file() and path.suffix.lower() == ".npz":
            return any(f"{name}.npy" in names_in_npz(path) for name in CLIPS)
        return (path.is_file() and is_video_name(path.name)) or holds(path, is_video_name, instead=_other)

    def read(self, data: Any, asked: Asked) -> Found:
        if isinstance(data, list | tuple) and self.claims(data):
            return self._of_files(ListSource([_there(one) for one in data]), asked)
        if not isinstance(data, str | Path):
            return self._of_arrays(data, asked, {})
        path = Path(data).expanduser()
        if path.is_file() and path.suffix.lower() == ".npy":
            return self._of_arrays(read_npy(path), asked, {})
        if path.is_file() and path.suffix.lower() == ".npz":
            return self._of_npz(path, asked)
        source, films = video_source(path)
        if films:
            return self._of_files(told_left_out(source, "videos"), asked)
        side = self.size or asked.image_size
        return videos_in_folders(told_left_out(source, "frames"), asked, self._windows(CLIP), side=side)

    def _windows(self, length: int) -> Windows:
        return Windows(self.frames or length, self.step, self.stride)

    def _of_files(self, source: Any, asked: Asked) -> Found:
        side = self.size or asked.image_size
        return videos_in_files(source, asked, self._windows(CLIP), rate=self.rate, side=side)

    def _of_npz(self, path: Path, asked: Asked) -> Found:
        """Clips of a file that names them, with lengths, labels and groups where it has some."""
        inside = names_in_npz(path)
        named = next((name for name in CLIPS if f"{name}.npy" in inside), None)
        if named is None:
            x, labels = read_npz(path)
            return self._of_arrays(x, asked, {"labels": labels})
        found = {}
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            for what, names in (("lengths", LENGTHS), ("labels", LABEL_NAMES), ("groups", GROUPS)):
                found[what] = next((arrays[name] for name in names if name in arrays), None)
            x = arrays[named]
        return self._of_arrays(x, asked, found)

    def _of_arrays(self, data: Any, asked: Asked, own: dict[str, Any]) -> Found:
        videos = frames_of(data)
        n, stored = len(videos), [len(video) for video in videos]
        true = stored if own.get("lengths") is None else _lengths(own["lengths"], stored)
        frames: Any = (
            videos.reshape(-1, *videos.shape[2:])
            if isinstance(videos, np.ndarray)
            else np.concatenate(videos)
        )
        if isinstance(frames, np.memmap):
            frames = stored_rows(frames) or frames
        if (side := self.size or asked.image_size) is not None:
            frames = square_images(frames, side)
        windows = self._windows((min(true) - 1) // self.step + 1)
        starts, of = windows.cut(true)
        if not len(starts):
            raise ValueError(
                f"a video must have at least the {windows.span} frames of a clip; the longest has {max(true)}. Ask for "
                "less: kind='video:frames=2', say."
            )
        starts += (np.cumsum([0, *stored]) - np.cumsum([0, *true]))[of]  # untrue frames lie between
        lines = windows.told(true)
        if true is stored and (padded := repeated_ends(videos)):
            lines.append(
                f"{padded:,} of {min(n, LOOKED_AT):,} videos end in a repeated frame and do not begin so, which tells "
                "which way time runs (an array `length` in an .npz says how many frames are true)"
            )
        tell("the videos", lines, strict=asked.strict)
        short = np.setdiff1d(np.arange(n), of)
        left = [(f"video {number}", f"has less than {windows.span} frames") for number in short]
        samples = VideoSamples(frames, starts, windows, rate=self.rate, skipped=left)
        if own.get("groups") is not None:
            samples.groups = np.asarray(own["groups"])[of].astype(str)
        elif self.stride is not None:
            samples.groups = of.astype(str)
        given: Any = own.get("labels") if asked.labels is None else asked.labels
        if hasattr(given, "__len__") and not isinstance(given, str | dict) and len(given) == n:
            given = [given[number] for number in of]
        return samples, given, None

    def options_like(self, expected: Any) -> dict[str, Any]:
        """Clips of as many frames, cut alike, of the same rate and, where they are square, size."""
        if len(expected.shape) != 4:  # a damaged run
            return {}
        told = getattr(expected, "details", {})
        _, frames, height, width = expected.shape
        size = height if height == width else None
        return {"kind": Video(frames, told.get("step", 1), told.get("stride"), told.get("rate"), size)}

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"]:
        """In each of 4 x 4 cells the mean of each channel, how much it changes from frame to frame in the first and in
        the second half of the time, and how much more there is of it at the end than at the beginning.
        """
        rows = []
        for part in samples.parts():
            x = samples[part].floats().x  # (n, c, t, h, w)
            small = torch.nn.functional.adaptive_avg_pool3d(x, (x.shape[2], CELLS, CELLS))
            moved = (
                x.diff(dim=2).abs().mean(1, keepdim=True) if x.shape[2] > 1 else torch.zeros_like(x[:, :1])
            )
            halves = torch.nn.functional.adaptive_avg_pool3d(moved, (min(2, moved.shape[2]), CELLS, CELLS))
            told = (small.mean(2), halves, small[:, :, -1] - small[:, :, 0])
            rows.append(torch.cat([one.flatten(1) for one in told], 1).numpy())
        return np.concatenate(rows)


def _other(name: str) -> bool:
    return is_image_name(name) or is_sound_name(name)


def video_source(path: Path) -> tuple[Source, bool]:
    """The files of a path, and whether they are videos: else they are frames.

    Raises:
        ValueError: there are neither.
    """
    if path.is_file() and (is_video_name(path.name) or is_animation_name(path.name)):
        return ListSource([path]), True
    films = find_source(path, lambda name: is_video_name(name) or name.lower().endswith(".gif"))
    if films is not None and films.names:
        return films, True
    animations = find_source(path, lambda name: is_image_name(name) and is_animation_name(name))
    if animations is not None and animations.names and _moves(animations):
        return animations, True
    images = find_source(path, is_image_name)
    if images is None or not images.names:
        raise ValueError(
            "videos must be a folder or zip of files (mp4, webm, mov, gif), of folders of frames, a list of files, or "
            f"an array (n, t, c, h, w); got {str(path)!r}."
        )
    return images, False


def names_in_npz(path: Path) -> list[str]:
    """Of the arrays of a file; none, where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return []


def frames_of(data: Any) -> Any:
    """Videos of arrays: bytes or floats in [0, 1], `(n, t, c, h, w)`, or where they have unlike lengths a list.

    Four axes are grey videos `(n, t, h, w)`, five have channels as third or last axis, by the rule of images.

    Raises:
        ValueError: they are something else.
    """
    if isinstance(data, list | tuple):
        if not data:
            raise ValueError("videos must be at least one; got an empty list.")
        found = [frames_of(np.asarray(one)[None])[0] for one in data]
        shapes = {(one.dtype.str, *one.shape[1:]) for one in found}
        if len(shapes) > 1:
            raise ValueError(f"videos must have one size and type; got {len(shapes)}. Resize their frames.")
        return found
    array = data.detach().cpu().numpy() if hasattr(data, "detach") else data
    if not isinstance(array, np.ndarray) or array.ndim not in (4, 5) or 0 in array.shape:
        got = f"shape {array.shape}" if isinstance(array, np.ndarray) else type(data).__name__
        raise ValueError(
            f"videos must be an array (n, t, c, h, w), (n, t, h, w, c), or grey (n, t, h, w), with no axis empty; got "
            f"{got}."
        )
    if array.ndim == 4:
        array = array[:, :, None]
    elif channels_are_last((array.shape[0], *array.shape[2:])):
        array = np.ascontiguousarray(array.transpose(0, 1, 4, 2, 3))
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint8:
        return array
    low, high = float(np.min(array)), float(np.max(array))
    if array.dtype.kind == "f" and 0 <= low <= high <= 1:
        return array.astype(np.float32, copy=False)
    if array.dtype.kind in "iu" and 0 <= low <= high <= 255:
        return array.astype(np.uint8)
    raise ValueError(
        f"videos must be bytes, or floats in [0, 1]; got {array.dtype} from {low:.4g} to {high:.4g}. Scale them."
    )


def repeated_ends(videos: Any) -> int:
    """How many of the first thousand videos end in a frame that is repeated, and do not begin so."""
    return sum(
        len(video) > 2
        and bool(np.array_equal(video[-1], video[-2]))
        and not bool(np.array_equal(video[0], video[1]))
        for video in videos[:LOOKED_AT]
    )


def _lengths(known: Any, stored: Sequence[int]) -> list[int]:
    """How many frames are true of each video.

    Raises:
        ValueError: not one for each, or more than there are.
    """
    found = np.asarray(known).ravel()
    if (
        len(found) != len(stored)
        or found.dtype.kind not in "iu"
        or (found < 1).any()
        or (found > stored).any()
    ):
        raise ValueError(
            f"length must say of each of {len(stored):,} videos how many of its frames are true, 1 ... "
            f"{max(stored)}; got {len(found):,} numbers of {found.dtype}."
        )
    numbers: list[int] = found.tolist()
    return numbers


def _there(path: str | Path) -> Path:
    """The path of a file that is there.

    Raises:
        ValueError: it is not.
    """
    found = Path(path).expanduser()
    if not found.is_file():
        raise ValueError(f"a list of videos must name existing files; got {str(path)!r}.")
    return found


def _moves(source: Source) -> bool:
    """Whether the first file is an animation."""
    from replearn.data.image_files import UndecodableError, open_image

    try:
        with source.open(0) as file, open_image(file) as image:
            return getattr(image, "n_frames", 1) > 1
    except (OSError, UndecodableError):
        return False
