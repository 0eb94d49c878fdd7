"""Scenes in COCO's format, and predictions as COCO's evaluation reads them.

References: Lin et al., ECCV 2014; https://cocodataset.org/#format-data. https://arxiv.org/abs/1405.0312
"""

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8

from replearn.data.coco_masks import mask_of, runs_of
from replearn.data.scene_files import Found, Unusable, check_scene_size, inside
from replearn.data.scene_samples import VOID, Scenes

Row = Mapping[str, Any]


def read_coco(
    annotations: str | Path,
    images: str | Path,
    *,
    size: int = 96,
    masks: bool = False,
    classes: Sequence[str] | None = None,
    strict: bool = False,
) -> Scenes:
    """Scenes of a file in COCO's format and the folder of its images.

    Boxes of crowds (`iscrowd`) are left out; in masks they are unknown.

    Args:
        annotations: JSON with `images`, `annotations` and `categories`.
        images: the folder in which each `file_name` lies.
        size: pixels of the square scenes; images keep their shape within.
        masks: paint masks of the segmentations (polygons or runs), small objects over large ones.
        classes: names in order, so that scenes agree with others; None: the categories, by their number.
        strict: raise where anything must be left out.

    Raises:
        ValueError: the file is not as it must be, or nothing in it can be read.

    References: https://cocodataset.org/#format-data
    """
    path, folder = Path(annotations).expanduser(), Path(images).expanduser()
    content = _coco_content(path)
    check_scene_size(size)
    named = {
        row["id"]: row["name"]
        for row in sorted(content["categories"], key=lambda row: str(row["id"]).zfill(12))
    }
    classes = tuple(dict.fromkeys(named.values())) if classes is None else tuple(classes)
    found = Found(size)
    by_image: dict[Any, list[Row]] = {row["id"]: [] for row in content["images"]}
    for number, row in enumerate(content["annotations"]):
        reason = _fault_of(row, by_image, named, classes)
        if reason:
            found.skipped.append((f"annotation {number}", reason))
        else:
            by_image[row["image_id"]].append(row)
    for row in content["images"]:
        own = by_image[row["id"]]
        objects = [
            (_corners(each["bbox"]), classes.index(named[each["category_id"]]))
            for each in own
            if not each.get("iscrowd")
        ]
        paint = partial(_painted, own, named=named, classes=classes) if masks else None
        file = inside(folder, row["file_name"])
        if file is None:
            found.skipped.append((str(row["file_name"]), "lies outside the folder of images"))
            continue
        found.add(row["file_name"], file, objects, mask=paint, said=(row.get("width"), row.get("height")))
    return found.scenes(path, classes, boxes=True, strict=strict)


def write_coco(
    path: str | Path,
    found: Sequence[Mapping[str, Any]] | UInt8[np.ndarray, "n h w"],
    scenes: Scenes,
    *,
    like: str | Path | None = None,
) -> int:
    """Write predictions as COCO's evaluation reads them, in the pixels of the files the scenes came from.

    Args:
        path: of the JSON to write.
        found: what `Detector.predict` or `Segmenter.predict` returned for the scenes. Of a mask each class becomes one
            entry, in runs, with score 1.
        scenes: that were asked about.
        like: a file in COCO's format, by whose numbers images and categories are told; None: they count from 1.

    Returns:
        How many entries were written.

    Raises:
        ValueError: there are not as many predictions as scenes, or `like` lacks an image or a class.
    """
    if len(found) != len(scenes):
        raise ValueError(f"found must be one per scene; got {len(found)} for {len(scenes)} scenes.")
    images, categories = _numbers(scenes, like)
    entries: list[dict[str, Any]] = []
    for place, (of, number) in enumerate(zip(found, images, strict=True)):
        frame = _frame(scenes, place)
        if isinstance(of, np.ndarray):
            told = _mask_entries(of, frame, categories)
        else:
            told = _box_entries(of, frame, categories)
        entries += [{"image_id": number} | entry for entry in told]
    Path(path).expanduser().write_text(json.dumps(entries) + "\n", encoding="utf-8")
    return len(entries)


