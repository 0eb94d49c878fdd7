"""SigLIP of the Hugging Face libraries, in a folder: both halves as theirs, zero-shot, trained on, without a folder."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")
pytest.importorskip("tokenizers")

import replearn  # noqa: E402
from made_folders import CORPUS, saved, tokenizer  # noqa: E402
from replearn import as_samples  # noqa: E402
from replearn.cli import main  # noqa: E402
from replearn.data.tokenizer import MASK  # noqa: E402
from replearn.encoders import make_encoder  # noqa: E402
from replearn.methods import CLIP, Frozen  # noqa: E402
from replearn.transfer import FineTune  # noqa: E402

SIDE, LENGTH, DIM = 16, 24, 16
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.3, 0.25]
HALF = {"intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": DIM}
PAD = MASK  # an unlikely one, which only the settings of the tokenizer name


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder, and the library's network in it."""
    path = tmp_path_factory.mktemp("siglip")
    text = HALF | {"vocab_size": tokenizer().size, "max_position_embeddings": LENGTH}
    vision = HALF | {"image_size": SIDE, "patch_size": 8}
    torch.manual_seed(0)
    net = transformers.SiglipModel(transformers.SiglipConfig(text_config=text, vision_config=vision))
    with torch.no_grad():
        net.logit_scale.fill_(np.log(114.0))
        net.logit_bias.fill_(-13.0)
    net = saved(net, path)
    (path / "processor_config.json").write_text(
        json.dumps({"image_processor": {"image_mean": MEAN, "image_std": STD}}), encoding="utf-8"
    )
    (path / "tokenizer_config.json").write_text(json.dumps({"pad_token": {"content": PAD}}), encoding="utf-8")
    return path, net


def images(n: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 3, SIDE, SIDE), dtype=np.uint8)


def texts(n: int = 8) -> list[str]:
    return [f"{'a cat' if i % 2 else 'the dog'} {i}" for i in range(n)]


def pairs(n: int = 8):
    return as_samples({"image": as_samples(images(n)), "text": texts(n)}, list(np.arange(n) % 2))


@torch.no_grad()
def theirs(net, named: list[str]):
    """Logits, embeddings of images and of texts."""
    x = torch.from_numpy(images()).float() / 255
    x = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    pad = tokenizer().special(PAD)
    rows = [
        row[: LENGTH - 1] + row[-1:] if len(row) > LENGTH else row
        for row in tokenizer().encode(named, framed=True)
    ]
    ids = torch.tensor([row + [pad] * (LENGTH - len(row)) for row in rows])
    return net(input_ids=ids, pixel_values=x)  # without a mask, as SigLIP was trained


def test_both_halves_are_as_the_library_has_them(made):
    path, net = made
    samples = pairs()
    method = CLIP(encoder=f"hf:{path}", device="cpu").prepare(samples)
    found = theirs(net, texts())
    h = method.transform(samples)
    assert h.shape == (8, 2 * DIM)
    for at, half in ((0, found.vision_model_output), (DIM, found.text_model_output)):
        assert h[:, at : at + DIM] == pytest.approx(half.pooler_output.numpy(), abs=1e-4)
    assert method.scale_().item() == pytest.approx(net.logit_scale.exp().item(), rel=1e-5)
    assert method.scale_.bias.item() == pytest.approx(net.logit_bias.item(), rel=1e-5)
    assert method.project(samples.members["image"]) == pytest.approx(found.image_embeds.numpy(), abs=1e-4)
    tower = method.encoder_.towers["text"].eval()
    batch = samples.members["text"][np.arange(8)]
    read = tower.read(batch, "layers")
    assert len(read) == 3
    assert read[-1].detach().numpy() == pytest.approx(
        found.text_model_output.last_hidden_state.numpy(), abs=1e-4
    )
    again = pickle.loads(pickle.dumps(method.encoder_))
    torch.testing.assert_close(again(samples[np.arange(8)]), method.encoder_(samples[np.arange(8)]))


def test_probabilities_are_the_librarys(made):
    """Each of its own, by a sigmoid; of softmax, shares of 1."""
    path, net = made
    named = ["a cat", "the dog " * 20]  # of which one is cut
    logits = theirs(net, named).logits_per_image
    method = CLIP(encoder=f"hf:{path}", device="cpu").prepare(pairs())
    assert method.classify(images(), named) == pytest.approx(torch.sigmoid(logits).numpy(), abs=1e-4)
    shares = CLIP(encoder=f"hf:{path}", pairing="softmax", device="cpu").prepare(pairs())
    assert shares.classify(images(), named) == pytest.approx(logits.softmax(1).numpy(), abs=1e-4)


