"""Detectors and segmenters: exact, resumed, loaded, on any encoder; what learns, what stays, what is refused."""

import shutil

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torchvision.models.detection.fcos import FCOS, FCOSHead

from replearn import Detector, Segmenter, SimCLR, load, make_scenes
from replearn.data import Scenes
from replearn.encoders import Encoder, make_encoder
from replearn.engine.signals import Stopped
from replearn.transfer.surgery import Level, Pyramid, levels_read, measure_statistics, with_group_norms

SMALL = {"encoder": "cnn", "width": 16, "device": "cpu", "precision": "32-true"}
MODELS = {"detect": Detector, "segment": Segmenter}
both = pytest.mark.parametrize("cls", MODELS.values(), ids=MODELS)


@pytest.fixture(scope="module")
def scenes():
    return make_scenes(24)


def same(a, b):
    state, other = (nn.ModuleDict(model.modules()).state_dict() for model in (a, b))
    return all(torch.equal(value, other[name]) for name, value in state.items())


def same_answers(model, other, scenes):
    for a, b in zip(model.predict(scenes), other.predict(scenes), strict=True):
        if isinstance(a, dict):
            assert all(np.array_equal(a[name], b[name]) for name in ("boxes", "labels", "scores"))
        else:
            assert np.array_equal(a, b)


@both
def test_the_same_seed_gives_the_same_bits_and_another_one_others(cls, scenes):
    one, two, other = (cls(**SMALL, epochs=1, random_state=seed).fit(scenes) for seed in (1, 1, 2))
    assert same(one, two)
    assert not same(one, other)


@both
def test_a_run_that_is_stopped_goes_on_to_the_same_bits(cls, scenes, tmp_path):
    whole = cls(**SMALL, epochs=2, checkpoint_minutes=0).fit(scenes, run=tmp_path / "whole")
    broken = cls(**SMALL, epochs=2, checkpoint_minutes=0)
    broken.after_step = stop_after(3)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(scenes, run=tmp_path / "broken")
    again = cls(**SMALL, epochs=2, checkpoint_minutes=0).fit(scenes, run=tmp_path / "broken", resume=True)
    assert same(whole, again)
    assert Stopped  # a signal ends it the same way; see tests/engine/test_resume.py


def stop_after(steps):
    left = [steps]

    def after_step(progress):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    return after_step


@both
@pytest.mark.parametrize("start", ["name", "method", "run", "own"])
def test_what_is_loaded_answers_the_same(cls, start, scenes, tmp_path):
    encoder, given = "cnn", {}
    if start in ("method", "run"):
        encoder = SimCLR(encoder="cnn", epochs=1, batch_size=8, device="cpu")
        encoder.fit(scenes.x[:, :, :32, :32], run=tmp_path / "simclr")
    if start == "run":
        encoder = str(tmp_path / "simclr")
    if start == "own":
        encoder = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.ReLU())
        given = {"encoder": encoder}
    model = cls(**SMALL | {"encoder": encoder}, epochs=1).fit(scenes, run=tmp_path / "run")
    shutil.rmtree(tmp_path / "simclr", ignore_errors=True)  # the run has all by itself
    same_answers(load(tmp_path / "run", **given), model, scenes)
    with pytest.raises(ValueError, match="must be of"):
        (Segmenter if cls is Detector else Detector).load(tmp_path / "run", **given)
    if start == "name":  # its encoder goes on
        SimCLR(encoder=str(tmp_path / "run"), epochs=1, batch_size=8, device="cpu").fit(scenes.x)


@both
def test_a_frozen_encoder_stays_and_of_a_partial_one_the_top_learns(cls, scenes):
    encoder = make_encoder("cnn", scenes)
    before = {name: value.clone() for name, value in encoder.named_parameters()}
    for trained, learns in (("frozen", set()), (1, {"2"}), ("full", {"0", "1", "2"})):
        model = cls(**SMALL | {"encoder": encoder}, trained=trained, epochs=1).fit(scenes)
        after = dict(model.encoder_.named_parameters())
        assert {name.split(".")[2] for name in before if not torch.equal(before[name], after[name])} == learns
        statistics = dict(model.encoder_.named_buffers())
        assert all(torch.equal(value, statistics[name]) for name, value in encoder.named_buffers())


