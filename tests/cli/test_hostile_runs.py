"""Run folders that a stranger wrote: sizes that their weights don't have are refused before anything is built."""

import json
import time

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from replearn.methods import NGram, SimCLR, Word2Vec

SLOW = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
SIZES = (10**12, 2**31, -1, 0, "many", None, [3])


def spoiled(run, path: str, value) -> None:
    """Change one entry of `method.json`."""
    content = json.loads((run / "method.json").read_text())
    *above, last = path.split(".")
    inner = content
    for name in above:
        inner = inner[name]
    inner[last] = value
    (run / "method.json").write_text(json.dumps(content))


def answered(command, *args) -> None:
    """Success, or one line; within seconds."""
    began = time.monotonic()
    found = command(*args)
    assert found.code == 0 or found.line
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("value", [*SIZES, [10**6, 10**6, 10**6], [1, 2**31, 2**31], ["a", "b", "c"], []])
@pytest.mark.parametrize(
    "path",
    ["samples.shape", "samples.n", "samples.classes", "fields.dim", "fields.encoder", "fields.batch_size"],
)
def test_images(command, run, data, path, value):
    assert SimCLR().dim
    spoiled(run, path, value)
    answered(command, "embed", run, data, "--out", "x.npy")


@pytest.mark.parametrize(
    "encoder", ["vit_giant_patch14_224", "resnet18@/etc/passwd", "hf:/etc", "nowhere", ".."]
)
def test_other_encoders(command, run, data, encoder):
    spoiled(run, "fields.encoder", encoder)
    assert command("embed", run, data, "--out", "x.npy").line


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Runs of texts, whose tokenizer lies among the weights."""
    pytest.importorskip("tokenizers")
    top = tmp_path_factory.mktemp("texts")
    lines = ["the cat sat on the mat", "a big dog ran"] * 8
    (top / "lines.txt").write_text("\n".join(lines))
    NGram(vocabulary=300, order=2).fit(lines, run=top / "ngram")
    Word2Vec(dim=4, epochs=1, least=1, sample=0).fit(lines, run=top / "word2vec")
    return top


@pytest.mark.parametrize("value", SIZES)
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ngram", "samples.vocabulary"),
        ("ngram", "fields.order"),
        ("word2vec", "samples.vocabulary"),
        ("word2vec", "fields.dim"),
        ("word2vec", "fields.window"),
    ],
)
def test_texts(command, texts, tmp_path, name, path, value):
    import shutil

    shutil.copytree(texts / name, tmp_path / "copy")
    spoiled(tmp_path / "copy", path, value)
    answered(command, "embed", "copy", texts / "lines.txt", "--out", "x.npy")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        json.dumps({"pre_tokenizer": SLOW}).encode(),
    ],
)
def test_a_tokenizer_among_weights_is_tried_as_one_in_a_file_is(command, texts, tmp_path, content):
    import shutil

    import torch

    shutil.copytree(texts / "ngram", tmp_path / "copy")
    path = tmp_path / "copy" / "weights.safetensors"
    weights = load_file(path)
    own = json.loads(weights["vocabulary_.content"].numpy().tobytes())
    if content.startswith(b'{"'):
        content = json.dumps(own | json.loads(content)).encode()
    weights["vocabulary_.content"] = torch.from_numpy(np.frombuffer(content, np.uint8).copy())
    save_file(weights, path)
    assert command("embed", "copy", texts / "lines.txt", "--out", "x.npy").line
