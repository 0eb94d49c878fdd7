"""Volumes in files: NIfTI, a volume a file; DICOM, a volume a series. Read once into the cache."""

import gzip
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from replearn.data.asked import Asked, Found
from replearn.data.cache import cached
from replearn.data.folder import StoredNames, refuse_splits
from replearn.data.needed import needed
from replearn.data.progress import progress
from replearn.data.reasons import reason_of
from replearn.data.sources import Source, folder_labels, is_hidden
from replearn.data.stored import open_rows
from replearn.data.text_files import hash_of
from replearn.data.told import tell, tell_skipped
from replearn.data.volumes import Reading, Spacing, VolumeSamples

log = logging.getLogger("replearn")

NIFTI, DICOM = (".nii", ".nii.gz"), (".dcm", ".dicom", ".ima")
VERSION = 1  # part of the cache's key: raise it when reading changes
Volume = tuple[Float[np.ndarray, "d h w"], Spacing]
UNEVEN = 0.01  # share by which distances of slices may differ


class Unusable(ValueError):
    """A volume can't be used; its message is the reason, which follows the volume's name."""


def is_volume_name(name: str) -> bool:
    """Whether a file's ending is that of a volume, and neither it nor a folder on the way is hidden."""
    return name.lower().endswith((*NIFTI, *DICOM)) and not is_hidden(name)


def package(name: str) -> Any:
    """nibabel or pydicom.

    Raises:
        ValueError: it is not installed.
    """
    return needed(name, "such volumes need")


def volumes_in_files(source: Source, asked: Asked, reading: Reading) -> Found:
    """The volumes of a folder, zip or list of files.

    Args:
        source: where the files lie; classes are sub-folders.
        asked: of `as_samples`.
        reading: how they become samples.

    Raises:
        ValueError: no volume can be read, a package is missing, or what `strict` says.
        CacheError: the cache cannot be written.
    """
    labelled = asked.labels is None
    if labelled:
        refuse_splits(source, "volumes")
    endings = {"nibabel" if name.lower().endswith(NIFTI) else "pydicom" for name in source.names}
    for name in sorted(endings):
        package(name)
    entry = cached(
        f"volumes-{hash_of(f'{VERSION} {source.key} {reading}')}", lambda to: _build(source, to, reading)
    )
    info = json.loads((entry / "info.json").read_text())
    skipped = [(name, reason) for name, reason in info["skipped"]]
    tell_skipped(skipped, "volumes", source.path, of=info["volumes"] + len(skipped), strict=asked.strict)
    tell(str(source.path), info["lines"], strict=asked.strict)
    log.info("%s: %s", source.path, info["told"])
    rows = open_rows(entry / "volumes.npy")
    names = StoredNames(entry / "names.json", len(rows))
    spacing = None if reading.spacing is None else (reading.spacing,) * 3
    samples = VolumeSamples(rows, spacing=spacing, read=reading.told, names=names, skipped=skipped)
    if reading.stride is not None:
        samples.groups = np.array(names[:])
    if not labelled:
        return samples, _of_cubes(asked.labels, names[:]), None
    numbers, classes = folder_labels(names[:])
    own = None if numbers is None else [classes[number] if number >= 0 else None for number in numbers]
    return samples, own, None


def _of_cubes(labels: Any, names: Sequence[str]) -> Any:
    """Labels that were given for each volume, one for each of its cubes; None where they were not."""
    first = [place for place, name in enumerate(names) if place == 0 or name != names[place - 1]]
    if isinstance(labels, str | Path) or not hasattr(labels, "__len__") or len(labels) != len(first):
        return None
    cubes = np.diff([*first, len(names)]).tolist()
    return [label for label, number in zip(labels, cubes, strict=True) for _ in range(number)]


def _build(source: Source, folder: Path, reading: Reading) -> None:
    """Read all volumes of `source` into `folder`: volumes.npy, names.json and info.json."""
    parts, names, whole, voxels = [], [], 0, []
    found, bad = volumes_of(source)
    with progress("reading volumes", len(found)) as advance:
        for name, read in found:
            try:
                x, voxel = read()
                if not np.isfinite(x).all():
                    raise Unusable("has voxels that are not finite")
                cubes = list(reading.samples_of(x, voxel))
                parts += cubes
                names += [name] * len(cubes)
                whole += 1
                voxels.append(voxel)
            except Unusable as error:
                bad.append((name, str(error)))
            except Exception as error:  # what damaged files raise is not documented
                bad.append((name, f"can't be read ({reason_of(error, 100)})"))
            advance(1)
    if not names:
        name, reason = bad[0]
        raise ValueError(
            f"{source.path} must hold at least one volume that can be read; none of {len(bad):,} can. "
            f"The first: {name!r} {reason}."
        )
    np.save(folder / "volumes.npy", np.stack(parts))
    (folder / "names.json").write_text(json.dumps(names))
    lines = [] if reading.stride is None else [f"{whole:,} volumes are cut into {len(names):,} cubes"]
    middle = " x ".join(f"{side:.3g}" for side in np.median(voxels, axis=0))
    window = (
        "0 and 1 are the 0.5th and the 99.5th percentile of each"
        if reading.low is None or reading.high is None
        else f"0 and 1 are {reading.low:g} and {reading.high:g}"
    )
    side = "fitted whole" if reading.spacing is None else f"brought to voxels of {reading.spacing:g} mm"
    told = f"{whole:,} volumes, voxels of {middle} mm (d x h x w, median), {side}, {reading.size} a side; {window}"
    (folder / "info.json").write_text(
        json.dumps({"skipped": bad, "lines": lines, "told": told, "volumes": whole})
    )


