"""A CLIP in a folder that open_clip reads: both encoders answer as the run's; what it can't hold is one line."""

import json
import logging
import os
import subprocess
import sys
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("open_clip", reason="needs replearn[openclip]")
pytest.importorskip("transformers", reason="needs replearn[text]")

from made_folders import SIDE, clip_folder, tokenizer
from replearn import CLIP, SimCLR, as_samples, export
from replearn.service.exports import FORMS, TOLERANCE

DRAW = np.random.default_rng(0)
TEXTS = [f"note {i} says {i * i} and {i % 7}" for i in range(16)]
VIT = "vit_tiny_patch16_224"
all_ = pytest.mark.all


def pairs(side: int = SIDE, channels: int = 3):
    pixels = DRAW.integers(0, 256, (16, channels, side, side), dtype=np.uint8)
    return as_samples({"image": as_samples(pixels), "text": TEXTS})


def trained(encoder, samples, **fields):
    quick = {"epochs": 1, "batch_size": 8, "dim": 12, "device": "cpu", "precision": "32-true"}
    return CLIP(encoder=encoder, **quick | fields).fit(samples)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip")
    clip_folder(path)
    return path


def of(name, folder):
    return name.replace("hf:", f"hf:{folder}")


def told(path):
    """What open_clip, asked as its documentation has it, makes of a folder: embeddings of a run's samples."""
    import open_clip

    with chdir(path):
        model, _, preprocess = open_clip.create_model_and_transforms("local-dir:.")
        tokens = open_clip.get_tokenizer("local-dir:.")
    model.eval()

    @torch.no_grad()
    def answer(samples):
        rows = samples.members["image"][np.arange(len(samples))].x.permute(0, 2, 3, 1).numpy()
        pictures = [Image.fromarray(row if row.shape[2] == 3 else row[..., 0]) for row in rows]
        image = model.encode_image(torch.stack([preprocess(one) for one in pictures]), normalize=True)
        return image.numpy(), model.encode_text(tokens(list(TEXTS)), normalize=True).numpy(), model

    return answer


CASES = [
    ("hf:", SIDE, 3, {}),
    *(
        pytest.param(*case, marks=all_)
        for case in (
            (f"image={VIT},text=bert_tiny", 20, 3, {"pairing": "sigmoid"}),
            (f"image={VIT},text=bert_tiny", 28, 1, {}),  # grey
            ("image=deit_tiny_distilled_patch16_224.fb_in1k,text=bert_tiny", 224, 3, {}),
            ("image=resnet18,text=bert_tiny", 72, 3, {}),
            ("image=hf:,text=bert_tiny", SIDE, 1, {}),
            ("image=resnet18,text=hf:", 72, 3, {}),
        )
    ),
]


@pytest.mark.parametrize(("encoder", "side", "channels", "fields"), CASES)
def test_open_clip_answers_as_the_run_does(encoder, side, channels, fields, folder, tmp_path):
    samples = pairs(side, channels)
    model = trained(of(encoder, folder), samples, **fields)
    assert export(model, tmp_path / "new", to="openclip") <= TOLERANCE
    image, text, other = told(tmp_path / "new")(samples)
    np.testing.assert_allclose(image, model.project(samples.members["image"]), atol=1e-4)
    np.testing.assert_allclose(text, model.project(samples.members["text"]), atol=1e-4)
    assert other.logit_scale.exp().item() == pytest.approx(model.scale_().item(), rel=1e-6)
    if fields:
        assert other.logit_bias.item() == pytest.approx(model.scale_.bias.item(), rel=1e-6)
    else:
        assert other.logit_bias is None
    card = (tmp_path / "new" / "README.md").read_text()
    assert ("inside the folder" in card) == ("bert" in encoder)
    assert ("sigmoid" in card) == bool(fields)


def test_the_world_is_left_as_found(folder, tmp_path):
    before = os.environ.get("TOKENIZERS_PARALLELISM"), Path.cwd(), list(logging.root.handlers)
    model = trained(of("hf:", folder), pairs())
    weights = {name: value.clone() for name, value in model.encoder_.state_dict().items()}
    export(model, tmp_path / "new", to="openclip")
    assert before == (os.environ.get("TOKENIZERS_PARALLELISM"), Path.cwd(), list(logging.root.handlers))
    assert all(torch.equal(value, weights[name]) for name, value in model.encoder_.state_dict().items())


def test_texts_are_cut_as_by_the_run_and_mended_first(folder, tmp_path):
    import open_clip

    model = trained(of("hf:", folder), pairs())
    export(model, tmp_path / "new", to="openclip")
    tokens = open_clip.get_tokenizer(f"local-dir:{tmp_path / 'new'}")
    found = tokens([" ".join(TEXTS), "a &amp;  b"]).tolist()
    own = tokenizer().encode([" ".join(TEXTS), "a & b"], framed=True)
    assert found[0] == [*own[0][:19], own[0][-1]]
    assert found[1][: len(own[1])] == own[1]
    assert "mends" in (tmp_path / "new" / "README.md").read_text()


