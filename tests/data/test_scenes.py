"""Generated scenes: by seed, any number, with boxes and masks that agree; and what `Scenes` refuses."""

import numpy as np
import pytest

from replearn.data import Scenes, make_scenes
from replearn.data.scene_samples import VOID


def test_more_scenes_begin_with_the_same_ones():
    few, many = make_scenes(3, random_state=4), make_scenes(300, random_state=4)
    assert (few.x == many.x[:3]).all()
    assert (few.masks == many.masks[:3]).all()
    assert all((a == b).all() for a, b in zip(few.boxes, many.boxes, strict=False))
    assert (few.x != make_scenes(3, random_state=5).x).any()


def test_boxes_are_those_of_what_the_mask_shows():
    scenes = make_scenes(60, size=96, classes=("ring", "face"))
    alone = [i for i, labels in enumerate(scenes.box_labels) if len(labels) == 1]
    assert len(alone) > 5
    for i in alone:
        rows, columns = np.nonzero(scenes.masks[i])
        assert scenes.boxes[i][0].tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert set(scenes.masks[i][rows, columns]) == {1 + scenes.box_labels[i][0]}


def test_emoji_of_the_test_part_are_others():
    # `make_scenes` cuts them out of the fixed split, which is tested where it lives.
    train, test = (make_scenes(40, classes=("face",), split=part) for part in ("train", "test"))
    assert (train.x != test.x).any()
    from replearn.data.scenes import _cut_out

    known = {of.tobytes() for of in _cut_out("animal", "train")}
    assert known.isdisjoint({of.tobytes() for of in _cut_out("animal", "test")})


def test_a_subset_has_its_boxes_and_masks():
    scenes = make_scenes(10)
    part = scenes.subset(np.arange(10) % 2 == 1)
    assert len(part) == 5
    assert (part.masks == scenes.masks[1::2]).all()
    assert [of.tolist() for of in part.boxes] == [of.tolist() for of in scenes.boxes[1::2]]


def test_the_fingerprint_knows_boxes_masks_and_classes():
    scenes = make_scenes(4)
    told = {scenes.fingerprint()}
    for change in ("boxes", "masks", "classes"):
        other = make_scenes(4)
        if change == "boxes":
            other.boxes[0][0, 0] += 1
        elif change == "masks":
            other.masks[0, 0, 0] = VOID
        else:
            other.classes = (*other.classes[:-1], "sun")
        told.add(other.fingerprint())
    assert len(told) == 4


def of(**fields):
    return Scenes(np.zeros((1, 3, 8, 8), np.uint8), classes=["cat"], **fields)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: make_scenes(0), "n must be at least 1"),
        (lambda: make_scenes(1, size=50), "size must be 64 or 96"),
        (lambda: make_scenes(1, classes=("dog",)), "classes must be some of"),
        (lambda: of(boxes=[[[3, 3, 3, 5]]], box_labels=[[0]]), "left < right"),
        (lambda: of(boxes=[[[0, 0, 9, 5]]], box_labels=[[0]]), "left < right <= 8"),
        (lambda: of(boxes=[[[0, 0, 3, 5]]], box_labels=[[1]]), "box_labels must be a class"),
        (lambda: of(boxes=[], box_labels=[]), "must be one per image"),
        (lambda: of(masks=np.full((1, 8, 8), 2, np.uint8)), r"must hold 0 ... 1"),
        (lambda: of(masks=np.zeros((1, 8, 7), np.uint8)), "must be uint8"),
        (of, "boxes or masks"),
    ],
)
def test_what_is_no_scene_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
