"""CLIP of the Hugging Face libraries, in a folder: both halves as theirs, zero-shot, a run that needs no folder."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")
pytest.importorskip("tokenizers")

import replearn  # noqa: E402
from made_folders import CORPUS, HALF, MEAN, SHARED, SIDE, STD, clip_folder  # noqa: E402
from replearn import as_samples  # noqa: E402
from replearn.cli import main  # noqa: E402
from replearn.encoders import make_encoder  # noqa: E402
from replearn.methods import CLIP, Frozen  # noqa: E402


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder, and the library's network in it."""
    path = tmp_path_factory.mktemp("clip")
    return path, clip_folder(path)


def images(n: int = 8, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, channels, SIDE, SIDE), dtype=np.uint8)


def pairs(n: int = 8):
    texts = [f"{CORPUS[i % 2]} {i}" for i in range(n)]
    return as_samples({"image": as_samples(images(n)), "text": texts}, list(np.arange(n) % 2))


def theirs(net, pixels: np.ndarray) -> np.ndarray:
    x = torch.from_numpy(pixels).float() / 255
    x = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    with torch.no_grad():
        found = net.get_image_features(pixel_values=x)
    return getattr(found, "pooler_output", found).numpy()


def test_images_and_texts_are_as_the_library_has_them(made):
    path, net = made
    samples = pairs()
    method = CLIP(encoder=f"hf:{path}", device="cpu").prepare(samples)
    h = method.transform(samples)
    assert h.shape == (8, 2 * SHARED)
    assert h[:, :SHARED] == pytest.approx(theirs(net, images()), abs=1e-4)
    tokens = method.encoder_.towers["text"].standardise(samples.members["text"][np.arange(8)])
    with torch.no_grad():
        found = net.get_text_features(input_ids=tokens.ids, attention_mask=tokens.mask.long())
    texts = getattr(found, "pooler_output", found).numpy()
    assert h[:, SHARED:] == pytest.approx(texts, abs=1e-4)
    assert method.scale_().item() == pytest.approx(net.logit_scale.exp().item(), rel=1e-5)
    units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (theirs(net, images()), texts)]
    assert method.project(samples.members["image"]) == pytest.approx(units[0], abs=1e-4)
    logits = net.logit_scale.exp().item() * units[0] @ units[1][:2].T
    shares = np.exp(logits - logits.max(1, keepdims=True))
    names = samples.members["text"].texts[:2]
    assert method.classify(images(), list(names)) == pytest.approx(
        shares / shares.sum(1, keepdims=True), abs=1e-4
    )


def test_its_images_alone_are_an_encoder_for_images(made, caplog):
    path, net = made
    with caplog.at_level("INFO", "replearn"):
        encoder = make_encoder(f"hf:{path}", as_samples(images()))
        assert "resized" not in caplog.text
        make_encoder(f"hf:{path}", as_samples(np.zeros((2, 3, 8, 8), dtype=np.uint8)))
    assert "images of 8 x 8 pixels are resized to " in caplog.text
    assert encoder.dim == SHARED
    found = Frozen(encoder=f"hf:{path}", device="cpu").fit(as_samples(images())).transform(images())
    assert found == pytest.approx(theirs(net, images()), abs=1e-4)
    grey = images(channels=1)
    assert Frozen(encoder=f"hf:{path}").fit(as_samples(grey)).transform(grey) == pytest.approx(
        theirs(net, grey.repeat(3, axis=1)), abs=1e-3
    )
    batch = as_samples(images())[np.arange(4)]
    assert [tuple(rows.shape) for rows in encoder.layers(batch)] == [(4, 24), (4, SHARED)]
    assert encoder.tokens(batch).shape == (4, 4, 24)
    with pytest.raises(ValueError, match="one or three channels; these have 2"):
        make_encoder(f"hf:{path}", as_samples(images(channels=2)))


def test_a_run_is_whole_without_the_folder(made, tmp_path):
    path = tmp_path / "folder"
    shutil.copytree(made[0], path)
    samples = pairs(16)
    method = CLIP(encoder=f"hf:{path}", epochs=1, batch_size=8, device="cpu", learning_rate=1e-4)
    before = method.prepare(samples).transform(samples)
    method.fit(samples, run=tmp_path / "run")
    assert np.abs(method.transform(samples) - before).max() > 1e-5  # it learned on
    shutil.rmtree(path)
    again = replearn.load(tmp_path / "run")
    assert again.transform(samples) == pytest.approx(method.transform(samples), abs=1e-6)
    mixed = CLIP(encoder=f"image=cnn,text=hf:{made[0]}", epochs=1, batch_size=8, device="cpu")
    mixed.fit(samples, run=tmp_path / "mixed")
    told = json.loads((tmp_path / "mixed" / "method.json").read_text(encoding="utf-8"))
    assert told["folder"]["members"]["image"] is None
    assert replearn.load(tmp_path / "mixed").transform(samples) == pytest.approx(
        mixed.transform(samples), abs=1e-6
    )