def test_the_loss_is_the_librarys(made):
    path, net = made
    samples = pairs()
    method = CLIP(encoder=f"hf:{path}", device="cpu").prepare(samples)
    method.encoder_.eval()
    batch = samples[np.arange(8)]
    with torch.no_grad():
        z = method.directions(batch)
        found = replearn.objectives.modalities.sigmoid_pairing(
            z["image"], z["text"], scale=method.scale_(), bias=method.scale_.bias
        )
        logits = theirs(net, texts()).logits_per_text
        signs = 2 * torch.eye(8) - 1
        expected = -torch.nn.functional.logsigmoid(signs * logits).sum(1).mean()
    assert found.item() == pytest.approx(expected.item(), rel=1e-4)
    assert method.loss_at_collapse() is None


def test_a_run_is_whole_without_the_folder(made, tmp_path):
    path = tmp_path / "folder"
    shutil.copytree(made[0], path)
    samples = pairs(16)
    method = CLIP(encoder=f"hf:{path}", epochs=1, batch_size=8, device="cpu", learning_rate=1e-4)
    before = method.prepare(samples).transform(samples)
    method.fit(samples, run=tmp_path / "run")
    assert np.abs(method.transform(samples) - before).max() > 1e-5  # it learned on
    assert method.scale_().item() > 105  # no bound of 100 pulls it down
    shutil.rmtree(path)
    again = replearn.load(tmp_path / "run")
    assert again.transform(samples) == pytest.approx(method.transform(samples), abs=1e-6)
    names = ["a cat", "the dog"]
    assert again.classify(images(), names) == pytest.approx(method.classify(images(), names), abs=1e-6)


def test_halves_alone_are_encoders(made):
    path, net = made
    encoder = make_encoder(f"hf:{path}", as_samples(images()))
    assert encoder.dim == DIM
    found = Frozen(encoder=f"hf:{path}", device="cpu").fit(as_samples(images())).transform(images())
    expected = theirs(net, texts()).vision_model_output
    assert found == pytest.approx(expected.pooler_output.numpy(), abs=1e-4)
    batch = as_samples(images())[np.arange(8)]
    assert [tuple(rows.shape) for rows in encoder.layers(batch)] == [(8, DIM), (8, DIM)]
    assert encoder.eval().tokens(batch).detach().numpy() == pytest.approx(
        expected.last_hidden_state.numpy(), abs=1e-4
    )
    words = Frozen(encoder=f"hf:{path}", device="cpu").fit(texts()).transform(texts())
    assert words == pytest.approx(theirs(net, texts()).text_model_output.pooler_output.numpy(), abs=1e-4)


def test_networks_of_images_learn_more_slowly_than_the_head(made):
    images = np.zeros((8, 3, 32, 32), dtype=np.uint8)
    tuned = FineTune(encoder=f"hf:{made[0]}", device="cpu").prepare(images, ["a", "b"] * 4)
    assert set(tuned.rates().values()) == {0.05}


def test_a_pooling_that_would_do_nothing_is_refused(made):
    tuned = FineTune(encoder=f"hf:{made[0]}", task="classify", pooling="mean", epochs=1, device="cpu")
    with pytest.raises(ValueError, match="reads its last state alone must be auto or mixture; got 'mean'"):
        tuned.fit(texts(), ["a", "b"] * (len(texts()) // 2))


def test_zero_shot_by_a_folder_alone(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("pictures.npz", images=images().transpose(0, 2, 3, 1), labels=np.arange(8) % 2)
    told = ["zeroshot", f"hf:{made[0]}", "pictures.npz", "--classes", "a cat", "a dog", "--out", "z.csv"]
    assert main(told) == 0
    assert len(Path("z.csv").read_text().splitlines()) == 9
    shutil.copytree(made[0], "pieces")
    Path("pieces/tokenizer.json").unlink()
    Path("pieces/spiece.model").write_bytes(b"\0")
    capsys.readouterr()
    assert main(["zeroshot", "hf:pieces", "pictures.npz", "--classes", "a cat", "a dog"]) == 2
    error = capsys.readouterr().err
    assert "pieces has spiece.model alone. Convert it once" in error
    assert "T5Converter" in error


def test_what_a_folder_lacks_is_told(made, tmp_path):
    path = tmp_path / "folder"
    shutil.copytree(made[0], path)
    content = json.loads((path / "config.json").read_text(encoding="utf-8"))
    content["vision_config"]["vision_use_head"] = False
    (path / "config.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="must have a head that pools"):
        make_encoder(f"hf:{path}", as_samples(images()))
    del content["text_config"]
    (path / "config.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="must have a text_config"):
        make_encoder(f"hf:{path}", as_samples(CORPUS))
