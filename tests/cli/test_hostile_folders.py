"""Folders that a stranger wrote: each fault is one line and exit code 2, within seconds; nothing outside is read."""

import json
import os
import struct
import time

import pytest

pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

import torch
from safetensors.torch import load_file, save_file

from lanes import one_of_each
from made_folders import folder, tokenizer
from replearn.data import tokenizer_checks

LINES = "the cat sat on the mat\na big dog ran\n" * 4


@pytest.fixture
def hostile(tmp_path):
    """A folder that is well, to be spoiled."""
    (tmp_path / "lines.txt").write_text(LINES)
    return folder(tmp_path / "model")


@pytest.fixture
def told(command, hostile, monkeypatch):
    """The one line on the folder; the command took seconds."""
    monkeypatch.setattr(tokenizer_checks, "SECONDS", 4)

    def line() -> str:
        began = time.process_time()  # of this process: others may keep the machine busy
        found = command("fit", "frozen", "lines.txt", "--encoder", f"hf:{hostile}").line
        assert time.process_time() - began < 30
        return found

    return line


def test_the_folder_is_well(command, hostile):
    for name, content in (
        ("adapter_config.json", '{"base_model_name_or_path": "/elsewhere"}'),
        ("pytorch_model.bin", "no pickle"),
        ("generation_config.json", "{"),
        ("tokenizer_config.json", '{"auto_map": {"AutoTokenizer": "evil.Tokenizer"}}'),
        ("evil.py", "raise SystemExit(3)"),
    ):
        (hostile / name).write_text(content)  # none of them is opened
    assert command("fit", "frozen", "lines.txt", "--encoder", f"hf:{hostile}").code == 0


CONFIG = {
    "an array": [],
    "no network": {"model_type": None},
    "a number for a network": {"model_type": 3},
    "an unknown network": {"model_type": "no such thing"},
    "another network": {"model_type": "gpt2"},
    "code": {"auto_map": {"AutoModel": "evil.Model"}},
    "quantised": {"quantization_config": {"quant_method": "bitsandbytes"}},
    "a kernel from a hub": {"_attn_implementation": "kernels-community/flash-attn"},
    "a kernel by its public name": {"attn_implementation": "stranger/kernel:evil"},
    "a kernel further down": {"text_config": {"_attn_implementation": "stranger/kernel"}},
    "a thousand million layers": {"num_hidden_layers": 10**9},
    "more layers than weights": {"num_hidden_layers": 900},
    "layers by a name": {"num_hidden_layers": "two"},
    "no layers": {"num_hidden_layers": None},
    "states beyond all reason": {"hidden_size": 2**23},
    "infinite states": {"hidden_size": float("inf")},
    "other states": {"hidden_size": 32},
    "states that are no number": {"hidden_size": float("nan")},
    "negative states": {"hidden_size": -16},
    "a million million tokens": {"vocab_size": 10**12},
    "millions of tokens": {"vocab_size": 2**23},
    "fewer tokens": {"vocab_size": 100},
    "a million million positions": {"max_position_embeddings": 10**12},
    "heads that don't divide": {"num_attention_heads": 3},
    "no heads": {"num_attention_heads": 0},
    "an unknown activation": {"hidden_act": "__import__('os')"},
    "a thousand million labels": {"num_labels": 10**9},
    "a list for a number": {"intermediate_size": [32, 32]},
}


@pytest.mark.parametrize("name", one_of_each(CONFIG, CONFIG.keys() - {"more layers than weights"}))
def test_configurations(told, hostile, name):
    path = hostile / "config.json"
    spoiled = CONFIG[name]
    path.write_text(json.dumps(json.loads(path.read_text()) | spoiled if spoiled else spoiled))
    assert "model" in told()


@pytest.mark.parametrize("content", ["{", "[" * 100_000, '{"a":' * 100_000, "[]", "null", "\0", " " * 2**25])
@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "1_Pooling/config.json"])
def test_files_that_are_no_objects(told, hostile, file, content):
    (hostile / file).parent.mkdir(exist_ok=True)
    (hostile / file).write_text(content)
    assert (hostile / file).name in told()


@pytest.mark.parametrize(
    "part",
    [
        "model-1.bin",
        "../outside.safetensors",
        "/etc/passwd",
        "a/b.safetensors",
        "..",
        "C:\\x.safetensors",
        "",
    ],
)
def test_indices_of_parts(told, hostile, tmp_path, part):
    (hostile / "model.safetensors").rename(tmp_path / "outside.safetensors")
    (hostile / "model-1.bin").write_bytes(b"pickle")
    content = {"weight_map": {"embeddings.word_embeddings.weight": part}}
    (hostile / "model.safetensors.index.json").write_text(json.dumps(content))
    assert "without a path" in told()