def test_what_resizing_changes_is_measured(folder, tmp_path):
    export(trained(of("hf:", folder), pairs(24)), tmp_path / "new", to="openclip")
    card = (tmp_path / "new" / "README.md").read_text()
    assert "24 x 24 pixels, and are resized to 16 x 16" in card
    size = float(card.split("answers differ by at most ")[1].split()[0])
    assert 0 < size < 0.1


def test_what_answers_otherwise_is_not_written(folder, tmp_path, monkeypatch):
    form = FORMS["openclip"]

    def wrong(path, place):
        answer = form.reopen(path)
        return lambda *inputs: [h * (1 + 3e-4 * (i == place)) for i, h in enumerate(answer(*inputs))]

    model = trained(of("hf:", folder), pairs())
    for place in range(3):  # images, texts, the scale
        monkeypatch.setitem(
            FORMS, "openclip", replace(form, reopen=lambda path, place=place: wrong(path, place))
        )
        with pytest.raises(ValueError, match=r"open_clip reads differs by 3\.0e-04"):
            export(model, tmp_path / "new", to="openclip")
    assert not (tmp_path / "new").exists()


def of_numbers():
    members = {name: DRAW.normal(size=(16, 6)).astype(np.float32) for name in "ab"}
    return CLIP(epochs=1, batch_size=8, device="cpu").fit(as_samples(members))


REFUSED = [
    ("image=vit,text=hf:", SIDE, "with a class token, .* the encoder of 'image' is ViT. Train with"),
    ("image=cnn,text=hf:", SIDE, "the encoder of 'image' is CNN. Train with --encoder image=vit_tiny"),
    ("image=hf:,text=words", SIDE, "by BERT or RoBERTa.* 'text' is WordVectors. Train with"),
    pytest.param("image=hf:,text=gpt_tiny", SIDE, "the encoder of 'text' is GPT2Model", marks=all_),
    pytest.param("image=hf:,text=modernbert_tiny", SIDE, "'text' is ModernBertModel", marks=all_),
    pytest.param("image=resnet18,text=hf:", 32, r"conv1\.weight: .* Train on larger images", marks=all_),
    pytest.param("image=resnet18,text=hf:", 72, r"conv1\.weight: \(64, 1, 7, 7\) for", marks=all_),  # grey
    pytest.param(f"image={VIT},text=hf:", 20, "one activation, .* GELU and CLIP's own", marks=all_),
]


@pytest.mark.parametrize(("encoder", "side", "says"), REFUSED)
def test_what_open_clip_can_not_hold_is_one_line(encoder, side, says, folder, tmp_path):
    model = trained(of(encoder, folder), pairs(side, 1 if side == 72 else 3))
    with pytest.raises(ValueError, match=says) as found:
        export(model, tmp_path / "new", to="openclip")
    assert "\n" not in str(found.value)
    assert not list(tmp_path.iterdir())


def test_other_members_and_methods_are_refused(folder, tmp_path):
    with pytest.raises(ValueError, match=r"two members, images as bytes and texts; this has a \(table\)"):
        export(of_numbers(), tmp_path / "new", to="openclip")
    alone = SimCLR(encoder="linear", batch_size=8, device="cpu").prepare(pairs().members["image"])
    with pytest.raises(ValueError, match=r"this is one of SimCLR\. Write it --to onnx"):
        export(alone, tmp_path / "new", to="openclip")
    with pytest.raises(ValueError, match="a CLIP of images and texts is written --to openclip"):
        export(trained(of("hf:", folder), pairs()), tmp_path / "new", to="onnx")


@all_
def test_activations_of_both_halves_must_be_one(tmp_path):
    clip_folder(tmp_path / "clip", hidden_act="gelu")
    with pytest.raises(ValueError, match="one activation"):
        export(trained(f"hf:{tmp_path / 'clip'}", pairs()), tmp_path / "new", to="openclip")


@all_
def test_the_command_and_the_lines_of_the_card(folder, tmp_path, capsys):
    from replearn.cli import main

    samples = pairs()
    model = trained(of("hf:", folder), samples)
    model.save(tmp_path / "run")
    assert main(["export", str(tmp_path / "run"), "--to", "openclip"]) == 0
    assert "README.md, open_clip_config.json, open_clip_model.safetensors" in capsys.readouterr().out
    made = tmp_path / "run" / "export-openclip"
    signature = json.loads((made / "signature.json").read_text())
    assert [one["name"] for one in signature["outputs"]] == ["image_features", "text_features", "logit_scale"]
    pixels = samples.members["image"][np.arange(1)].x[0].permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(made / "photo.png")
    lines = (made / "README.md").read_text().split("```python\n")[1].split("```")[0]
    more = "\nimport sys\nprint(shares.tolist()[0], 'replearn' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", lines + more], cwd=made, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith(" False")
    found = json.loads(done.stdout.rpartition(" ")[0])
    np.testing.assert_allclose(
        found, model.classify(pixels.transpose(2, 0, 1)[None], ["a cat", "a dog"])[0], atol=1e-4
    )
