"""Scenes in PASCAL VOC's layout: a folder with `Annotations`, `JPEGImages` and `SegmentationClass`.

References: Everingham et al., IJCV 2010. http://host.robots.ox.ac.uk/pascal/VOC/
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from replearn.data.reasons import reason_of
from replearn.data.scene_files import Found, Unusable, check_scene_size, inside, read_mask
from replearn.data.scene_samples import Scenes

VOC = (
    *(
        "aeroplane",
        "bicycle",
        "bird",
        "boat",
        "bottle",
        "bus",
        "car",
        "cat",
        "chair",
        "cow",
        "diningtable",
        "dog",
    ),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
LARGEST_XML = 2**22  # bytes


def read_voc(
    folder: str | Path,
    *,
    part: str | None = None,
    size: int = 96,
    masks: bool = False,
    classes: Sequence[str] | None = None,
    strict: bool = False,
) -> Scenes:
    """Scenes of a folder in PASCAL VOC's layout: `Annotations/*.xml`, `JPEGImages`, `SegmentationClass`.

    Args:
        folder: that of a year, `VOC2012` say.
        part: a list of names in `ImageSets/Main` (`ImageSets/Segmentation`, with masks), `train` or `val` say; None:
            all that have annotations.
        size: pixels of the square scenes.
        masks: read those of `SegmentationClass` too; images without one are left out.
        classes: names in order; None: VOC's twenty, or if the files name others, these by alphabet.
        strict: raise where anything must be left out.

    Raises:
        ValueError: the folder is not as it must be, or nothing in it can be read.

    References: Everingham et al., IJCV 2010. http://host.robots.ox.ac.uk/pascal/VOC/
    """
    path = Path(folder).expanduser()
    check_scene_size(size)
    for name in ("Annotations", "JPEGImages"):
        if not (path / name).is_dir():
            raise ValueError(f"{path} must be in PASCAL VOC's layout, with a folder {name}; it has none.")
    stems = sorted(file.stem for file in (path / "Annotations").glob("*.xml"))
    if part is not None:
        stems = _listed(path / "ImageSets" / ("Segmentation" if masks else "Main") / f"{part}.txt")
    found = Found(size)
    told: dict[str, Element] = {}
    for stem in stems:
        try:
            told[stem] = parse_xml((path / "Annotations" / f"{stem}.xml").read_bytes())
        except (OSError, Unusable) as error:
            found.skipped.append((f"{stem}.xml", getattr(error, "strerror", None) or str(error)))
    if classes is None:
        names = {each.findtext("name", "").strip() for root in told.values() for each in root.iter("object")}
        classes = VOC if names <= set(VOC) else tuple(sorted(names))
    for stem, root in told.items():
        objects = _voc_objects(root, tuple(classes), stem, found.skipped)
        file = inside(path / "JPEGImages", root.findtext("filename", "").strip() or f"{stem}.jpg")
        if file is None:
            found.skipped.append((f"{stem}.xml", "names an image outside JPEGImages"))
            continue
        mask = path / "SegmentationClass" / f"{stem}.png"
        paint = partial(read_mask, mask, number=len(classes)) if masks else None
        found.add(stem, file, objects, mask=paint)
    return found.scenes(path, classes, boxes=True, strict=strict)


def parse_xml(data: bytes) -> Element:
    """The root of an XML file without a document type: no entity is defined, so none expands.

    Raises:
        Unusable: it is no such file.
    """
    if len(data) > LARGEST_XML:
        raise Unusable(f"has {len(data):,} bytes, over the limit of {LARGEST_XML:,}")
    builder, parser = TreeBuilder(), expat.ParserCreate()

    def refuse(*_: Any) -> None:
        raise Unusable("has a document type (<!DOCTYPE>), which is not read: it may define entities")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, AssertionError, ValueError) as error:
        raise Unusable(f"is no XML: {reason_of(error, 80)}") from error


def _voc_objects(
    root: Element, classes: Sequence[str], stem: str, skipped: list[tuple[str, str]]
) -> list[tuple[list[float], int]]:
    objects = []
    for number, each in enumerate(root.iter("object")):
        name = each.findtext("name", "").strip()
        try:
            # The first pixel is 1 there, and the last one belongs to the box.
            left, top, right, bottom = (
                float(each.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax")
            )
            objects.append(([left - 1, top - 1, right, bottom], classes.index(name)))
        except ValueError:
            reason = (
                "has no box of four numbers"
                if name in classes
                else f"is of a class {name!r:.40} that is not among the classes given"
            )
            skipped.append((f"{stem}.xml, object {number}", reason))
    return objects


def _listed(path: Path) -> list[str]:
    if not path.is_file():
        raise ValueError(f"part must be a list of names in {path.parent}; {path.name} is not there.")
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if line.split() and "/" not in line and "\\" not in line]