def test_statistics_of_random_encoders_are_measured_and_those_of_given_ones_kept(scenes):
    random = Detector(**SMALL, trained="frozen", epochs=1).fit(scenes)
    encoder = make_encoder("cnn", scenes)
    norm = encoder.body.stages[0][1]
    assert (norm.running_mean == 0).all()
    assert (random.encoder_.body.stages[0][1].running_mean != 0).any()
    momentum = norm.momentum
    assert measure_statistics(encoder, scenes) == 24
    first = encoder.body.stages[0][0](encoder.standardise(scenes[np.arange(24)]))
    torch.testing.assert_close(norm.running_mean, first.mean((0, 2, 3)), rtol=1e-3, atol=1e-4)
    assert norm.momentum == momentum


def test_losses_are_torchvisions(scenes):
    model = Detector(**SMALL, epochs=1, flip=0, zoom=0, shift=0).fit(scenes)
    model._lessons = scenes
    batch = scenes[np.arange(6)]
    ours = {name: float(term().detach()) for name, term in model.terms(batch).items()}
    plain = FCOSHead(32, 1, 8, 0)  # whose losses alone are used
    whole = FCOS(model.detector_.backbone, 8, anchor_generator=model.detector_.anchor_generator, head=plain)
    targets = [
        {"boxes": torch.from_numpy(scenes.boxes[i]), "labels": torch.from_numpy(scenes.box_labels[i])}
        for i in range(6)
    ]
    outputs, anchors, numbers = model._read(batch)
    for name, value in whole.compute_loss(targets, outputs, anchors, numbers).items():
        assert ours[name] == pytest.approx(float(value.detach()), rel=1e-5)


@both
def test_slices_have_the_gradient_of_the_whole(cls, scenes):
    gradients = []
    for size in (None, 3):
        model = cls(**SMALL, epochs=1, batch_size=24, slice_size=size, warmup=0.0, optimizer="sgd").fit(
            scenes
        )
        gradients.append(torch.cat([p.flatten() for p in model.encoder_.parameters()]))
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_a_scene_without_a_box_is_all_ground():
    scenes = Scenes(
        np.zeros((8, 3, 64, 64), np.uint8),
        boxes=[[[8, 8, 40, 40]], *[[]] * 7],
        box_labels=[[0], *[[]] * 7],
        classes=["a"],
    )
    model = Detector(**SMALL, epochs=1).fit(scenes)
    assert len(model.predict(scenes)) == 8
    assert set(model.scores(scenes)) == {"ap", "ap50", "ap75"}


@pytest.mark.parametrize("name", ["resnet_tiny", "conv", "resnet18", "vit_tiny_patch16_224"])
def test_encoders_become_backbones(name, scenes):
    model = Detector(**SMALL | {"encoder": name}).prepare(scenes)
    assert all(stride in (4, 8, 16, 32) for stride in model.detector_.backbone.strides)
    assert len(model.predict(scenes.subset([0]))) == 1
    masks = Segmenter(**SMALL | {"encoder": name}, head="deeplab").prepare(scenes)
    assert masks.predict(scenes.subset([0, 1])).shape == (2, 64, 64)


def test_what_lies_behind_the_maps_does_not_learn(scenes):
    found = Detector(**SMALL | {"encoder": "conv"}).prepare(scenes).encoder_.body.stages
    assert [any(p.requires_grad for p in stage.parameters()) for stage in found] == [True] * 4 + [False]


def test_levels_are_the_last_map_of_each_stride(scenes):
    encoder = make_encoder("resnet_tiny", scenes)
    assert levels_read(encoder, scenes, finest=4) == [Level(2, 64, 4), Level(3, 128, 8)]
    assert levels_read(encoder, scenes, finest=2)[0] == Level(1, 32, 2)
    assert levels_read(encoder, scenes, finest=16) == [Level(3, 128, 8)]
    pyramid = Pyramid(levels_read(encoder, scenes, finest=4), width=8, coarsest=16)
    maps = pyramid(encoder.read(scenes[np.arange(2)], "maps"))
    assert [tuple(x.shape) for x in maps] == [(2, 8, 16, 16), (2, 8, 8, 8), (2, 8, 4, 4)]
    assert isinstance(encoder, Encoder)


def test_heads_have_no_batch_statistics():
    net = with_group_norms(nn.Sequential(nn.Conv2d(3, 12, 1), nn.BatchNorm2d(12), nn.BatchNorm2d(16)))
    assert [part.num_groups for part in net if isinstance(part, nn.GroupNorm)] == [1, 8]
    for model in (Detector, Segmenter):
        found = model(**SMALL).prepare(make_scenes(8))
        heads = [module for name, module in found.modules().items() if name != "encoder_"]
        assert not any(isinstance(part, nn.BatchNorm2d) for head in heads for part in head.modules())


