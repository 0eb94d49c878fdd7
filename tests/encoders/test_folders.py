"""Local folders as the Hugging Face libraries write them are encoders."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

import transformers

import replearn
from made_folders import SIZES, TEXTS, batch, folder, made, saved, tokenizer
from replearn.data.text import TextSamples
from replearn.encoders import text_encoder
from replearn.transfer.layer_groups import levels_of

FOLDER = os.environ.get("REPLEARN_HF_FOLDER")


def test_a_local_folder_is_an_encoder(tmp_path: Path) -> None:
    from transformers import AutoModel

    encoder = text_encoder(f"hf:{folder(tmp_path)}", TextSamples(["something else"])).eval()
    assert (encoder.dim, encoder.length) == (16, 20)
    assert encoder.vocabulary.tokenizer == tokenizer()  # its own, not that of the samples
    net = AutoModel.from_pretrained(tmp_path).eval()
    ids = torch.tensor(tokenizer().encode([TEXTS[1][:10]], framed=True))
    with torch.no_grad():
        torch.testing.assert_close(encoder.tokens(batch(TEXTS[1][:10])), net(input_ids=ids).last_hidden_state)


def families() -> list[Any]:
    """Networks that read, as libraries of sentence encoders have them."""
    small = {name: value for name, value in SIZES.items() if name != "max_position_embeddings"}
    few = {"max_position_embeddings": 20, "vocab_size": tokenizer().size}
    t5 = {
        "d_model": 16, "num_layers": 2, "num_heads": 2, "d_ff": 32, "d_kv": 8, "vocab_size": tokenizer().size,
        "decoder_start_token_id": 0,
    }  # fmt: skip
    xlnet = transformers.XLNetConfig(d_model=16, n_layer=2, n_head=2, d_inner=32, vocab_size=tokenizer().size)
    return [
        pytest.param(transformers.RobertaModel(transformers.RobertaConfig(**small, **few)), 18, id="RoBERTa"),
        pytest.param(transformers.MPNetModel(transformers.MPNetConfig(**small, **few)), 18, id="MPNet"),
        pytest.param(transformers.ElectraModel(transformers.ElectraConfig(**small, **few)), 20, id="ELECTRA"),
        pytest.param(transformers.T5EncoderModel(transformers.T5Config(**t5)), 512, id="T5's encoder"),
        pytest.param(transformers.T5Model(transformers.T5Config(**t5)), 512, id="T5"),
        pytest.param(transformers.XLNetModel(xlnet), 512, id="XLNet"),
    ]


@pytest.mark.parametrize(("net", "length"), families())
def test_folders_of_other_families_are_encoders(net: Any, length: int, tmp_path: Path) -> None:
    saved(net, tmp_path)
    encoder = made(f"hf:{tmp_path}").eval()
    assert encoder.length == length
    texts = (*TEXTS, TEXTS[1] * 20)
    h = encoder(batch(*texts))
    assert h.shape == (4, 16)
    torch.testing.assert_close(h[2:3], encoder(batch(texts[2])), rtol=1e-3, atol=1e-4)  # whatever fills it up
    assert len(levels_of(encoder)) == 2


def test_a_network_that_reads_and_writes_by_halves_is_refused(tmp_path: Path) -> None:
    config = transformers.BartConfig(
        d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        vocab_size=tokenizer().size,
    )  # fmt: skip
    saved(transformers.BartModel(config), tmp_path)
    with pytest.raises(ValueError, match="must hold a model that transformers can read"):
        made(f"hf:{tmp_path}")


def test_all_that_is_read_of_a_folder_has_a_gradient(tmp_path: Path) -> None:
    encoder = made(f"hf:{folder(tmp_path)}")  # else two processes would wait for each other
    encoder(batch(*TEXTS)).pow(2).sum().backward()
    assert [name for name, weight in encoder.named_parameters() if weight.grad is None] == []


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_folder_that_lacks_a_file_is_refused(missing: str, tmp_path: Path) -> None:
    (folder(tmp_path) / missing).unlink()
    with pytest.raises(ValueError, match=f"has no {missing}"):
        made(f"hf:{tmp_path}")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", "{", "must be a JSON object"),
        ("config.json", '{"model_type": "no such model"}', "must hold a model"),
        ("tokenizer.json", "{}", "tokenizer.json"),
    ],
)
def test_a_broken_folder_is_refused(file: str, content: str, message: str, tmp_path: Path) -> None:
    (folder(tmp_path) / file).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as error:
        made(f"hf:{tmp_path}")
    assert "\n" not in str(error.value)


def test_a_broken_file_of_weights_is_refused(tmp_path: Path) -> None:
    (folder(tmp_path) / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="must be a whole safetensors file"):
        made(f"hf:{tmp_path}")


def test_a_file_that_lacks_weights_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from safetensors.torch import load_file, save_file

    file = folder(tmp_path) / "model.safetensors"
    weights = load_file(file)
    gone = next(name for name in weights if "layer.1" in name)
    save_file({name: part for name, part in weights.items() if name != gone}, file, {"format": "pt"})
    capfd.readouterr()
    with pytest.raises(ValueError, match=f"all weights of a BertModel; it lacks 1, such as {gone}"):
        made(f"hf:{tmp_path}")
    save_file({name: part for name, part in weights.items() if "pooler" not in name}, file, {"format": "pt"})
    assert made(f"hf:{tmp_path}").dim == 16
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("said", "pooling"), [("cls_token", "first"), ("lasttoken", "last"), ("mean_tokens", "mean")]
)
def test_states_are_pooled_as_the_folder_says(said: str, pooling: str, tmp_path: Path) -> None:
    folder(tmp_path)
    assert made(f"hf:{tmp_path}").body.pooling == "mean"
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(f'{{"pooling_mode_{said}": true}}')
    assert made(f"hf:{tmp_path}").body.pooling == pooling
    replearn.Frozen(encoder=f"hf:{tmp_path}").fit([*TEXTS], run=tmp_path / "run")
    assert replearn.load(tmp_path / "run").encoder_.body.pooling == pooling
    (tmp_path / "1_Pooling" / "config.json").write_text("[]")
    with pytest.raises(ValueError, match=r"1_Pooling/config\.json must be a JSON object"):
        made(f"hf:{tmp_path}")


def test_weights_may_lie_in_parts(tmp_path: Path) -> None:
    whole, parts = folder(tmp_path / "whole"), tmp_path / "parts"
    transformers.BertModel.from_pretrained(whole).save_pretrained(parts, max_shard_size="10KB")
    (parts / "tokenizer.json").write_text(tokenizer().json, encoding="utf-8")
    assert not (parts / "model.safetensors").exists()
    expected = made(f"hf:{whole}").state_dict()
    torch.testing.assert_close(made(f"hf:{parts}").state_dict(), expected)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no config\.json, tokenizer\.json, model\.safetensors"):
        made(f"hf:{tmp_path / 'nowhere'}")


@pytest.mark.skipif(not FOLDER, reason="set REPLEARN_HF_FOLDER to a local folder of a sentence encoder")
@torch.no_grad()
def test_a_real_model_knows_which_sentences_are_alike() -> None:
    encoder = made(f"hf:{FOLDER}").eval()
    h = nn.functional.normalize(
        encoder(
            batch("A man plays the guitar.", "Someone is making music on a guitar.", "The stock market fell.")
        )
    )
    alike = h @ h.T
    assert alike[0, 1] > alike[0, 2] + 0.3
