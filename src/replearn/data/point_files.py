"""Clouds and meshes in files: read once into the cache, of meshes points of the surface."""

import json
import logging
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from replearn.data.asked import Asked, Found
from replearn.data.cache import ArrayWriter, cached
from replearn.data.folder import StoredNames, refuse_splits
from replearn.data.needed import needed
from replearn.data.points import Counts, PointSamples, Unusable, cloud_of, on_surface
from replearn.data.progress import progress
from replearn.data.reasons import reason_of
from replearn.data.sources import Source, folder_labels, is_hidden
from replearn.data.stored import open_rows
from replearn.data.text_files import hash_of
from replearn.data.told import tell, tell_skipped

log = logging.getLogger("replearn")

SUFFIXES = (".ply", ".obj", ".stl", ".off", ".xyz")
VERSION = 1  # part of the cache's key: raise it when reading changes


def is_cloud_name(name: str) -> bool:
    """Whether a file's ending is that of a cloud or mesh, and neither it nor a folder on the way is hidden."""
    return name.lower().endswith(SUFFIXES) and not is_hidden(name)


def trimesh() -> Any:
    """The package that reads meshes.

    Raises:
        ValueError: it is not installed.
    """
    return needed("trimesh", "files of clouds and meshes need")


def clouds_in_files(source: Source, asked: Asked, *, points: int, up: str) -> Found:
    """The clouds of a folder, zip or list of files.

    Args:
        source: where the files lie; classes are sub-folders.
        asked: of `as_samples`.
        points: of each cloud.
        up: the axis that points up in the files.

    Raises:
        ValueError: no file can be read, the package trimesh is missing, or what `strict` says.
        CacheError: the cache cannot be written.
    """
    trimesh()
    labelled = asked.labels is None
    if labelled:
        refuse_splits(source, "clouds")
    key = hash_of(f"{VERSION} {source.key} {points} {up}")
    entry = cached(f"points-{key}", lambda folder: _build(source, folder, points, up))
    info = json.loads((entry / "info.json").read_text())
    skipped = [(name, reason) for name, reason in info["skipped"]]
    tell_skipped(skipped, "clouds", source.path, of=len(source.names), strict=asked.strict)
    tell(str(source.path), info["lines"], strict=asked.strict)
    log.info("%s: %s", source.path, info["told"])
    rows = open_rows(entry / "points.npy")
    names = StoredNames(entry / "names.json", len(rows))
    samples = PointSamples(rows, up=up, names=names, skipped=skipped)
    numbers, classes = folder_labels(names[:]) if labelled else (None, ())
    own = None if numbers is None else [classes[number] if number >= 0 else None for number in numbers]
    return samples, own, None


def _build(source: Source, folder: Path, points: int, up: str) -> None:
    """Read all files of `source` into `folder`: points.npy, names.json and info.json."""
    counts, names, bad = Counts(), [], []
    with (
        ArrayWriter(
            folder / "points.npy", most=len(source.names), shape=(3, points), dtype=np.float32
        ) as writer,
        progress("reading clouds", len(source.names)) as advance,
    ):
        for place, name in enumerate(source.names):
            try:
                with source.open(place) as file:
                    found = read_cloud(file.read(), name, points, counts)
                writer.append(cloud_of(found, points, up, counts)[None])
                names.append(name)
            except Unusable as error:
                bad.append((name, str(error)))
            except Exception as error:  # what damaged files raise is not documented
                bad.append((name, f"can't be read ({reason_of(error, 100)})"))
            advance(1)
    if not names:
        name, reason = bad[0]
        raise ValueError(
            f"{source.path} must hold at least one cloud or mesh that can be read; none of {len(source.names):,} can. "
            f"The first: {name!r} {reason}."
        )
    (folder / "names.json").write_text(json.dumps(names))
    told = (
        f"{len(names):,} clouds of {points:,} points, {counts.meshes:,} of them drawn from surfaces; "
        f"{up} is taken for up; each is centred and brought to one size"
    )
    info = {"skipped": bad, "lines": counts.told(points), "told": told}
    (folder / "info.json").write_text(json.dumps(info))


def read_cloud(data: bytes, name: str, points: int, counts: Counts) -> Float[np.ndarray, "m 3"]:
    """The points of a cloud in a file; of a mesh, so many of its surface.

    Raises:
        Unusable: it has neither triangles with an area nor points.
        Exception: whatever trimesh raises of a damaged file.
    """
    ending = os.path.splitext(name)[1].lower().removeprefix(".")
    options = {"skip_materials": True} if ending == "obj" else {}
    loaded = trimesh().load_scene(BytesIO(data), file_type=ending, process=False, **options)
    parts = loaded.dump() if len(loaded.geometry) else []
    meshes = [part for part in parts if len(getattr(part, "faces", ()))]
    if not meshes:
        found = [np.asarray(part.vertices) for part in parts if hasattr(part, "vertices")]
        return np.concatenate(found) if found else np.empty((0, 3))
    counts.meshes += 1
    first = np.cumsum([0, *(len(part.vertices) for part in meshes)])
    corners = np.concatenate([np.asarray(part.vertices) for part in meshes])
    faces = np.concatenate(
        [np.asarray(part.faces) + start for part, start in zip(meshes, first[:-1], strict=True)]
    )
    return on_surface(corners, faces, points)
