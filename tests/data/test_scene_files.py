"""Scenes in files: COCO, VOC, folders of masks; read as they were written, bad parts named."""

import json
import warnings

import numpy as np
import pytest
from PIL import Image

from replearn.data import DataWarning, Scenes, read_coco, read_masks, read_voc, write_coco
from replearn.data.coco_masks import mask_of, runs_of
from replearn.data.scene_files import Unusable
from replearn.data.scene_samples import VOID
from replearn.data.scene_sources import as_scenes
from replearn.data.voc import VOC, parse_xml

WIDTH, HEIGHT = 64, 32


def picture(path, size=(WIDTH, HEIGHT)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "red").save(path)


def coco(folder, **changes):
    picture(folder / "images" / "a.png")
    content = {
        "images": [{"id": 7, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 90, "name": "dog"}, {"id": 3, "name": "cat"}],
        "annotations": [
            {
                "image_id": 7,
                "category_id": 90,
                "bbox": [10, 4, 20, 8],
                "segmentation": [[10, 4, 30, 4, 30, 12, 10, 12]],
            },
            {
                **{"image_id": 7, "category_id": 3, "bbox": [0, 0, 8, 8], "iscrowd": 1},
                "segmentation": runs_of(np.add.outer(4 * np.arange(HEIGHT), np.arange(WIDTH)) < 8),
            },
        ],
    } | changes
    (folder / "a.json").write_text(json.dumps(content))
    return folder / "a.json", folder / "images"


def test_coco_is_read(tmp_path):
    scenes = read_coco(*coco(tmp_path), size=32, masks=True)
    assert scenes.classes == ("cat", "dog")  # by their numbers
    assert scenes.boxes[0].tolist() == [[5, 2, 15, 6]]  # half the size; the crowd is left out
    assert scenes.box_labels[0].tolist() == [1]
    mask = scenes.masks[0]
    assert (mask[16:] == VOID).all()  # beside the image
    assert (mask[2:6, 5:15] == 2).all()
    assert (mask[0, :2] == VOID).all()  # the crowd
    assert (mask[:16] == 2).sum() == 40


def test_predictions_are_written_in_the_files_own_pixels_and_numbers(tmp_path):
    annotations, images = coco(tmp_path)
    scenes = read_coco(annotations, images, size=32, masks=True)
    found = [{"boxes": np.array([[5, 2, 15, 6.0]]), "labels": np.array([1]), "scores": np.array([0.5])}]
    assert write_coco(tmp_path / "out.json", found, scenes, like=annotations) == 1
    assert json.loads((tmp_path / "out.json").read_text()) == [
        {"image_id": 7, "category_id": 90, "bbox": [10, 4, 20, 8], "score": 0.5}
    ]
    assert write_coco(tmp_path / "out.json", np.where(scenes.masks == 2, 2, 0).astype(np.uint8), scenes) == 1
    (entry,) = json.loads((tmp_path / "out.json").read_text())
    assert (entry["image_id"], entry["category_id"]) == (1, 2)
    assert mask_of(entry["segmentation"], HEIGHT, WIDTH)[4:12, 10:30].all()
    with pytest.raises(ValueError, match="one per scene"):
        write_coco(tmp_path / "out.json", [], scenes)


