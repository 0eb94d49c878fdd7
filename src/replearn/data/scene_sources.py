"""Scenes by a name or a path, whatever form they have there.

scenes, scenes:train, scenes:test      drawn by make_scenes
boxes.json                             COCO's format, its images beside it or in a folder of their own
VOC2012/, VOC2012:train                PASCAL VOC's folders, or a part that they list
images/ with a folder of masks         images and masks of the same names
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from replearn.data.coco import read_coco
from replearn.data.mask_folders import read_masks
from replearn.data.scene_samples import Scenes
from replearn.data.scenes import make_scenes
from replearn.data.voc import read_voc

DRAWN = "scenes"
DRAWN_PARTS = {"train": (200, 0), "test": (300, 2_000)}  # how many, and their seed


def as_scenes(
    data: str | Path,
    *,
    masks: bool = False,
    images: str | Path | None = None,
    mask_folder: str | Path | None = None,
    classes: Sequence[str] = (),
    size: int | None = None,
) -> Scenes:
    """The scenes called `data`.

    Args:
        data: `scenes` (or a part of them), a .json file of COCO's format, a folder of PASCAL VOC's (or `FOLDER:part`),
            or a folder of images.
        masks: read masks, too, where there are boxes and masks.
        images: the folder of the images of a .json file, if they don't lie beside it.
        mask_folder: the masks of a folder of images.
        classes: their names, in order; a folder of images needs them.
        size: pixels a side of the scenes, if not 64 of `scenes` and 96 of files.

    Raises:
        ValueError: there are none, they can't be read, or an argument is not of such scenes.

    >>> as_scenes("scenes:train")
    <Scenes: 200 scenes, 3 x 64 x 64 each; 8 classes; 497 boxes; masks>
    """
    path = Path(data).expanduser()
    how: dict[str, Any] = {} if size is None else {"size": size}
    named = how | ({"classes": tuple(classes)} if classes else {})
    name, _, part = str(data).partition(":")
    drawn = name == DRAWN and not path.exists()
    _check_given(str(data), images=images if drawn or path.suffix != ".json" else None)
    if mask_folder is None or drawn:
        _check_given(str(data), masks=mask_folder)
        if drawn:
            return _drawn(part, named)
        if path.suffix == ".json":
            return read_coco(path, images or path.parent, masks=masks, **named)
        folder, listed = (path, None) if path.exists() else _with_part(path)
        if (folder / "Annotations").is_dir():
            return read_voc(folder, part=listed, masks=masks, **named)
    elif path.is_dir() and not (path / "Annotations").is_dir():
        if not classes:
            raise ValueError(
                f"classes must name what the masks of {path} hold, number 1 first; got none. Give --classes."
            )
        return read_masks(path, mask_folder, **named)
    else:
        _check_given(str(data), masks=mask_folder)
    raise ValueError(
        f"data must be {DRAWN}, a .json file of COCO's format, a folder of PASCAL VOC's (with Annotations in it), or "
        f"a folder of images with one of masks (--masks); got {str(data)!r}. Look at the path."
    )


def _drawn(part: str, how: dict[str, Any]) -> Scenes:
    if part not in DRAWN_PARTS:
        raise ValueError(
            f"a part of {DRAWN} must be {' or '.join(DRAWN_PARTS)}; got {part!r}. Write {DRAWN}:train."
        )
    number, seed = DRAWN_PARTS[part]
    return make_scenes(number, random_state=seed, split=part, **how)  # type: ignore[arg-type]


def _with_part(path: Path) -> tuple[Path, str | None]:
    """Folder and part of `FOLDER:part`."""
    name, colon, part = path.name.rpartition(":")
    return (path.with_name(name), part) if colon and name else (path, None)


def _check_given(data: str, **given: Any) -> None:
    """Raises ValueError where a folder is named that such scenes have not."""
    of = {
        "images": "the images of a .json file of COCO's format",
        "masks": "the masks of a folder of images",
    }
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{name} must name {of[name]}; got {value} for {data}. Leave it out.")