def volumes_of(source: Source) -> tuple[list[tuple[str, Callable[[], Volume]]], list[tuple[str, str]]]:
    """Name and reader of each volume, in order of names, and files that are no part of any.

    Files in DICOM are of one volume where they lie in one folder and are of one series; its name is the folder's, and
    where a folder holds several, with the number of the series in it.
    """
    found: list[tuple[str, Callable[[], Volume]]] = []
    bad: list[tuple[str, str]] = []
    series: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, name in enumerate(source.names):
        if name.lower().endswith(NIFTI):
            found.append((name, lambda place=place: read_nifti(source, place)))  # type: ignore[misc]
            continue
        try:
            with source.open(place) as file:
                header = package("pydicom").dcmread(file, stop_before_pixels=True)
            series[name.rpartition("/")[0]][str(header.SeriesInstanceUID)].append(place)
        except Exception as error:  # as above
            bad.append((name, f"can't be read ({reason_of(error, 100)})"))
    for folder, several in series.items():
        for number, places in enumerate(several.values(), 1):
            called = f"{folder} series {number}" if len(several) > 1 or not folder else folder
            found.append((called.strip(), lambda places=places: read_dicom(source, places)))  # type: ignore[misc]
    return sorted(found, key=lambda pair: pair[0]), bad


def read_nifti(source: Source, place: int) -> Volume:
    """A volume of a file in NIfTI, its axes turned to those that are nearest to the body's.

    Raises:
        Unusable: it has not three axes.
    """
    nibabel = package("nibabel")
    with source.open(place) as file:
        content = file.read()
    if source.names[place].lower().endswith(".gz"):
        content = gzip.decompress(content)
    image = nibabel.as_closest_canonical(nibabel.Nifti1Image.from_bytes(content))  # right, front, up
    x = np.squeeze(np.asarray(image.dataobj, dtype=np.float32))
    if x.ndim != 3:
        raise Unusable(f"has {x.ndim} axes with more than one voxel; a volume has 3")
    x = np.ascontiguousarray(x[::-1, ::-1].transpose(2, 1, 0))  # d up, h to the back, w to the left
    right, front, up = (float(side) for side in image.header.get_zooms()[:3])
    return x, (up, front, right)


def read_dicom(source: Source, places: list[int]) -> Volume:
    """A volume of the files of a series: slices in order along the direction that they are stacked in, rescaled.

    Raises:
        Unusable: slices are of unlike sizes, or not evenly apart.
    """
    slices = []
    for place in places:
        with source.open(place) as file:
            slices.append(package("pydicom").dcmread(file))
    first = slices[0]
    if any((one.Rows, one.Columns) != (first.Rows, first.Columns) for one in slices):
        raise Unusable("has slices of unlike sizes")
    rows, columns = np.array(getattr(first, "ImageOrientationPatient", (1, 0, 0, 0, 1, 0)), float).reshape(
        2, 3
    )
    normal = np.cross(rows, columns)
    along = [
        float(np.dot(getattr(one, "ImagePositionPatient", (0, 0, place)), normal))
        for place, one in enumerate(slices)
    ]
    order = np.argsort(along, kind="stable")
    apart = np.diff(np.array(along)[order])
    if len(apart) and (apart.min() <= 0 or apart.max() - apart.min() > UNEVEN * apart.max() + 1e-3):
        raise Unusable(
            f"has slices that are {apart.min():.3g} to {apart.max():.3g} mm apart; are some missing?"
        )
    x = np.stack([_rescaled(slices[place]) for place in order])  # (d, h, w)
    thick = float(np.median(apart)) if len(apart) else float(getattr(first, "SliceThickness", None) or 1.0)
    tall, wide = (float(side) for side in getattr(first, "PixelSpacing", (1.0, 1.0)))
    return x, (thick, tall, wide)


def _rescaled(one: Any) -> Float[np.ndarray, "h w"]:
    """In the units that the file names: Hounsfield units of CT."""
    slope, intercept = float(getattr(one, "RescaleSlope", 1)), float(getattr(one, "RescaleIntercept", 0))
    found: np.ndarray = (one.pixel_array.astype(np.float32) * slope + intercept).astype(np.float32)
    return found