def test_bad_parts_of_coco_are_counted_and_named(tmp_path):
    rows = [
        {"image_id": 7, "category_id": 90, "bbox": [10, 4, 20, 8]},
        {"image_id": 8, "category_id": 90, "bbox": [1, 1, 2, 2]},
        {"image_id": 7, "category_id": 5, "bbox": [1, 1, 2, 2]},
        {"image_id": 7, "category_id": 90, "bbox": [1, 1, None, 2]},
        {"image_id": 7, "category_id": 90, "bbox": [100, 1, 5, 5]},
        {"image_id": [7]},
    ]
    files = [{"id": 7, "file_name": "a.png"}]
    files += [{"id": 1, "file_name": "none.png"}, {"id": 2, "file_name": "../../a.png"}]
    annotations, images = coco(tmp_path, annotations=rows, images=files)
    with pytest.warns(DataWarning, match=r"7 left out, the first: annotation 1 is of image 8"):
        scenes = read_coco(annotations, images, size=32)
    assert len(scenes) == 1
    assert len(scenes.boxes[0]) == 1
    assert ("../../a.png", "lies outside the folder of images") in scenes.skipped
    with pytest.raises(ValueError, match="strict"):
        read_coco(annotations, images, size=32, strict=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": None}, "with a list of images, each with id and file_name"),
        ({"categories": [{"id": 1}]}, "a list of categories"),
        ({"images": [{"id": 7, "file_name": "a.png", "width": 5, "height": HEIGHT}]}, "listed as 5 x 32"),
    ],
)
def test_what_is_no_coco_is_refused(changes, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        read_coco(*coco(tmp_path, **changes), size=32)


def test_a_text_of_runs_is_cocos():
    # Runs [6, 1, 40, 4, 5, 4, 5, 4, 21] as COCO's tools write them, worked out by hand.
    assert runs_told("61X13mN000`0") == [6, 1, 40, 4, 5, 4, 5, 4, 21]
    with pytest.raises(ValueError, match="not COCO's"):
        runs_told("\x00")
    with pytest.raises(ValueError, match="ends within"):
        runs_told("6`")


def runs_told(text):
    from replearn.data.coco_masks import _unpacked

    return _unpacked(text)


def test_runs_come_back():
    rng = np.random.default_rng(0)
    for share in (0, 0.3, 1):
        mask = rng.random((7, 5)) < share
        assert (mask_of(runs_of(mask), 7, 5) == mask).all()
    for wrong in (
        {"size": [7, 5], "counts": [3]},
        {"size": [5, 7], "counts": [35]},
        [[1, 2]],
        None,
        {"counts": [-1, 36]},
    ):
        with pytest.raises(ValueError, match=r"has|is"):
            mask_of(wrong, 7, 5)


def voc(folder, box=(11, 5, 30, 12), name="dog", head=""):
    picture(folder / "JPEGImages" / "a.png")
    (folder / "Annotations").mkdir(exist_ok=True)
    (folder / "SegmentationClass").mkdir(exist_ok=True)
    sides = "".join(
        f"<{side}>{v}</{side}>" for side, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    xml = f"{head}<annotation><filename>a.png</filename><object><name>{name}</name><bndbox>{sides}</bndbox></object>"
    (folder / "Annotations" / "a.xml").write_text(f"{xml}</annotation>")
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[4:12, 10:30], mask[0] = 12, VOID
    Image.fromarray(mask).convert("P").save(folder / "SegmentationClass" / "a.png")
    return folder


def test_voc_is_read(tmp_path):
    scenes = read_voc(voc(tmp_path), size=32, masks=True)
    assert scenes.classes == VOC
    assert scenes.boxes[0].tolist() == [[5, 2, 15, 6]]  # its first pixel is 1
    assert scenes.box_labels[0].tolist() == [VOC.index("dog")]
    assert (scenes.masks[0, 2:6, 5:15] == 1 + VOC.index("dog")).all()
    assert read_voc(voc(tmp_path, name="newt"), size=32).classes == ("newt",)


def test_parts_of_voc_are_lists(tmp_path):
    voc(tmp_path)
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Main" / "val.txt").write_text("a 1\n../a\nb\n")
    with pytest.warns(DataWarning, match=r"1 left out, the first: b.xml No such file"):
        assert len(read_voc(tmp_path, part="val", size=32)) == 1
    with pytest.raises(ValueError, match="part must be a list"):
        read_voc(tmp_path, part="train", size=32)


def test_entities_never_expand(tmp_path):
    bomb = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]>'
    with pytest.raises(ValueError, match="document type"):
        read_voc(voc(tmp_path, head=bomb, name="&y;"), size=32)
    for bad in (b"<a>&y;</a>", b"<a>", b"", b"\xff\xfe"):
        with pytest.raises(Unusable, match="no XML"):
            parse_xml(bad)
    assert parse_xml(b"<a>&lt;</a>").text == "<"


def test_folders_of_masks_are_read(tmp_path):
    for name in ("a", "b", "c"):
        picture(tmp_path / "images" / f"{name}.png")
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.full((HEIGHT, WIDTH), 1, np.uint8)).save(tmp_path / "masks" / "a.png")
    picture(tmp_path / "masks" / "b.png")
    with pytest.warns(DataWarning, match="2 left out, the first: b.png has a mask of mode RGB"):
        scenes = read_masks(tmp_path / "images", tmp_path / "masks", classes=["wall"], size=32)
    assert len(scenes) == 1
    assert scenes.boxes is None
    assert (scenes.masks[0, :16] == 1).all()
    with pytest.raises(ValueError, match="at least one scene"):
        read_masks(tmp_path / "images", tmp_path / "masks", classes=[], size=32)
    with pytest.raises(ValueError, match="multiple of 32"):
        read_masks(tmp_path / "images", tmp_path / "masks", classes=["wall"], size=33)


def test_nothing_warns_where_all_is_well(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(read_coco(*coco(tmp_path), size=32), Scenes)


def test_scenes_are_found_by_what_lies_there(tmp_path):
    annotations, images = coco(tmp_path / "coco")
    assert as_scenes(annotations, images=images, size=32).classes == ("cat", "dog")
    beside = images / "a.json"
    annotations.rename(beside)
    assert as_scenes(beside, masks=True, classes=["dog", "cat"], size=32).masks is not None
    year = voc(tmp_path / "VOC")
    (year / "ImageSets" / "Main").mkdir(parents=True)
    (year / "ImageSets" / "Main" / "val.txt").write_text("a\n")
    assert len(as_scenes(year, size=32)) == len(as_scenes(f"{year}:val", size=32)) == 1
    folders = {"mask_folder": year / "SegmentationClass", "classes": VOC}
    assert as_scenes(year / "JPEGImages", **folders, size=32).masks is not None
    assert as_scenes("scenes:test", size=96, classes=["ring"]).shape == (3, 96, 96)


@pytest.mark.parametrize(
    ("data", "more", "words"),
    [
        ("scenes", {}, "a part of scenes must be train or test; got ''"),
        ("scenes:train", {"images": "x"}, "images must name .* got x for scenes:train"),
        ("scenes:train", {"mask_folder": "x"}, "masks must name .* got x for scenes:train"),
        ("VOC", {"images": "x"}, "images must name"),
        ("VOC", {"mask_folder": "x"}, "masks must name"),
        ("VOC/JPEGImages", {}, "a folder of images with one of masks"),
        ("VOC/JPEGImages", {"mask_folder": "VOC/SegmentationClass"}, "Give --classes"),
        ("VOC:val", {}, "val.txt is not there"),
        ("nowhere", {}, "got 'nowhere'"),
        ("nowhere.json", {}, "can't be read"),
    ],
)
def test_what_is_no_scenes_is_one_line(data, more, words, tmp_path, monkeypatch):
    voc(tmp_path / "VOC")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=words) as told:
        as_scenes(data, **more)
    assert "\n" not in str(told.value)
