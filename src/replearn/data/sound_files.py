"""Sounds in files: decoded once into the cache, in one channel, at one rate and of one length.

file --header--> rows, rate --only the part that is needed--> channels --mean--> --polyphase--> the rate --> 16 bits
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int16

from replearn.data.asked import Asked, Found
from replearn.data.cache import ArrayWriter, cached
from replearn.data.folder import StoredNames, refuse_splits
from replearn.data.needed import needed
from replearn.data.progress import progress
from replearn.data.reasons import reason_of
from replearn.data.sound import FULL, SoundSamples, resampled, sixteen_bits
from replearn.data.sources import Source, folder_labels, is_hidden
from replearn.data.stored import open_rows
from replearn.data.told import tell, tell_skipped

log = logging.getLogger("replearn")

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".w64", ".caf")
USUAL_RATE = 16_000  # Hz, to which higher rates are brought
LONGEST = 10.0  # seconds of a sample, unless more are asked for
CLIPPED = 1e-3  # share of rows at the ends of the range from which a sound is clipped
REACH = 40  # rows on either side that filters of resampling see, of the lower rate
VERSION = 2  # part of the cache's key: raise it when reading changes


def is_sound_name(name: str) -> bool:
    """Whether a file's ending is a sound's, and neither it nor a folder on the way is hidden."""
    return name.lower().endswith(SUFFIXES) and not is_hidden(name)


def soundfile() -> Any:
    """The package that decodes sounds.

    Raises:
        ValueError: it is not installed.
    """
    return needed("soundfile", "files of sound need")


@dataclass(frozen=True)
class Header:
    """What a file's header says."""

    rows: int
    rate: int
    channels: int = 1

    @property
    def seconds(self) -> float:
        return self.rows / self.rate


