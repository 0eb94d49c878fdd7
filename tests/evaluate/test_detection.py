"""Average precision and mIoU against slow loops."""

import numpy as np
import pytest

from replearn.evaluate.detection import COCO, average_precision, detection_by_index, detection_scores
from replearn.evaluate.segmentation import pixel_confusion, segmentation_by_index, segmentation_scores


def scene(rng, *, number, classes=3, scores=False):
    corner = rng.integers(0, 8, size=(number, 2))
    boxes = np.concatenate([corner, corner + rng.integers(1, 6, size=(number, 2))], axis=1).astype(float)
    found = {"boxes": boxes, "labels": rng.integers(0, classes, size=number)}
    return found | ({"scores": rng.integers(0, 9, size=number) / 8} if scores else {})


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def slow(found, truth, label, threshold):
    """The definition, box by box."""
    rows, number = [], 0
    for said, true in zip(found, truth, strict=True):
        goals = [box for box, of in zip(true["boxes"], true["labels"], strict=True) if of == label]
        number += len(goals)
        own = [i for i, of in enumerate(said["labels"]) if of == label]
        taken = set()
        for i in sorted(own, key=lambda i: -said["scores"][i]):
            best, at = threshold, None
            for g, goal in enumerate(goals):
                if g not in taken and overlap(said["boxes"][i], goal) >= best:
                    best, at = overlap(said["boxes"][i], goal), g
            if at is not None:
                taken.add(at)
            rows.append((said["scores"][i], at is not None))
    rows.sort(key=lambda row: -row[0])
    points, hits = [], 0
    for rank, (_, right) in enumerate(rows, start=1):
        hits += right
        points.append((hits / number, hits / rank))
    total = 0.0
    for recall in np.linspace(0, 1, 101):
        total += max((precision for at, precision in points if at >= recall), default=0.0)
    return total / 101


def test_average_precision_is_the_definition():
    rng = np.random.default_rng(0)
    for _ in range(5):
        truth = [scene(rng, number=rng.integers(0, 5)) for _ in range(12)]
        found = [scene(rng, number=rng.integers(0, 9), scores=True) for _ in range(12)]
        # Some are nearly right, or right twice.
        for said, true in zip(found, truth, strict=True):
            said["boxes"] = np.concatenate([said["boxes"], true["boxes"], true["boxes"][:1] + 0.1])
            said["labels"] = np.concatenate([said["labels"], true["labels"], true["labels"][:1]])
            said["scores"] = np.concatenate(
                [said["scores"], rng.random(len(true["labels"])), true["labels"][:1] * 0 + 0.4]
            )
        for label, row in average_precision(found, truth).items():
            expected = [slow(found, truth, label, threshold) for threshold in COCO]
            np.testing.assert_allclose(row, expected, atol=1e-12)


def test_closed_forms():
    rng = np.random.default_rng(1)
    truth = [scene(rng, number=3) for _ in range(4)]
    right = [of | {"scores": np.ones(3)} for of in truth]
    none = [{"boxes": np.empty((0, 4)), "labels": np.empty(0, int), "scores": np.empty(0)}] * 4
    assert detection_scores(right, truth) == {"ap": 1.0, "ap50": 1.0, "ap75": 1.0}
    assert detection_scores(none, truth) == {"ap": 0.0, "ap50": 0.0, "ap75": 0.0}
    # One of two found, nothing wrong: precision 1 up to recall .5.
    two = [{"boxes": np.array([[0, 0, 2, 2], [5, 5, 9, 9]]), "labels": np.array([0, 0])}]
    one = [{"boxes": np.array([[0, 0, 2, 2]]), "labels": np.array([0]), "scores": np.array([0.3])}]
    assert detection_scores(one, two)["ap"] == pytest.approx(51 / 101)
    wrong_class = [of | {"labels": of["labels"] + 10} for of in right]
    assert detection_scores(wrong_class, truth)["ap"] == 0


def test_a_box_found_twice_counts_once():
    truth = [{"boxes": np.array([[0, 0, 4, 4.0]]), "labels": np.array([0])}]
    twice = [
        {"boxes": np.array([[0, 0, 4, 4.0]] * 2), "labels": np.array([0, 0]), "scores": np.array([0.9, 0.8])}
    ]
    assert detection_scores(twice, truth)["ap"] == 1.0  # the second lies beyond full recall
    first = [{**twice[0], "boxes": np.array([[9, 9, 10, 10], [0, 0, 4, 4.0]])}]
    assert detection_scores(first, truth)["ap"] == pytest.approx(0.5)


def test_what_cannot_be_scored_is_refused():
    empty = {"boxes": np.empty((0, 4)), "labels": np.empty(0, int), "scores": np.empty(0)}
    with pytest.raises(ValueError, match="of the same images"):
        average_precision([empty], [])
    with pytest.raises(ValueError, match="at least one box"):
        average_precision([empty], [empty])


def test_miou_is_the_definition():
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 4, size=(2, 3, 8, 8)).astype(np.uint8)
    truth[0, 0] = 255
    scores = segmentation_scores(pixel_confusion(found, truth, number=5))
    shares = []
    for c in range(4):
        both = either = 0
        for said, true in zip(found.ravel(), truth.ravel(), strict=True):
            if true != 255:
                both += said == c and true == c
                either += c in (said, true)
        shares.append(both / either)
    assert scores["miou"] == pytest.approx(np.mean(shares))
    assert scores["accuracy"] == pytest.approx((found == truth)[truth != 255].mean())
    with pytest.raises(ValueError, match="shape"):
        pixel_confusion(found, truth[:1], number=5)
    with pytest.raises(ValueError, match=r"classes 0 ... 1"):
        pixel_confusion(found, truth, number=2)
    with pytest.raises(ValueError, match="known pixel"):
        segmentation_scores(np.zeros((2, 2), int))


def test_boxes_of_some_images_score_as_these_images_alone():
    rng = np.random.default_rng(1)
    truth = [scene(rng, number=n) for n in (3, 0, 2, 4)]
    found = [
        scene(rng, number=6, scores=True) | {"boxes": true["boxes"][[0] * 6]}
        if len(true["boxes"])
        else scene(rng, number=2, scores=True)
        for true in truth
    ]
    scores = detection_by_index(found, truth)
    for index in ([0, 1, 2, 3], [0, 0, 2], [3, 1]):
        assert scores(np.array(index)) == detection_scores(
            [found[i] for i in index], [truth[i] for i in index]
        )
    assert np.isnan(list(scores(np.array([1])).values())).all()  # nothing is to be found there


def test_masks_of_some_images_score_as_these_images_alone():
    rng = np.random.default_rng(1)
    truth, found = rng.integers(0, 3, size=(2, 4, 6, 6)).astype(np.uint8)
    truth[1] = 255
    scores = segmentation_by_index(found, truth, number=3)
    for index in ([0, 1, 2, 3], [0, 0, 2]):
        assert scores(np.array(index)) == segmentation_scores(
            pixel_confusion(found[index], truth[index], number=3)
        )
    assert np.isnan(list(scores(np.array([1])).values())).all()
    with pytest.raises(ValueError, match="one per true one"):
        segmentation_by_index(found[:2], truth, number=3)
