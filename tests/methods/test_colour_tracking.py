"""ColourTracking: what makes it what it is; and labels that are carried along."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import replearn
from made_clips import made_clips
from replearn.data.samples import Batch
from replearn.data.videos import bouncing
from replearn.evaluate import mask_iou, points_found, propagate, propagate_points
from replearn.methods.exhibit import exhibit_of
from replearn.views import Crop, Pair
from replearn.views.lab import grey, lab
from replearn.views.tracked import Tracked


@pytest.fixture(scope="module")
def clips():
    return made_clips(32, still=False)


def made(samples, **given):
    fields = {"encoder": "cnn", "device": "cpu", "views": Tracked(2), "clusters": 6, "dim": 5} | given
    return replearn.ColourTracking(**fields).prepare(samples)


def test_the_loss_is_that_of_the_papers_equations(clips):
    """Equations 1 to 3: colours of the references, weighed by the softmax of inner products; their cross-entropy."""
    method, batch = made(clips, temperature=0.5), clips[np.arange(2)]
    method.views_ = Tracked(2)
    method.encoder_.eval()
    torch.manual_seed(3)
    found = float(method.loss(batch).detach())
    torch.manual_seed(3)
    first = (torch.rand(2, 1) * 4).long()[:, 0].tolist()
    height, width = method.size_
    places, total = height * width, 0.0
    for clip, start in zip(batch.x.double() / 255, first, strict=True):
        f, c = [], []
        for t in range(start, start + 3):
            frame = clip[:, t][None].float()
            seen = Batch(grey(frame)[:, :, None], labels=torch.tensor([0]), index=torch.tensor([0]))
            f.append(method.embedded(seen)[0].double().flatten(1).T.detach())  # (p, d)
            ab = F.adaptive_avg_pool2d(lab(frame)[:, 1:], (height, width))[0].flatten(1).T
            c.append(torch.cdist(ab, method.clusters_.centres).argmin(1))
        before, own = torch.cat(f[:2]), torch.cat(c[:2])
        for i in range(places):
            scores = [math.exp(float(f[2][i] @ one) / 0.5) for one in before]
            told = [0.0] * 6
            for score, cluster in zip(scores, own.tolist(), strict=True):
                told[cluster] += score / sum(scores)
            told = [max(share, 1e-4) for share in told]
            total -= math.log(told[int(c[2][i])] / sum(told))
    assert found == pytest.approx(total / (2 * places), rel=1e-4)


def test_the_network_sees_no_colour(clips):
    method, seen = made(clips), []
    method.encoder_.register_forward_pre_hook(lambda module, given: seen.append(given[0].x))
    batch = clips[np.arange(3)]
    x = batch.floats().x
    with torch.no_grad():
        method.represent(batch)
        views = method.views_(batch)
    for one in (*seen, views[0].x):
        torch.testing.assert_close(one[:, 0], one[:, 1])
        torch.testing.assert_close(one[:, 0], one[:, 2])
    assert views[0].x.shape == (9, 3, 1, 12, 12)
    # Other colours of the same lightness are represented alike.
    other = grey(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (3, 6)).transpose(1, 2)
    method.encoder_.eval()
    with torch.no_grad():
        one, two = method.represent(batch.with_x(x)), method.represent(batch.with_x(other))
    torch.testing.assert_close(one, two, atol=1e-3, rtol=1e-3)
    assert one.shape == (3, method.representation_dim)


def test_references_come_before_the_frame_that_is_coloured(clips):
    x = torch.arange(8.0).view(1, 1, 8, 1, 1).expand(60, 3, 8, 2, 2) / 8
    batch = Batch(x.contiguous(), torch.zeros(60).long(), torch.arange(60))
    torch.manual_seed(0)
    seen, _ = Tracked(3)(batch)
    at = (seen.x[:, 0, 0, 0, 0].view(60, 4) * 8).round()
    assert (at.diff(dim=1) == 1).all()
    assert set(at[:, 0].tolist()) == {0, 1, 2, 3, 4}
    assert (Tracked(3).parts(batch)[0].x[:4, 0, 0, 0, 0] * 8).round().tolist() == [0, 1, 2, 3]


def test_clusters_are_learned_from_the_colours_and_kept(clips, tmp_path):
    method = made(clips)
    centres = method.clusters_.centres
    assert len(centres.unique(dim=0)) > 3
    assert float(method.clusters_.shares.sum()) == pytest.approx(1)
    fitted = replearn.ColourTracking(encoder="cnn", device="cpu", epochs=1, clusters=6, dim=5).fit(clips)
    fitted.save(tmp_path / "run")
    again = replearn.load(tmp_path / "run")
    assert torch.equal(again.clusters_.centres, fitted.clusters_.centres)
    np.testing.assert_array_equal(again.maps(clips), fitted.maps(clips))


def test_the_deepest_map_that_is_fine_enough_is_taken(clips):
    assert [made(clips, stride=stride).size_ for stride in (1, 2, 4)] == [(6, 6), (6, 6), (3, 3)]
    assert [len(made(clips, stride=stride).encoder_.body.stages) for stride in (1, 2, 4)] == [2, 2, 3]
    assert made(clips, encoder="r3d").size_ == (6, 6)
    method, batch = made(clips), clips[np.arange(4)]
    method.loss(batch).backward()
    assert all(
        weights.grad is not None for weights in method.encoder_.parameters()
    )  # nothing is left untrained


@pytest.mark.parametrize(
    ("samples", "given", "says"),
    [
        (made_clips(8), {"views": Pair(Crop(0.5, 1.0))}, r"needs views of grey and colours, Tracked\(...\)"),
        (made_clips(8), {"encoder": "mlp"}, "must be made of stages with maps, .*; got MLP. Use cnn or r3d"),
        (made_clips(8), {"views": Tracked(6)}, "more frames than the 6 references; got 6"),
        (made_clips(8), {"clusters": 1}, "clusters must be at least 2"),
        (made_clips(8), {"stride": 0}, "stride"),
    ],
)
def test_what_cannot_be_tracked_is_refused(samples, given, says):
    with pytest.raises(ValueError, match=says) as raised:
        made(samples, **given)
    assert "\n" not in str(raised.value)


def test_clips_without_colours_are_refused(clips):
    one = replearn.as_samples(clips[np.arange(8)].x[:, :1].numpy().swapaxes(1, 2), kind="video")
    with pytest.raises(ValueError, match="colours are tracked in clips of three channels; got 1"):
        made(one)


def test_what_is_measured_and_shown(clips):
    method = made(clips)
    torch.manual_seed(0)
    found = method.measures(clips[np.arange(32)])
    assert {"pretext_accuracy", "chance", "copied", "moved_accuracy"} <= set(found)
    assert float(found["chance"]) == pytest.approx(float(method.clusters_.shares.max()))
    assert 0.5 < float(found["copied"]) < 1
    shown = exhibit_of(method, clips[np.arange(5)])
    assert list(shown.pictures) == ["before", "grey", "pointed at", "true"]
    x = clips[np.arange(5)].floats().x
    torch.testing.assert_close(shown.pictures["before"], x[:, :, 1:2])
    torch.testing.assert_close(shown.pictures["true"], x[:, :, 2:3])
    made_up = shown.pictures["pointed at"]
    torch.testing.assert_close(lab(made_up[:, :, 0])[:, 0], lab(x[:, :, 2])[:, 0], atol=0.08, rtol=0)


# Labels that are carried along


def maps_of(masks: np.ndarray, *, noise: float = 0.0) -> np.ndarray:
    """Maps in which places of a thing are alike and of others are not, at half the size."""
    small = masks[:, :, ::2, ::2]
    maps = 6 * np.eye(masks.max() + 1)[small].transpose(0, 1, 4, 2, 3)
    return maps + noise * np.random.default_rng(0).normal(size=maps.shape)


def squares_that_move() -> np.ndarray:
    masks = np.zeros((2, 5, 16, 16), np.int64)
    for t in range(5):
        masks[0, t, 2:6, 2 * t : 2 * t + 4] = 1
        masks[0, t, 10:14, 10 - 2 * t : 14 - 2 * t] = 2
        masks[1, t, 2 * t : 2 * t + 4, 4:8] = 1
    return masks


def test_masks_are_carried_by_maps_that_know_the_things():
    masks = squares_that_move()
    found = propagate(maps_of(masks), masks[:, 0])
    assert mask_iou(found, masks).min() > 0.7  # at half the size edges are rounded
    np.testing.assert_array_equal(found[:, 0], masks[:, 0])
    still = np.repeat(masks[:, :1], 5, axis=1)
    assert mask_iou(still, masks)[-1] == 0
    blind = propagate(np.zeros((2, 5, 3, 8, 8)), masks[:, 0])
    assert mask_iou(blind, masks).mean() < 0.3


def test_of_each_place_the_labels_are_those_of_the_papers_sum():
    """Label of place i: sum over the most alike places j before of softmax_j(f_i · f_j / temperature) labels_j."""
    draw = np.random.default_rng(0)
    maps, masks = draw.normal(size=(1, 3, 4, 3, 3)), draw.integers(0, 3, (1, 3, 3))
    f = maps[0].reshape(3, 4, 9)
    labels = [np.eye(3)[masks[0].ravel()]]
    for t in (1, 2):
        seen = list(range(t))
        keys, known = np.concatenate([f[s].T for s in seen]), np.concatenate([labels[s] for s in seen])
        rows = []
        for i in range(9):
            scores = keys @ f[t][:, i] / 0.7
            best = np.argsort(-scores)[:4]
            weights = np.exp(scores[best]) / np.exp(scores[best]).sum()
            rows.append((weights[:, None] * known[best]).sum(0))
        labels.append(np.stack(rows))
    found = propagate(maps, masks, context=1, alike=4, temperature=0.7)
    for t in (1, 2):
        np.testing.assert_array_equal(found[0, t].ravel(), labels[t].argmax(1))


def test_points_are_carried_and_counted():
    middle = np.array([[[0.5, 0.4 + t / 16] for t in range(5)]])[:, :, None]  # (1, t, 1, 2)
    ramp = np.arange(16)
    row, column = np.broadcast_to(ramp[:, None], (16, 16)), np.broadcast_to(ramp, (16, 16))
    maps = np.zeros((1, 5, 2, 16, 16))
    for t in range(5):  # what is seen at a place moves with the thing
        angle = 2 * np.pi * (column - t) / 32
        maps[0, t] = 40 * np.stack([np.cos(angle), np.sin(angle)]) + 0 * row
    tall = np.stack([np.cos(np.pi * row / 16), np.sin(np.pi * row / 16)]) * 40
    maps = np.concatenate([maps, np.broadcast_to(tall, (1, 5, 2, 16, 16))], axis=2)
    found = propagate_points(maps, middle[:, 0], alike=1)
    assert found.shape == (1, 5, 1, 2)
    assert points_found(found, middle, near=0.08).mean() > 0.7
    assert points_found(np.repeat(middle[:, :1], 5, 1), middle, near=0.08)[-1] == 0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"masks": np.zeros((3, 16, 16), int)}, "masks must be those of 2 clips; got 3"),
        ({"alike": 0}, "alike must be at least 1; got 0"),
        ({"temperature": 0.0}, "temperature must be greater than 0; got 0"),
    ],
)
def test_settings_out_of_range_are_refused(given, says):
    masks = squares_that_move()
    with pytest.raises(ValueError, match=says):
        propagate(**{"maps": maps_of(masks), "masks": masks[:, 0]} | given)
    with pytest.raises(ValueError, match="must hold a thing"):
        mask_iou(np.zeros((1, 2, 4, 4), int), np.zeros((1, 2, 4, 4), int))


@pytest.mark.all
def test_tracking_emerges():
    """Masks are carried far better than by an untrained network, and than if nothing moved."""
    train, test = bouncing(400), bouncing(40, random_state=9)
    method = replearn.ColourTracking(device="cpu", epochs=4)
    masks = test.masks.astype(np.int64)

    def scored():
        return mask_iou(propagate(method.maps(test.samples()), masks[:, 0]), masks).mean()

    method.prepare(train.samples())
    before = scored()
    method.fit(train.samples())
    still = mask_iou(np.repeat(masks[:, :1], masks.shape[1], 1), masks).mean()
    assert scored() > max(before, still) + 0.15
