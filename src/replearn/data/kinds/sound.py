"""Sounds, `(1, t)` in [-1, 1] at one rate: folders of files, lists of files, arrays with a rate."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float

from replearn.data.array_files import read_arrays
from replearn.data.asked import Asked, Found
from replearn.data.kinds.base import ROWS, Kind
from replearn.data.kinds.files import holds, told_left_out
from replearn.data.mel import filters, log_mel, mel_of
from replearn.data.samples import Samples
from replearn.data.series import Cut, recordings_of, whole
from replearn.data.sound import SoundSamples
from replearn.data.sound_files import is_sound_name, sounds_in_files
from replearn.data.sources import ListSource, find_source
from replearn.data.stored import stored_rows
from replearn.data.told import tell


@dataclass(frozen=True)
class Sound(Kind):
    """Sounds of one channel.

    Args:
        rate: in Hz. Files are brought to it; of arrays it is the rate that they have. None: of files the most frequent
            one, at most 16,000.
        seconds: of a sound; None: the median of the recordings, at most 10.
        stride: seconds between the beginnings of two crops of a recording; None: there is one, from its middle.
    """

    plural: ClassVar[str] = "sounds"
    offers: ClassVar[frozenset[str]] = frozenset({ROWS})
    cuts: ClassVar[bool] = True

    rate: int | None = field(default=None, metadata={"least": 100})
    seconds: float | None = field(default=None, metadata={"least": 0.001})
    stride: float | None = field(default=None, metadata={"least": 0.001})

    def claims(self, data: Any) -> bool:
        """Folders and zips of sounds without images, single files of sound, and lists of such files."""
        if isinstance(data, list | tuple):
            return bool(data) and all(
                isinstance(one, str | Path) and is_sound_name(Path(one).name) for one in data
            )
        return isinstance(data, str | Path) and holds_sounds(Path(data).expanduser())

    def read(self, data: Any, asked: Asked) -> Found:
        if isinstance(data, list | tuple) and self.claims(data):
            return self._of_files(ListSource([_there(one) for one in data]), asked)
        if not isinstance(data, str | Path):
            return self._of_arrays(data, asked, None)
        path = Path(data).expanduser()
        if (arrays := read_arrays(path)) is not None:
            return self._of_arrays(arrays[0], asked, arrays[1])
        if path.is_file() and is_sound_name(path.name):
            return self._of_files(ListSource([path]), asked)
        source = find_source(path, is_sound_name)
        if source is None or not source.names:
            raise ValueError(
                "sounds must be a folder or zip of files (wav, flac, ogg, mp3), a list of such files, or arrays with a "
                f"rate; got {str(path)!r}."
            )
        return self._of_files(told_left_out(source, "sounds"), asked)

    def _of_files(self, source: Any, asked: Asked) -> Found:
        return sounds_in_files(source, asked, rate=self.rate, seconds=self.seconds, stride=self.stride)

    def _of_arrays(self, data: Any, asked: Asked, own: Any) -> Found:
        if self.rate is None:
            raise ValueError(
                "arrays of sound must come with their rate; got none. Write kind='sound:rate=16000', say."
            )
        given = own if asked.labels is None else asked.labels
        found = recordings_of(_in_range(data))
        channels = found.shape[1] if isinstance(found, np.ndarray) else len(found[0])
        if channels != 1:
            raise ValueError(f"sounds must have one channel; got {channels}. Take their mean.")
        length = None if self.seconds is None else max(1, round(self.seconds * self.rate))
        if isinstance(found, np.ndarray) and self.stride is None and length in (None, found.shape[2]):
            if not whole(found):
                raise ValueError("sounds must be finite; got NaN or infinity. Drop these sounds.")
            wave = found[:, 0]  # (n, t)
            rows = stored_rows(wave) if isinstance(wave, np.memmap) else None
            return SoundSamples(rows or np.ascontiguousarray(wave), rate=self.rate), given, None
        stride = None if self.stride is None else max(1, round(self.stride * self.rate))
        lengths = [one.shape[1] for one in found]
        cut = Cut(length or min(int(np.median(lengths)), 10 * self.rate), stride, lengths)
        if not all(np.isfinite(one).all() for one in found):
            raise ValueError("sounds must be finite; got NaN or infinity. Drop these sounds.")
        x = np.concatenate([cut.of(one, mode="constant")[:, 0] for one in found])
        of = np.repeat(np.arange(len(found)), [len(cut.starts(rows)) for rows in lengths])
        tell("the recordings", cut.told("with silence"), strict=asked.strict)
        samples = SoundSamples(x, rate=self.rate, stride=self.stride)
        if stride is not None:
            samples.groups = np.array([str(number) for number in of])
            if hasattr(given, "__len__") and not isinstance(given, str) and len(given) == len(found):
                given = [given[number] for number in of]
        return samples, given, None

    def options_like(self, expected: Any) -> dict[str, Any]:
        """Sounds of the same rate and length, cropped alike."""
        if len(expected.shape) != 2:  # a damaged run
            return {}
        details = getattr(expected, "details", {})
        rate = details.get("rate")
        seconds = expected.shape[1] / rate if isinstance(rate, int) and rate > 0 else None
        return {"kind": Sound(rate=rate, seconds=seconds, stride=details.get("stride"))}

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"]:
        """Of each mel band mean and deviation over time, in decibels."""
        mel = mel_of(samples.details["rate"])
        weights = filters(mel)
        rows = []
        for part in samples.parts():
            level = log_mel(samples[part].x[:, 0], mel, weights=weights)  # (n, b, s)
            rows.append(torch.cat([level.mean(2), level.std(2, unbiased=False)], 1).numpy())
        return np.concatenate(rows)


def holds_sounds(path: Path) -> bool:
    """Whether a path is a file of sound, or a folder or zip of such files without images."""
    if path.is_file() and is_sound_name(path.name):
        return True
    return holds(path, is_sound_name)


def _there(path: str | Path) -> Path:
    """The path of a file that is there.

    Raises:
        ValueError: it is not.
    """
    found = Path(path).expanduser()
    if not found.is_file():
        raise ValueError(f"a list of files of sound must name existing files; got {str(path)!r}.")
    return found


def _in_range(data: Any) -> Any:
    """Arrays in [-1, 1]: of whole numbers of 16 bits, parts of the range; floats as they are.

    Raises:
        ValueError: numbers are of another type, or outside.
    """
    if isinstance(data, list | tuple):
        return [_in_range(one) for one in data]
    array = data.detach().cpu().numpy() if hasattr(data, "detach") else data
    array = array if isinstance(array, np.ndarray) else np.asarray(array)
    if array.dtype == np.int16:
        return array.astype(np.float32) / np.float32(32_768)
    if array.dtype.kind != "f":
        raise ValueError(
            f"sounds must be floats in [-1, 1] or int16; got {array.dtype}. Divide by the largest number."
        )
    most = float(np.abs(array).max()) if array.size else 0.0
    if most > 1:
        raise ValueError(f"floats of sounds must lie in [-1, 1]; got {most:g}. Divide by the largest number.")
    return array
