"""Clouds of points, and meshes as points of their surface: folders of files, arrays."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from replearn.data.array_files import read_arrays
from replearn.data.asked import Asked, Found
from replearn.data.kinds.base import Kind
from replearn.data.kinds.files import holds_only, told_left_out
from replearn.data.point_files import clouds_in_files, is_cloud_name
from replearn.data.points import TURNS, Counts, PointSamples, Unusable, cloud_of
from replearn.data.samples import Samples
from replearn.data.sources import ListSource, find_source
from replearn.data.told import tell

USUAL = 1024  # points of a cloud
CELLS = 8  # of the grid, along each axis
BANDS = 32  # of distances


@dataclass(frozen=True)
class Points(Kind):
    """Clouds `(3, k)`, centred, in the unit sphere, with y up.

    Args:
        points: of each cloud; None: 1,024 of files, and of arrays as many as the first cloud has.
        up: the axis that points up in the data: x, y or z. Clouds are turned so that y does.
    """

    plural: ClassVar[str] = "clouds"
    offers: ClassVar[frozenset[str]] = frozenset()

    points: int | None = field(default=None, metadata={"least": 2})
    up: str = "y"

    def claims(self, data: Any) -> bool:
        """Files PLY, OBJ, STL, OFF, XYZ, and folders and zips of them without images, texts and sounds."""
        if not isinstance(data, str | Path):
            return False
        path = Path(data).expanduser()
        return (path.is_file() and is_cloud_name(path.name)) or holds_only(path, is_cloud_name)

    def read(self, data: Any, asked: Asked) -> Found:
        if self.up not in TURNS:
            raise ValueError(f"up of points must be x, y or z; got {self.up!r}. Leave it out for y.")
        if not isinstance(data, str | Path):
            return self._of_arrays(data, asked, None)
        path = Path(data).expanduser()
        if (arrays := read_arrays(path)) is not None:
            return self._of_arrays(arrays[0], asked, arrays[1])
        single = path.is_file() and is_cloud_name(path.name)
        source = ListSource([path]) if single else find_source(path, is_cloud_name)
        if source is None or not source.names:
            raise ValueError(
                "points must be a folder or zip of files (PLY, OBJ, STL, OFF, XYZ), such a file, or arrays (n, points, "
                f"3) in .npy or .npz; got {str(path)!r}."
            )
        source = told_left_out(source, "clouds")
        return clouds_in_files(source, asked, points=self.points or USUAL, up=self.up)

    def _of_arrays(self, data: Any, asked: Asked, own: Any) -> Found:
        clouds = _clouds(data)
        number, counts = self.points or len(clouds[0]), Counts()
        x = np.empty((len(clouds), 3, number), dtype=np.float32)
        for place, cloud in enumerate(clouds):
            try:
                x[place] = cloud_of(np.asarray(cloud), number, self.up, counts)
            except Unusable as error:
                raise ValueError(
                    f"clouds must have points in more than one place, all finite; cloud {place} {error}. Drop it."
                ) from error
        tell("the clouds", counts.told(number), strict=asked.strict)
        return PointSamples(x, up=self.up), own if asked.labels is None else asked.labels, None

    def options_like(self, expected: Any) -> dict[str, Any]:
        """Clouds of as many points, with the same axis up."""
        if len(expected.shape) != 2:  # a damaged run
            return {}
        up = getattr(expected, "details", {}).get("up", self.up)
        return {"kind": Points(points=expected.shape[1], up=up)}

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"]:
        """How many points lie in each cell of a grid, and how far points lie apart: the square roots of shares.

        Reference: Osada et al., ACM Transactions on Graphics 2002 (D2). https://doi.org/10.1145/571647.571648
        """
        rows = []
        for part in samples.parts():
            x = samples[part].x.numpy()
            rows.append(np.concatenate([occupancy(x), distances(x)], axis=1))
        found: np.ndarray = np.sqrt(np.concatenate(rows)).astype(np.float32)
        return found


def occupancy(x: Float[np.ndarray, "n 3 k"], cells: int = CELLS) -> Float[np.ndarray, "n d"]:
    """The share of a cloud's points in each cell of a grid over [-1, 1], x slowest."""
    at = np.clip((x + 1) / 2 * cells, 0, cells - 1).astype(np.int64)  # (n, 3, k)
    cell = (at[:, 0] * cells + at[:, 1]) * cells + at[:, 2]  # (n, k)
    n, size = len(x), cells**3
    counts = np.bincount((np.arange(n)[:, None] * size + cell).ravel(), minlength=n * size)
    shares: np.ndarray = counts.reshape(n, size) / x.shape[2]
    return shares


def distances(x: Float[np.ndarray, "n 3 k"], bands: int = BANDS) -> Float[np.ndarray, "n bands"]:
    """The share of pairs of points in each band of distances from 0 to 2; of large clouds, 512 points are taken."""
    some = x[:, :, :: max(1, x.shape[2] // 512)]
    found = np.empty((len(x), bands))
    for place, cloud in enumerate(some):
        squares = np.square(cloud).sum(0)
        apart = np.sqrt((squares[:, None] + squares - 2 * cloud.T @ cloud).clip(min=0))
        found[place] = np.histogram(apart, bins=bands, range=(0, 2))[0] / apart.size
    return found


def _clouds(data: Any) -> Any:
    """Clouds of an array or tensor `(n, k, 3)`, or of a list of arrays `(k_i, 3)`.

    Raises:
        ValueError: they are none.
    """
    found: Any
    if isinstance(data, list | tuple):
        found = [_numbers(one) for one in data]
        wrong = next((i for i, one in enumerate(found) if one.ndim != 2 or one.shape[1] != 3), None)
        if wrong is not None or not found:
            came = f"cloud {wrong} has shape {found[wrong].shape}" if wrong is not None else "none came"
            raise ValueError(f"a list of clouds must hold arrays (points, 3); {came}.")
        return found
    found = _numbers(data)
    if found.ndim != 3 or found.shape[2] != 3 or 0 in found.shape:
        hint = " Exchange its last two axes." if found.ndim == 3 and found.shape[1] == 3 else ""
        raise ValueError(f"clouds must be an array (n, points, 3); got shape {found.shape}.{hint}")
    return found


def _numbers(data: Any) -> np.ndarray:
    array = data.detach().cpu().numpy() if hasattr(data, "detach") else np.asarray(data)
    if array.dtype.kind not in "buif":
        raise ValueError(f"clouds must be numbers; got dtype {array.dtype}. Give arrays (points, 3).")
    return array