@dataclass(frozen=True)
class Crops:
    """How recordings become sounds of one length.

    Attributes:
        rate: in Hz.
        length: rows of a sound, at that rate.
        stride: rows between the beginnings of two crops; None: one, from the middle.
    """

    rate: int
    length: int
    stride: int | None

    def starts(self, header: Header) -> list[int]:
        """Where the crops of a recording begin, in rows at the rate asked for."""
        spare = int(header.rows * self.rate / header.rate) - self.length
        if spare <= 0:
            return [0]
        return [spare // 2] if self.stride is None else list(range(0, spare + 1, self.stride))


def crop_of(file: Any, header: Header, crops: Crops, start: int) -> Float[np.ndarray, " length"]:
    """A crop of an opened file: no more is read than it needs.

    Args:
        file: a `soundfile.SoundFile`.
        header: of it.
        crops: how.
        start: where the crop begins, in rows at the rate asked for.
    """
    ratio = Fraction(crops.rate, header.rate)
    up, down = ratio.numerator, ratio.denominator
    # Reading begins where both rates have a row, so that no row is moved; and early enough for the filter.
    reach = REACH * max(1, -(-down // up))
    first = max(0, start * down // up - reach) // down * down
    last = min(header.rows, -(-(start + crops.length) * down // up) + reach)
    file.seek(first)
    x = file.read(last - first, dtype="float32", always_2d=True).mean(1)  # (rows,)
    x = resampled(x, header.rate, crops.rate)[start - first // down * up :][: crops.length]
    return np.pad(x, (0, crops.length - len(x)))


def is_clipped(x: Int16[np.ndarray, " t"]) -> bool:
    """Whether more than one row in a thousand is at an end of the range."""
    return bool((np.abs(x.astype(np.int32)) >= FULL).mean() > CLIPPED)


def sounds_in_files(
    source: Source, asked: Asked, *, rate: int | None, seconds: float | None, stride: float | None
) -> Found:
    """The sounds of a folder, zip or list of files.

    Args:
        source: where the files lie; classes are sub-folders.
        asked: of `as_samples`.
        rate: in Hz, to which all are brought; None: the most frequent one, at most 16,000.
        seconds: of each sound; None: the median, at most 10.
        stride: seconds between the beginnings of two crops of a recording; None: one crop, from the middle.

    Raises:
        ValueError: no file can be decoded, the package soundfile is missing, or what `strict` says.
        CacheError: the cache cannot be written.
    """
    soundfile()
    labelled = asked.labels is None
    if labelled:
        refuse_splits(source, "sounds")
    key = hashlib.blake2b(
        f"{VERSION} {source.key} {rate} {seconds} {stride}".encode(), digest_size=16
    ).hexdigest()
    entry = cached(f"sounds-{key}", lambda folder: _build(source, folder, rate, seconds, stride))
    info = json.loads((entry / "info.json").read_text())
    skipped = [(name, reason) for name, reason in info["skipped"]]
    tell_skipped(skipped, "sounds", source.path, of=len(source.names), strict=asked.strict)
    tell(str(source.path), info["lines"], strict=asked.strict)
    log.info("%s: %s", source.path, info["told"])
    rows = open_rows(entry / "sounds.npy")
    names = StoredNames(entry / "names.json", len(rows))
    samples = SoundSamples(
        rows,
        rate=info["rate"],
        stride=stride,
        names=names,
        skipped=skipped,
    )
    if stride is not None:
        samples.groups = np.array(names[:])
    numbers, classes = folder_labels(names[:]) if labelled else (None, ())
    own = None if numbers is None else [classes[number] if number >= 0 else None for number in numbers]
    return samples, own, None


def _build(
    source: Source, folder: Path, rate: int | None, seconds: float | None, stride: float | None
) -> None:
    """Decode all files of `source` into `folder`: sounds.npy, names.json and info.json."""
    headers, bad = _headers(source)
    if not headers:
        name, reason = next(iter(bad.items()))
        raise ValueError(
            f"{source.path} must hold at least one sound that can be decoded; none of {len(source.names):,} can. "
            f"The first: {name!r} {reason}."
        )
    rates = Counter(header.rate for header in headers.values())
    rate = rate or min(USUAL_RATE, rates.most_common(1)[0][0])
    seconds = seconds or min(LONGEST, float(np.median([header.seconds for header in headers.values()])))
    crops = Crops(
        rate, max(1, round(seconds * rate)), None if stride is None else max(1, round(stride * rate))
    )
    names, counts = _decode(source, folder / "sounds.npy", headers, crops, bad)
    if not names:
        name, reason = next(iter(bad.items()))
        raise ValueError(
            f"{source.path} must hold at least one sound that can be decoded; {name!r} {reason}."
        )
    (folder / "names.json").write_text(json.dumps(names))
    there = {
        source.names[place]: header for place, header in headers.items() if source.names[place] not in bad
    }
    info = {
        "rate": rate,
        "skipped": sorted(bad.items()),
        "lines": _lines(list(there.values()), crops, len(names), counts),
        "told": _told(rates, crops, sum(header.channels > 1 for header in headers.values())),
    }
    (folder / "info.json").write_text(json.dumps(info))


def _headers(source: Source) -> tuple[dict[int, Header], dict[str, str]]:
    """What the headers of files say, by place; and what is wrong with the others."""
    package, found, bad = soundfile(), {}, {}
    with progress("looking at sounds", len(source.names)) as advance:
        for place, name in enumerate(source.names):
            try:
                with source.open(place) as file, package.SoundFile(file) as sound:
                    header = Header(sound.frames, sound.samplerate, sound.channels)
                if header.rows <= 0 or header.rate <= 0:
                    bad[name] = f"has {header.rows} rows at {header.rate} Hz"
                else:
                    found[place] = header
            except Exception as error:  # what damaged files raise is not documented
                bad[name] = f"is no sound that can be read ({reason_of(error, 100)})"
            advance(1)
    return found, bad


def _decode(
    source: Source, path: Path, headers: dict[int, Header], crops: Crops, bad: dict[str, str]
) -> tuple[list[str], Counter[str]]:
    """Write the crops; the name of each, and how many are clipped and silent."""
    package, names, counts = soundfile(), [], Counter[str]()
    most = sum(len(crops.starts(header)) for header in headers.values())
    with (
        ArrayWriter(path, most=most, shape=(crops.length,), dtype=np.int16) as writer,
        progress("decoding sounds", len(headers)) as advance,
    ):
        for place, header in headers.items():
            name = source.names[place]
            try:
                with source.open(place) as file, package.SoundFile(file) as sound:
                    for start in crops.starts(header):
                        heard = crop_of(sound, header, crops, start)
                        if not np.isfinite(heard).all():
                            raise ValueError("it has numbers that are not finite")
                        x = sixteen_bits(heard)
                        writer.append(x[None])
                        names.append(name)
                        counts["clipped"] += is_clipped(x)
                        counts["silent"] += not x.any()
            except Exception as error:  # as above
                if name not in names:
                    bad[name] = f"can't be used ({reason_of(error, 100)})"
                else:
                    counts["broken"] += 1
            advance(1)
    return names, counts


def _lines(headers: Sequence[Header], crops: Crops, windows: int, counts: Counter[str]) -> list[str]:
    """What is not as it was, by numbers."""
    n, length = len(headers), crops.length / crops.rate
    row = 1 / crops.rate
    long = [header.seconds - length for header in headers if header.seconds > length + row]
    short = [length - header.seconds for header in headers if header.seconds < length - row]
    lines = []
    if crops.stride is not None:
        lines.append(
            f"{n:,} recordings are cut into {windows:,} sounds of {length:.3g} s, one every "
            f"{crops.stride / crops.rate:.3g} s"
        )
    elif long:
        lines.append(
            f"{len(long):,} of {n:,} recordings are cut to the {length:.3g} s in their middle ({sum(long):,.4g} s are "
            "left out)"
        )
    if short:
        lines.append(
            f"{len(short):,} of {n:,} recordings are padded to {length:.3g} s with silence at the end "
            f"({sum(short):,.4g} s)"
        )
    if counts["clipped"]:
        lines.append(f"{counts['clipped']:,} of {windows:,} sounds are clipped: their peaks are cut off")
    if counts["silent"]:
        lines.append(f"{counts['silent']:,} of {windows:,} sounds are silent")
    if counts["broken"]:
        lines.append(f"{counts['broken']:,} recordings are damaged, and used up to there")
    return lines


def _told(rates: Counter[int], crops: Crops, mixed: int) -> str:
    found = ", ".join(f"{count:,} of {rate:,} Hz" for rate, count in rates.most_common(4))
    others = sum(count for rate, count in rates.items() if rate != crops.rate)
    what = f"; {others:,} are resampled" if others else ""
    what += f"; of {mixed:,} with several channels the mean is taken" if mixed else ""
    return f"{found}{what}; sounds of {crops.length / crops.rate:.3g} s at {crops.rate:,} Hz"
