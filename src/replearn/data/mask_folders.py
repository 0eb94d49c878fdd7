"""Scenes in two folders, one of images and one of masks."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from replearn.data.scene_files import Found, check_scene_size, read_mask
from replearn.data.scene_samples import Scenes
from replearn.data.sources import is_image_name


def read_masks(
    images: str | Path, masks: str | Path, *, classes: Sequence[str], size: int = 96, strict: bool = False
) -> Scenes:
    """Scenes of two folders: an image and the mask of the same name, whatever their endings.

    A mask holds a number per pixel, grey or by palette: 0 the ground, 1 the first class, ..., 255 unknown.

    Args:
        images, masks: the folders.
        classes: names of the classes, of number 1 first.
        size: pixels of the square scenes.
        strict: raise where anything must be left out.

    Raises:
        ValueError: a folder is not there, or nothing in them can be read.
    """
    folder, others = Path(images).expanduser(), Path(masks).expanduser()
    check_scene_size(size)
    for path in (folder, others):
        if not path.is_dir():
            raise ValueError(f"{path} must be a folder of images; there is none. Look at the path.")
    by_stem = {file.stem: file for file in sorted(others.iterdir()) if is_image_name(file.name)}
    found = Found(size)
    for file in sorted(folder.iterdir()):
        if not is_image_name(file.name):
            continue
        if file.stem not in by_stem:
            found.skipped.append((file.name, "has no mask of its name"))
            continue
        found.add(file.name, file, mask=partial(read_mask, by_stem[file.stem], number=len(classes)))
    return found.scenes(folder, classes, boxes=False, strict=strict)
