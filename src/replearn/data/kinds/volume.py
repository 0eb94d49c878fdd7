"""Volumes, `(c, d, h, w)` in [0, 1]: NIfTI, series in DICOM, arrays."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float

from replearn.data.array_files import read_arrays
from replearn.data.asked import Asked, Found
from replearn.data.kinds.base import ROWS, Kind
from replearn.data.kinds.files import holds_only, told_left_out
from replearn.data.samples import Samples
from replearn.data.sources import ListSource, find_source
from replearn.data.stored import stored_rows
from replearn.data.volume_files import is_volume_name, volumes_in_files
from replearn.data.volumes import Reading, VolumeSamples, windowed

log = logging.getLogger("replearn")

USUAL = 64  # voxels along a side of what is read of files
CELLS, LEVELS = 8, 32  # of the grid along each axis, and of brightness


@dataclass(frozen=True)
class Volumes(Kind):
    """Volumes `(c, d, h, w)`.

    Args:
        size: voxels along each side of a sample; None: 64 of files, and arrays as they are.
        spacing: length of a voxel's sides in mm, to which volumes of files are brought; None: each is fitted whole.
        stride: voxels between the corners of two cubes of a volume; None: there is one, from its middle.
        low, high: what becomes 0 and 1, in Hounsfield units say; None: of each volume of a file its percentiles, of
            arrays their range.
    """

    plural: ClassVar[str] = "volumes"
    offers: ClassVar[frozenset[str]] = frozenset({ROWS})
    bounded: ClassVar[bool] = True
    cuts: ClassVar[bool] = True

    size: int | None = field(default=None, metadata={"least": 2})
    spacing: float | None = field(default=None, metadata={"least": 1e-3})
    stride: int | None = field(default=None, metadata={"least": 1})
    low: float | None = None
    high: float | None = None

    def claims(self, data: Any) -> bool:
        """Files in NIfTI and DICOM, and folders and zips of them without images, texts and sounds."""
        if not isinstance(data, str | Path):
            return False
        path = Path(data).expanduser()
        return (path.is_file() and is_volume_name(path.name)) or holds_only(path, is_volume_name)

    def read(self, data: Any, asked: Asked) -> Found:
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low of volume must be below high; got {self.low:g} and {self.high:g}.")
        if not isinstance(data, str | Path):
            return self._of_arrays(data, asked, None)
        path = Path(data).expanduser()
        if (arrays := read_arrays(path)) is not None:
            return self._of_arrays(arrays[0], asked, arrays[1])
        single = path.is_file() and is_volume_name(path.name)
        source = ListSource([path]) if single else find_source(path, is_volume_name)
        if source is None or not source.names:
            raise ValueError(
                "volumes must be a folder or zip of files (NIfTI, DICOM), such a file, or arrays (n, channels, d, h, "
                f"w) in .npy or .npz; got {str(path)!r}."
            )
        reading = Reading(self.size or USUAL, self.spacing, self.stride, self.low, self.high)
        return volumes_in_files(told_left_out(source, "volumes"), asked, reading)

    def _of_arrays(self, data: Any, asked: Asked, own: Any) -> Found:
        array = _numbers(data)
        if self.size is not None and array.shape[2:] != (self.size,) * 3:
            raise ValueError(
                f"volumes in arrays are read as they are, and must have {self.size} voxels a side, as size says; got "
                f"an array of shape {array.shape}. Save them as NIfTI to have them fitted."
            )
        if self.spacing is not None or self.stride is not None:
            log.warning("volumes in arrays are read as they are: spacing and stride are for volumes in files")
        given = own if asked.labels is None else asked.labels
        ends = self.low, self.high
        if ends == (None, None) and (array.dtype == np.uint8 or _in_range(array)):
            x = array if array.dtype == np.uint8 else array.astype(np.float32, copy=False)
            rows = stored_rows(x) if isinstance(x, np.memmap) else None
            return VolumeSamples(rows or np.ascontiguousarray(x)), given, None
        low, high = (
            float(end()) if told is None else told
            for told, end in zip(ends, (array.min, array.max), strict=True)
        )
        log.info("the volumes: 0 and 1 are %g and %g", low, high)
        x = np.empty(array.shape, dtype=np.float32)
        for place, volume in enumerate(array):
            x[place] = windowed(volume, low, high)
        read = {"low": low, "high": high, "stride": None, "voxel": None}
        return VolumeSamples(x, read=read), given, None

    def options_like(self, expected: Any) -> dict[str, Any]:
        """Volumes of the same size, by the same window and spacing."""
        if len(expected.shape) != 4:  # a damaged run
            return {}
        told = getattr(expected, "details", {})
        known = {name: told.get(name) for name in ("stride", "low", "high")}
        size = expected.shape[1] if len(set(expected.shape[1:])) == 1 else None  # of arrays that are no cubes
        return {"kind": Volumes(size=size, spacing=told.get("voxel"), **known)}

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"]:
        """Of each channel the mean in each cell of a grid of 8 x 8 x 8, and how many voxels are how bright."""
        rows = []
        for part in samples.parts():
            x = samples[part].floats().x
            cells = F.adaptive_avg_pool3d(x, tuple(min(CELLS, along) for along in x.shape[2:])).flatten(1)
            level = x.flatten(2).mul(LEVELS).long().clamp(0, LEVELS - 1)  # (n, c, v)
            counts = torch.zeros(*x.shape[:2], LEVELS).scatter_add_(2, level, torch.ones(level.shape))
            rows.append(torch.cat([cells, (counts / level.shape[2]).sqrt().flatten(1)], 1).numpy())
        return np.concatenate(rows)


def _in_range(array: np.ndarray) -> bool:
    """Whether floats lie in [0, 1]."""
    return array.dtype.kind == "f" and bool(array.min() >= 0) and bool(array.max() <= 1)


def _numbers(data: Any) -> np.ndarray:
    """An array or tensor of volumes, with channels.

    Raises:
        ValueError: it is none, or has numbers that are not finite.
    """
    array = data.detach().cpu().numpy() if hasattr(data, "detach") else data
    if isinstance(array, list | tuple):
        shapes = {np.shape(one) for one in array}
        if len(shapes) > 1:
            raise ValueError(f"volumes in a list must have one shape; got {len(shapes)}. Save them as NIfTI.")
        array = np.stack(array) if len(array) else np.empty(0)
    array = array if isinstance(array, np.ndarray) else np.asarray(array)
    if array.dtype.kind not in "buif":
        raise ValueError(
            f"volumes must be numbers; got dtype {array.dtype}. Give an array (n, channels, d, h, w)."
        )
    if array.ndim not in (4, 5) or 0 in array.shape:
        raise ValueError(
            "volumes must be an array (n, channels, d, h, w), or (n, d, h, w) of one channel, with values; got shape "
            f"{array.shape}."
        )
    if not np.isfinite(array).all():
        raise ValueError("volumes must be finite; got NaN or infinity. Drop these volumes.")
    return array[:, None] if array.ndim == 4 else array