@pytest.mark.parametrize("map_", [None, [], {}, 3, {"x": "gone.safetensors"}])
def test_indices_that_lead_nowhere(told, hostile, map_):
    (hostile / "model.safetensors").unlink()
    (hostile / "model.safetensors.index.json").write_text(json.dumps({"weight_map": map_}))
    assert "weight_map" in told() or "gone" in told()


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
def test_links_that_leave_the_folder(told, hostile, tmp_path, file):
    (hostile / file).rename(tmp_path / file)
    (hostile / file).symlink_to(tmp_path / file)
    assert "must lie in its folder" in told()


def test_a_snapshot_in_the_librarys_cache_is_of_links(command, hostile, tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshots").mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (hostile / name).rename(tmp_path / "blobs" / name)
        (hostile / name).symlink_to(f"../../blobs/{name}")
    hostile.rename(tmp_path / "snapshots" / "abc")
    there = "hf:" + str(tmp_path / "snapshots" / "abc")
    assert command("fit", "frozen", "lines.txt", "--encoder", there).code == 0


def head(content: bytes, size: int | None = None) -> bytes:
    return struct.pack("<Q", len(content) if size is None else size) + content


TENSOR = b'{"x":{"dtype":"F32","shape":%s,"data_offsets":[0,%d]}}'
WEIGHTS = {
    "nothing": b"",
    "a head beyond the end": head(b"{}", 2**60),
    "no JSON": head(b"{"),
    "more numbers than bytes": head(TENSOR % (b"[1000000000000]", 4_000_000_000_000)),
    "another size than its shape": head(TENSOR % (b"[1000000]", 4)) + b"\0" * 4,
    "a negative shape": head(TENSOR % (b"[-1]", 4)) + b"\0" * 4,
    "no weights": head(b"{}"),
    "a pickle": b"\x80\x04cposix\nsystem\n",
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_files_of_weights(told, hostile, name):
    (hostile / "model.safetensors").write_bytes(WEIGHTS[name])
    assert "model" in told()


@pytest.mark.parametrize("spoil", ["nan", "float8", "int8", "transposed", "renamed"])
def test_weights(told, hostile, spoil):
    weights = load_file(hostile / "model.safetensors")
    name = next(name for name in weights if name.endswith("intermediate.dense.weight"))
    weight = weights.pop(name)
    weights[name if spoil != "renamed" else "else"] = {
        "nan": weight.clone().fill_(torch.nan),
        "float8": weight.to(torch.float8_e4m3fn),
        "int8": weight.to(torch.int8),
        "transposed": weight.T.contiguous(),
    }.get(spoil, weight)
    save_file(weights, hostile / "model.safetensors", {"format": "pt"})
    assert "model" in told()


def split(pattern: str) -> dict:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


BOMB = {
    "type": "Sequence",
    "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 100}] * 6,
}
TOKENIZERS = {
    "nested repetition": {"pre_tokenizer": split("(a+)+$")},
    "a choice of the same": {"pre_tokenizer": split("(?:x|x|xx)+y")},
    "of words": {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [split("(?:cat|cat)+$")]}},
    "in a replacement": {
        "normalizer": {"type": "Replace", "pattern": {"Regex": r"(\w+\s?)+$"}, "content": "a"}
    },
    "a pattern that is none": {"pre_tokenizer": split("(")},
    "texts that explode": {"normalizer": BOMB},
    "an unknown part": {"pre_tokenizer": {"type": "Python", "code": "evil"}},
    "a broken map": {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_tokenizers(told, hostile, name):
    content = json.loads(tokenizer().json) | TOKENIZERS[name]
    (hostile / "tokenizer.json").write_text(json.dumps(content))
    assert "tokenizer.json" in told()


@pytest.mark.parametrize("id_", [4_000_000_000, 300, -1])
def test_ids_beyond_the_networks_vectors(told, hostile, id_):
    content = json.loads(tokenizer().json)
    content["model"]["vocab"]["zzz"] = id_
    (hostile / "tokenizer.json").write_text(json.dumps(content))
    assert "tokenizer" in told()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
def test_files_that_may_not_be_read(told, hostile, file):
    (hostile / file).chmod(0)
    assert file in told()


def test_common_tokenizers_are_not_tried_in_a_process(monkeypatch):
    """Trying takes a while; those of ours, of BERT's kind and of RoBERTa's are known."""
    monkeypatch.setattr(tokenizer_checks.subprocess, "run", lambda *a, **k: pytest.fail("tried"))
    for kind in ("bpe", "wordpiece", "unigram", "words", "characters", "bytes"):
        from replearn.data import train_tokenizer

        made = train_tokenizer(["the cat sat"] * 9, kind, size=300, lowercase=kind == "words")
        tokenizer_checks.check_tokenizer.__wrapped__(made.json)


def test_patterns_of_published_tokenizers_pass():
    gpt4 = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+"
    )
    content = json.loads(tokenizer().json) | {"pre_tokenizer": split(gpt4)}
    content["normalizer"] = {"type": "Prepend", "prepend": "▁"}
    tokenizer_checks.check_tokenizer.__wrapped__(json.dumps(content))
