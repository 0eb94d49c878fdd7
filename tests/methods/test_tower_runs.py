"""A run, or a network of a folder, as the encoder of one member: what it has learned, locked, whole without its run."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

import replearn
from made_methods import few_pairs
from replearn import CLIP, FineTune, Frozen, SimCLR, as_samples
from replearn.data import describe
from replearn.data.pairs import member
from replearn.encoders import comes_with_weights, make_encoder
from replearn.encoders.kinds import NETWORKS

pytest.importorskip("tokenizers", reason="needs replearn[text]")
QUICK = {"batch_size": 16, "epochs": 1, "device": "cpu", "precision": "32-true"}


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A run of images, and what it has learned."""
    folder = tmp_path_factory.mktemp("runs") / "simclr"
    method = SimCLR(encoder="cnn:width=8", **QUICK).fit(few_pairs().members["image"], run=folder)
    return folder, method


def test_a_locked_run_is_a_tower_and_the_new_run_is_whole_without_it(learned, tmp_path):
    folder, before = tmp_path / "simclr", learned[1]
    shutil.copytree(learned[0], folder)
    samples = few_pairs()
    images = samples.members["image"]
    method = CLIP(encoder=f"image={folder},text=words", locked=("image",), **QUICK)
    method.fit(samples, run=tmp_path / "clip")
    tower = method.encoder_.towers["image"]
    width = before.encoder_.dim
    assert method.transform(samples)[:, :width] == pytest.approx(before.transform(images), abs=1e-5)
    assert not any(weight.requires_grad for weight in tower.parameters())
    shutil.rmtree(folder)
    again = replearn.load(tmp_path / "clip")
    assert again.transform(samples) == pytest.approx(method.transform(samples), abs=1e-6)
    assert again.project(images) == pytest.approx(method.project(images), abs=1e-6)
    told = json.loads((tmp_path / "clip" / "method.json").read_text(encoding="utf-8"))
    assert list(told["encoder"]["members"]) == ["image"]
    # And on from there: the pairs' run begins another one, which needs neither.
    next_ = CLIP(encoder=str(tmp_path / "clip"), **QUICK).fit(samples, run=tmp_path / "next")
    shutil.rmtree(tmp_path / "clip")
    assert replearn.load(tmp_path / "next").transform(samples) == pytest.approx(
        next_.transform(samples), abs=1e-6
    )


def test_a_tower_that_is_not_locked_learns_on(learned):
    folder, before = learned
    method = CLIP(encoder=f"image={folder},text=words", **QUICK)
    first = {name: tensor.clone() for name, tensor in before.encoder_.state_dict().items()}
    begun = method.prepare(few_pairs()).encoder_.towers["image"].state_dict()
    assert all(torch.equal(begun[name], first[name]) for name in first)
    method.fit(few_pairs())
    after = method.encoder_.towers["image"].state_dict()
    assert any(not torch.equal(after[name], first[name]) for name in first)


def test_texts_are_read_by_the_tokenizer_of_their_run(tmp_path):
    texts = as_samples([f"word{i} and word{i + 1}" for i in range(40)])
    Frozen(encoder="words", device="cpu").fit(texts, run=tmp_path / "words")
    samples = few_pairs()
    encoder = replearn.load(tmp_path / "words").encoder_
    method = CLIP(encoder=f"image=cnn,text={tmp_path / 'words'}", **QUICK).prepare(samples)
    tower = method.encoder_.towers["text"]
    assert tower.vocabulary.tokenizer == encoder.vocabulary.tokenizer
    assert method.samples_.members["text"].tokenizer == encoder.vocabulary.tokenizer


def test_images_of_other_sizes_are_resized_and_others_refused(learned, tmp_path, caplog):
    caplog.set_level("INFO")
    folder, before = learned
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (32, 1, 20, 20), dtype=np.uint8)
    texts = [f"a text {i}" for i in range(32)]
    samples = as_samples({"image": as_samples(images), "text": texts})
    method = CLIP(encoder=f"image={folder},text=words", locked=("image",), **QUICK)
    method.fit(samples, run=tmp_path / "run")
    assert "image is resized from (20, 20) to (14, 14) pixels for its encoder" in caplog.text
    small = torch.nn.functional.interpolate(
        torch.from_numpy(images).float() / 255, (14, 14), mode="bilinear", antialias=True
    )
    with torch.inference_mode():
        expected = before.encoder_.eval()(small).numpy()
    assert method.transform(samples)[:, : before.encoder_.dim] == pytest.approx(expected, abs=1e-3)
    assert replearn.load(tmp_path / "run").transform(samples) == pytest.approx(
        method.transform(samples), abs=1e-6
    )
    colour = as_samples({"image": as_samples(images.repeat(3, axis=1)), "text": texts})
    with pytest.raises(
        ValueError, match="image must have 1 channels, as what its encoder has learned from; got 3"
    ):
        CLIP(encoder=f"image={folder},text=words", **QUICK).fit(colour)


