"""Exports answer as the run does, by the libraries that others open them with; what a form can't hold is refused."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.decomposition import PCA

from replearn import Autoencoder, Concatenation, FineTune, SimCLR, as_samples, export, load
from replearn.service.exports import FORMS, TOLERANCE, exported_from
from replearn.service.exports.writing import check

DRAW = np.random.default_rng(0)
SMALL = DRAW.integers(0, 256, (20, 3, 16, 16), dtype=np.uint8)
LARGE = DRAW.integers(0, 256, (12, 3, 80, 80), dtype=np.uint8)
TABLE = DRAW.normal(5, 3, size=(40, 6))
TEXTS = [f"note {i} says {i * i} and {i % 7}" for i in range(40)]
OPENED = {"onnx": "onnxruntime", "huggingface": "transformers"}  # by what is not part of replearn


def prepared(encoder, samples, method=SimCLR, **fields):
    return method(encoder=encoder, batch_size=8, device="cpu", **fields).prepare(samples)


def written(model, tmp_path, form):
    pytest.importorskip(OPENED.get(form, "torch"), reason="needs replearn[export] or replearn[text]")
    folder = tmp_path / form
    worst = export(model, folder, to=form)
    assert worst <= TOLERANCE
    return folder


all_ = pytest.mark.all
CASES = [
    ("linear", SMALL, "torch"),
    pytest.param("linear", SMALL, "onnx", marks=all_),
    *(
        pytest.param(encoder, samples, form, marks=all_)
        for encoder, samples, forms in (
            ("resnet_small", SMALL, ("torch", "onnx")),
            ("vit", SMALL, ("torch", "onnx")),
            ("resnet18", SMALL, ("torch", "onnx")),
            ("resnet18", LARGE, ("timm", "torchvision")),
            ("vit_tiny_patch16_224", LARGE, ("timm",)),
            ("mlp", TABLE, ("torch", "onnx")),
        )
        for form in forms
    ),
]


@pytest.mark.parametrize(("encoder", "samples", "form"), CASES)
def test_exports_answer_as_transform_does(encoder, samples, form, tmp_path):
    method = Autoencoder if samples is TABLE else SimCLR
    model = prepared(encoder, samples, method, **({"dim": 3} if samples is TABLE else {}))
    answer = FORMS[form].reopen(written(model, tmp_path, form))
    for n in (1, 3, len(samples)):  # numbers that were not tried
        x = as_samples(samples)[np.arange(n)].x
        np.testing.assert_allclose(answer(x)[0], model.transform(samples[:n]), rtol=1e-3, atol=1e-4)


@all_
@pytest.mark.parametrize("form", ["torch", "onnx"])
def test_codes_that_need_no_network_are_exported(form, tmp_path):
    model = Concatenation(device="cpu").fit(SMALL)
    answer = FORMS[form].reopen(written(model, tmp_path, form))
    for n in (1, 3, len(SMALL)):
        x = as_samples(SMALL)[np.arange(n)].x
        np.testing.assert_allclose(answer(x)[0], model.transform(SMALL[:n]), rtol=1e-3, atol=1e-4)


def test_levels_are_scaled_inside_the_export(tmp_path):
    deep = DRAW.uniform(-3, 9, (12, 1, 8, 8)).astype(np.float32)
    model = prepared("linear", deep)
    low, high = model.samples_.levels
    assert low < 0
    answer = FORMS["torch"].reopen(written(model, tmp_path, "torch"))
    np.testing.assert_allclose(answer(torch.from_numpy(deep))[0], model.transform(deep), rtol=1e-4, atol=1e-5)
    beyond = [answer(torch.full((1, 1, 8, 8), level))[0] for level in (high, high + 5)]
    np.testing.assert_allclose(*beyond)


def test_a_model_of_classes_tells_their_probabilities(tmp_path):
    labels = np.array(["cat", "dog"])[np.arange(20) % 2]
    model = FineTune(encoder="linear", trained="frozen", epochs=1, batch_size=8).fit(SMALL, labels)
    folder = written(model, tmp_path, "torch")
    _, found = FORMS["torch"].reopen(folder)(torch.from_numpy(SMALL[:5]))
    np.testing.assert_allclose(found, model.predict_proba(SMALL[:5]), atol=1e-5)
    assert json.loads((folder / "signature.json").read_text())["classes"] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("encoder", "form"),
    [
        ("words", "torch"),
        *(pytest.param("bert_tiny", form, marks=all_) for form in ("torch", "onnx", "huggingface")),
        *(pytest.param("gpt_tiny", form, marks=all_) for form in ("onnx", "huggingface")),
    ],
)
def test_texts_are_read_by_the_tokenizer_beside_the_network(encoder, form, tmp_path):
    tokenizers = pytest.importorskip("tokenizers", reason="needs replearn[text]")
    model = prepared(encoder, TEXTS)
    folder = written(model, tmp_path, form)
    texts = ["note 3 says 9", "a longer note that says nothing", "x"]
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    if form == "huggingface":
        tokenizer.enable_padding(pad_id=model.encoder_.pad)
    read = tokenizer.encode_batch(texts)
    ids, mask = (torch.tensor([getattr(one, key) for one in read]) for key in ("ids", "attention_mask"))
    np.testing.assert_allclose(FORMS[form].reopen(folder)(ids, mask)[0], model.transform(texts), atol=1e-4)


@pytest.mark.all
def test_sentence_transformers_reads_the_folder(tmp_path):
    library = pytest.importorskip("sentence_transformers", reason="not installed")
    model = prepared("bert_tiny", TEXTS)
    folder = written(model, tmp_path, "huggingface")
    texts = [*TEXTS[:5], " ".join(TEXTS * 20)]  # one is cut
    found = library.SentenceTransformer(str(folder), device="cpu").encode(texts)
    with pytest.warns(UserWarning, match="longer than"):
        np.testing.assert_allclose(found, model.transform(texts), atol=1e-4)


@pytest.mark.all
@pytest.mark.parametrize("form", ["torch", "onnx", "timm"])
def test_the_lines_of_the_card_need_neither_replearn_nor_scikit_learn(form, tmp_path):
    small = form != "timm"
    model = prepared("linear" if small else "resnet18", SMALL if small else LARGE)
    folder = written(model, tmp_path, form)
    pixels = (SMALL if small else LARGE)[0].transpose(1, 2, 0)
    Image.fromarray(pixels).save(folder / "photo.png")
    lines = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    more = "\nimport sys\nnp.save('h.npy', np.asarray(h.detach() if hasattr(h, 'detach') else h))\n"
    more += "print([name for name in ('sklearn', 'replearn') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", lines + more], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    np.testing.assert_allclose(
        np.load(folder / "h.npy"), model.transform((SMALL if small else LARGE)[:1]), rtol=1e-3, atol=1e-4
    )


def test_what_answers_otherwise_is_not_written(tmp_path, monkeypatch):
    model, form = prepared("linear", SMALL), FORMS["torch"]

    def wrong(folder):
        answer = form.reopen(folder)
        return lambda *inputs: [h * (1 + 3e-4) for h in answer(*inputs)]

    monkeypatch.setitem(FORMS, "torch", replace(form, reopen=wrong))
    with pytest.raises(ValueError, match=r"up to 0\.0001 .* differs by 3\.0e-04"):
        export(model, tmp_path / "new", to="torch")
    monkeypatch.setitem(FORMS, "torch", replace(form, reopen=lambda folder: 1 / 0))
    with pytest.raises(ValueError, match=r"stops .ZeroDivisionError"):
        export(model, tmp_path / "new", to="torch")
    assert not list(tmp_path.iterdir())


def test_an_output_of_another_shape_is_a_difference(tmp_path):
    exported = exported_from(prepared("linear", SMALL))
    form = replace(FORMS["torch"], reopen=lambda folder: lambda x: [exported.answers((x,))[0][:, :-1]])
    with pytest.raises(ValueError, match="differs by inf"):
        check(exported, form, tmp_path)


def test_the_model_is_left_as_it_was(tmp_path):
    model = prepared("linear", SMALL)
    before = {name: value.clone() for name, value in model.encoder_.state_dict().items()}
    model.encoder_.train()
    export(model, tmp_path / "new", to="torch")
    assert model.encoder_.training
    assert next(model.encoder_.parameters()).requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.encoder_.state_dict().items())


REFUSED = [
    (
        lambda: prepared("cnn", SMALL),
        "timm",
        "timm's format holds networks of images .* CNN .* --to onnx",
    ),
    (lambda: prepared("cnn", SMALL), "huggingface", "holds transformers over tokens; this network is CNN"),
    pytest.param(
        lambda: prepared("resnet18", SMALL),
        "torchvision",
        r"stem was made for small images.*conv1\.weight",
        marks=pytest.mark.all,
    ),
    pytest.param(
        lambda: prepared("resnet18", LARGE[..., :79], Autoencoder),
        "timm",
        "that of Autoencoder is more",
        marks=pytest.mark.all,
    ),
    pytest.param(
        lambda: prepared("vit_tiny_patch16_224", LARGE),
        "torchvision",
        "holds its residual networks",
        marks=pytest.mark.all,
    ),
    (lambda: PCA(n_components=2).fit(TABLE), "onnx", "PCA, which has none. `replearn embed`"),
    (lambda: prepared("cnn", SMALL), "onxx", "must be one of onnx, .* Did you mean 'onnx'"),
]


@pytest.mark.parametrize(("made", "form", "says"), REFUSED)
def test_what_a_form_can_not_hold_is_one_line(made, form, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        export(made(), tmp_path / "new", to=form)
    assert not list(tmp_path.iterdir())


@pytest.mark.all
@pytest.mark.parametrize("form", ["torch", "onnx"])
def test_networks_that_go_step_by_step_are_refused(form, tmp_path):
    pytest.importorskip("tokenizers", reason="needs replearn[text]")
    pytest.importorskip(OPENED.get(form, "torch"), reason="needs replearn[export]")
    with pytest.raises(ValueError, match=r"one program for any number of samples .* `replearn embed`"):
        export(prepared("lstm", TEXTS), tmp_path / "new", to=form)


def test_answers_that_are_no_classes_are_refused(tmp_path):
    model = FineTune(task="regress", encoder="linear", trained="frozen", epochs=1, batch_size=8)
    model.fit(SMALL, np.arange(20.0))
    with pytest.raises(ValueError, match=r"must be of --task classify; .* is of regress"):
        export(model, tmp_path / "new", to="torch")


def test_the_card_escapes_what_comes_from_data(tmp_path):
    labels = np.array(["a|b\n# head", "[x](http://y)"])[np.arange(20) % 2]
    model = FineTune(encoder="linear", trained="frozen", epochs=1, batch_size=8).fit(SMALL, labels)
    export(model, tmp_path / "new", to="torch", licence='CC "BY": 4')
    card = (tmp_path / "new" / "README.md").read_text()
    assert card.startswith('---\nlicense: "CC \\"BY\\": 4"\n')
    assert "\n# head" not in card
    assert "[x](http" not in card
    assert r"a\|b" in card


@pytest.mark.all
def test_the_card_tells_scores_and_the_licence_of_the_data(tmp_path):
    from replearn.cli import main

    run = tmp_path / "run"
    tiny = ["--encoder", "linear", "--dim", "4", "--epochs", "1", "--batch-size", "128"]
    assert main(["fit", "autoencoder", "digits8x8", *tiny, "--run", str(run)]) == 0
    assert main(["evaluate", str(run), "digits8x8", "--draws", "2"]) == 0
    export(load(run), tmp_path / "new", to="torch", run=run)
    card = (tmp_path / "new" / "README.md").read_text()
    assert "| raw input |" in card
    assert "| Autoencoder |" in card
    assert "CC BY 4.0 (data), BSD-3-Clause (scikit-learn) (digits8x8)" in card


def test_the_command(tmp_path, capsys):
    from replearn.cli import main

    run = Path(prepared_run(tmp_path))
    assert main(["export", str(run), "--to", "torch"]) == 0
    out, _ = capsys.readouterr()
    assert "README.md, model.pt2, signature.json" in out
    assert "of the largest number" in out
    assert all(len(line) <= 80 for line in out.splitlines()[1:])
    assert main(["export", str(run), "--to", "torch"]) == 2
    assert "must be a new folder" in capsys.readouterr().err
    assert main(["export", str(run), "--to", "timm", "--out", str(tmp_path / "t")]) == 2
    assert "hold any network" in capsys.readouterr().err
    assert not (tmp_path / "t").exists()


def prepared_run(tmp_path):
    model = prepared("linear", SMALL)
    model.save(tmp_path / "run")
    return tmp_path / "run"