def _box_entries(
    of: Mapping[str, Any], frame: tuple[int, int, int, int], categories: Sequence[Any]
) -> list[dict[str, Any]]:
    width, height, *inner = frame
    ratios = np.array([width / inner[0], height / inner[1]] * 2)
    boxes = np.clip(np.asarray(of["boxes"], np.float64).reshape(-1, 4) * ratios, 0, [width, height] * 2)
    return [
        {
            "category_id": categories[int(label)],
            "bbox": [round(float(v), 3) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1])],
            "score": round(float(score), 5),
        }
        for box, label, score in zip(boxes, of["labels"], of["scores"], strict=True)
    ]


def _mask_entries(
    mask: UInt8[np.ndarray, "h w"], frame: tuple[int, int, int, int], categories: Sequence[Any]
) -> list[dict[str, Any]]:
    from PIL import Image

    width, height, *inner = frame
    whole = np.asarray(
        Image.fromarray(mask[: inner[1], : inner[0]]).resize((width, height), Image.Resampling.NEAREST)
    )
    return [
        {"category_id": categories[c - 1], "segmentation": runs_of(whole == c), "score": 1.0}
        for c in np.unique(whole).tolist()
        if 0 < c <= len(categories)
    ]


def _frame(scenes: Scenes, place: int) -> tuple[int, int, int, int]:
    if scenes.frames is None:
        height, width = scenes.shape[1:]
        return width, height, width, height
    width, height, *inner = (int(v) for v in scenes.frames[place])
    return width, height, inner[0], inner[1]


def _numbers(scenes: Scenes, like: str | Path | None) -> tuple[list[Any], list[Any]]:
    if like is None:
        return list(range(1, len(scenes) + 1)), list(range(1, len(scenes.classes) + 1))
    content = _coco_content(Path(like).expanduser())
    images = {row["file_name"]: row["id"] for row in content["images"]}
    categories = {row["name"]: row["id"] for row in content["categories"]}
    missing = [name for name in scenes.names or [""] if name not in images] + [
        name for name in scenes.classes if name not in categories
    ]
    if missing:
        raise ValueError(f"{like} must name each image and class of the scenes; {missing[0]!r} is not there.")
    return [images[name] for name in scenes.names or ()], [categories[name] for name in scenes.classes]


def _coco_content(path: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(
            f"{path} must be a JSON file in COCO's format; it can't be read ({error!s:.80})."
        ) from error
    wanted = {"images": ("id", "file_name"), "annotations": (), "categories": ("id", "name")}
    for part, keys in wanted.items():
        rows = content.get(part) if isinstance(content, dict) else None
        whole = isinstance(rows, list) and all(
            isinstance(row, dict) and all(isinstance(row.get(key), int | str) for key in keys) for row in rows
        )
        if not whole:
            told = f", each with {' and '.join(keys)}" if keys else ""
            raise ValueError(f"{path} must be in COCO's format, with a list of {part}{told}; it is not.")
    return content  # type: ignore[no-any-return]


def _fault_of(
    row: Row, images: Mapping[Any, Any], named: Mapping[Any, str], classes: Sequence[str]
) -> str | None:
    try:
        if row["image_id"] not in images:
            return f"is of image {row['image_id']!r:.40}, which is not listed"
        if row["category_id"] not in named:
            return f"is of category {row['category_id']!r:.40}, which is not listed"
    except (KeyError, TypeError):
        return "names no image or category"
    if named[row["category_id"]] not in classes:
        return f"is of a class {named[row['category_id']]!r:.40} that is not among the classes given"
    box = row.get("bbox")
    numbers = (
        isinstance(box, list)
        and len(box) == 4
        and all(isinstance(v, int | float) and math.isfinite(v) for v in box)
    )
    return None if numbers else "has no bbox of four numbers"


def _corners(box: Sequence[float]) -> list[float]:
    left, top, width, height = box
    return [left, top, left + width, top + height]


def _painted(
    rows: Sequence[Row], height: int, width: int, *, named: Mapping[Any, str], classes: Sequence[str]
) -> UInt8[np.ndarray, "h w"]:
    seen = np.zeros((height, width), np.uint8)
    parts: list[tuple[Bool[np.ndarray, "h w"], int]] = []
    for row in rows:
        try:
            own = mask_of(row.get("segmentation"), height, width)
        except ValueError as error:
            raise Unusable(f"has a segmentation that {error}") from error
        parts.append((own, VOID if row.get("iscrowd") else 1 + classes.index(named[row["category_id"]])))
    for own, value in sorted(parts, key=lambda part: (part[1] != VOID, -int(part[0].sum()))):
        seen[own] = value
    return seen