def test_sounds_of_another_rate_are_refused(tmp_path):
    waves = np.random.default_rng(0).standard_normal((24, 4000)).astype(np.float32) / 8
    SimCLR(encoder="wave:width=8", **QUICK).fit(
        as_samples(waves, kind="sound:rate=8000"), run=tmp_path / "run"
    )
    texts = [f"a text {i}" for i in range(24)]
    samples = as_samples({"sound": as_samples(waves, kind="sound:rate=16000"), "text": texts})
    with pytest.raises(
        ValueError, match="sound must be of 8,000 Hz, as what its encoder has learned from; got 16,000"
    ):
        CLIP(encoder=f"sound={tmp_path / 'run'},text=words", **QUICK).fit(samples)


def test_what_is_no_tower_is_told(learned, tmp_path):
    folder, _ = learned
    with pytest.raises(ValueError, match=r"must read samples of kind text; the one in .* reads image"):
        CLIP(encoder=f"image=cnn,text={folder}", **QUICK).fit(few_pairs())
    with pytest.raises(ValueError, match="must be an existing run folder"):
        CLIP(encoder=f"image={tmp_path / 'nowhere'},text=words", **QUICK).fit(few_pairs())
    with pytest.raises(ValueError, match="must name members of the pairs, image, text; got sound"):
        CLIP(encoder=f"sound={folder}", **QUICK).fit(few_pairs())
    with pytest.raises(ValueError, match="a task begins with one run of pairs"):
        FineTune(encoder=f"image={folder},text=words", epochs=1).fit(few_pairs(), ["x", "y"] * 48)
    assert comes_with_weights(f"text=words,image={folder}")
    assert not comes_with_weights("image=cnn:width=8,text=words")
    assert not comes_with_weights("resnet_small:width=16:depth=2")


def test_frozen_towers_side_by_side_and_a_task_on_them(learned, tmp_path):
    folder, before = learned
    samples = few_pairs()
    method = Frozen(encoder=f"image={folder},text=words", device="cpu").fit(samples, run=tmp_path / "frozen")
    batch = samples[np.arange(8)]
    with torch.inference_mode():
        own = before.encoder_.eval()(member(batch, "image"))
    assert method.transform(samples)[:8, : own.shape[1]] == pytest.approx(own.numpy(), abs=1e-4)
    task = FineTune(encoder=str(tmp_path / "frozen"), trained="frozen", epochs=1, device="cpu")
    task.fit(samples, ["x", "y"] * 48, run=tmp_path / "task")
    shutil.rmtree(tmp_path / "frozen")
    assert list(replearn.load(tmp_path / "task").predict(samples)) == list(task.predict(samples))


def test_a_run_with_an_equals_sign_in_its_name_is_a_run(learned, tmp_path):
    folder = tmp_path / "SimCLR-temperature=0.1"
    shutil.copytree(learned[0], folder)
    assert comes_with_weights(str(folder))
    pairs = few_pairs()
    CLIP(encoder=f"image={learned[0]},text=words", **QUICK).fit(pairs, run=tmp_path / "dim=64")
    CLIP(encoder=str(tmp_path / "dim=64"), **QUICK).prepare(pairs)


def test_a_table_with_its_columns_in_another_order_is_no_tables_tower():
    one, other = (
        describe(as_samples(pd.DataFrame(np.ones((4, 3)), columns=list(names)), kind="table"))
        for names in ("abc", "cba")
    )
    room, encoder = NETWORKS["table"], make_encoder("mlp", one)
    assert room.again(encoder, one, one, of="rows") is encoder
    with pytest.raises(ValueError, match=r"rows must have the columns a, b, c.*got c, b, a"):
        room.again(encoder, one, other, of="rows")