@pytest.mark.all
def test_boxes_and_masks_are_learned():
    few, others = make_scenes(16, classes=("ring", "cross")), make_scenes(16, classes=("ring", "cross"))
    fields = {"encoder": "resnet_tiny", "epochs": 60, "device": "cpu", "flip": 0, "zoom": 0, "shift": 0}
    assert Detector(**fields, width=32).fit(few).scores(others)["ap50"] > 0.5
    assert Segmenter(**fields, width=32).fit(few).score(others) > 0.5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: Detector().fit(s.x), "must be given Scenes"),
        (lambda s: Detector().fit(s, [0]), "no y"),
        (lambda s: Detector().fit(Scenes(s.x, masks=s.masks, classes=s.classes)), "Use Segmenter"),
        (
            lambda s: Segmenter().fit(Scenes(s.x, boxes=s.boxes, box_labels=s.box_labels, classes=s.classes)),
            "Detector",
        ),
        (
            lambda s: Detector().fit(Scenes(s.x, boxes=[[]] * 24, box_labels=[[]] * 24, classes=["a"])),
            "one box",
        ),
        (lambda s: Detector(encoder="mlp").fit(s), "must keep maps"),
        (lambda s: Detector(encoder="cnn", trained=4).fit(s), "at most 3"),
        (lambda s: Detector(trained=0).fit(s), "trained must be"),
        (lambda s: Detector(encoder="cnn", accumulate=2).fit(s), "accumulate must be left out"),
        (
            lambda s: Detector(encoder="cnn", trained="frozen", encoder_rate=0.1).fit(s),
            "encoder_rate must be left out",
        ),
        (lambda s: Detector(encoder_rate=2).fit(s), "encoder_rate must lie"),
        (lambda s: Detector(width=12).fit(s), "multiple of 8"),
        (lambda s: Detector(flip=2).fit(s), "flip"),
        (lambda s: Detector(encoder=SimCLR()).fit(s), "has none. Fit it"),
        (
            lambda s: Detector(encoder=SimCLR(encoder="cnn", device="cpu").prepare(s.x[:, :1])).fit(s),
            "as many channels as .* trained on, 1; got 3",
        ),
        (lambda s: Segmenter().set_params(head="unet").fit(s), "head must be"),
        (lambda s: Segmenter(ground=0).fit(s), "ground must lie"),
        (lambda s: Detector(encoder="resnet_tiny").fit(at(s, 52)), "multiples of 32"),
        (lambda s: Detector().predict(s), "must be fitted"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(call, words, scenes):
    with pytest.raises(ValueError, match=words) as told:
        call(scenes)
    assert "\n" not in str(told.value)


def at(scenes, size):
    return Scenes(
        scenes.x[:, :, :size, :size],
        masks=None,
        boxes=[[[0, 0, 9, 9]]] * 24,
        box_labels=[[0]] * 24,
        classes=["a"],
    )


def test_scenes_of_other_classes_are_not_scored(scenes):
    model = Detector(**SMALL, epochs=1).fit(scenes)
    with pytest.raises(ValueError, match="classes of fit"):
        model.scores(make_scenes(4, classes=("ring", "face")))


@both
def test_a_clone_has_the_fields_and_nothing_that_was_learned(cls, scenes):
    model = cls(**SMALL, epochs=3).prepare(scenes)
    assert clone(model).get_params() == model.get_params()
    assert not clone(model).modules()


def test_the_usual_answer_has_not_looked(scenes):
    of = Detector(**SMALL).usual(scenes, 2)
    label = int(of[0]["labels"][0])
    boxes = [
        box
        for known, labels in zip(scenes.boxes, scenes.box_labels, strict=True)
        for box in known[labels == label]
    ]
    assert len(of) == 2
    np.testing.assert_allclose(of[1]["boxes"][0], np.mean(boxes, axis=0), rtol=1e-5)
    assert of[0]["scores"].sum() == pytest.approx(1)
    model = Segmenter(**SMALL).prepare(scenes)
    ground = model.judged(model.usual(scenes, len(scenes)), scenes)(np.arange(len(scenes)))
    assert ground["accuracy"] == pytest.approx((scenes.masks == 0).mean())