def test_zero_shot_by_a_folder_alone(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("pictures.npz", images=images().transpose(0, 2, 3, 1), labels=np.arange(8) % 2)
    assert (
        main(["zeroshot", f"hf:{made[0]}", "pictures.npz", "--classes", "a cat", "a dog", "--out", "z.csv"])
        == 0
    )
    assert len(Path("z.csv").read_text().splitlines()) == 9
    assert main(["zeroshot", f"hf:{tmp_path}", "pictures.npz", "--classes", "a cat", "a dog"]) == 2
    assert "config.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "there"), [("nowhere", "there is no folder nowhere"), ("bare", "bare has no config.json")]
)
def test_a_folder_that_is_none_is_told(name, there, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bare").mkdir()
    with pytest.raises(ValueError, match=f"local folder that a model was saved into .*; {there}"):
        Frozen(encoder=f"hf:{name}").fit(np.zeros((4, 3, 8, 8), dtype=np.uint8))


def test_a_folder_of_something_else_is_told(made, tmp_path):
    path = tmp_path / "folder"
    shutil.copytree(made[0], path)
    content = json.loads((path / "config.json").read_text(encoding="utf-8"))
    del content["vision_config"]
    (path / "config.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="must have a vision_config"):
        make_encoder(f"hf:{path}", as_samples(images()))
    shutil.copytree(made[0], tmp_path / "second")
    (tmp_path / "second" / "preprocessor_config.json").write_text(
        '{"image_std": [0, 1, 1]}', encoding="utf-8"
    )
    with pytest.raises(ValueError, match="three numbers in image_mean and image_std"):
        make_encoder(f"hf:{tmp_path / 'second'}", as_samples(images()))


def test_halves_of_two_networks_share_no_space(made, tmp_path):
    """However alike their scales are: all that learned long have 100."""
    other = tmp_path / "other"
    shutil.copytree(made[0], other)
    with torch.no_grad():
        net = transformers.CLIPModel.from_pretrained(other)
        net.visual_projection.weight.mul_(-1)
        net.save_pretrained(other)
    samples = pairs(16)
    mixed = CLIP(encoder=f"image=hf:{made[0]},text=hf:{other}", dim=6, epochs=1, batch_size=8, device="cpu")
    mixed.fit(samples, run=tmp_path / "run")
    assert mixed.project(samples.members["image"]).shape == (16, 6)  # a head of its own for each
    assert replearn.load(tmp_path / "run").transform(samples) == pytest.approx(
        mixed.transform(samples), abs=1e-6
    )
    one = CLIP(encoder=f"image=hf:{made[0]},text=hf:{made[0]}", dim=6).prepare(samples)
    assert one.project(samples.members["image"]).shape == (16, SHARED)


@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2"])
def test_vision_transformers_of_others_are_read(kind, tmp_path, caplog):
    config = getattr(transformers, f"{kind}Config")(**HALF, hidden_size=24, image_size=SIDE, patch_size=8)
    net = getattr(transformers, f"{kind}Model")(config).eval()
    net.save_pretrained(tmp_path / "net")
    encoder = make_encoder(f"hf:{tmp_path / 'net'}", as_samples(images())).eval()
    assert (
        "no preprocessor_config.json: images are scaled as if their mean and deviation were 0.5"
        in caplog.text
    )
    x = torch.from_numpy(images()).float() / 255
    with torch.no_grad():
        theirs = net(pixel_values=(x - 0.5) / 0.5).last_hidden_state[:, 0]
        assert torch.allclose(encoder(as_samples(images())[np.arange(8)]), theirs, atol=1e-4)
    run = tmp_path / "run"
    method = Frozen(encoder=f"hf:{tmp_path / 'net'}", device="cpu").fit(as_samples(images()), run=run)
    shutil.rmtree(tmp_path / "net")
    assert replearn.load(run).transform(images()) == pytest.approx(method.transform(images()), abs=1e-6)
