"""Causal models in local folders go on as `GPT`, and runs that began with one need it no more."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

import transformers

import replearn
from made_folders import CORPUS, SIZES, TEXTS, folder, made, saved, tokenizer
from replearn.data.tokenizer import LAST
from replearn.methods import GPT
from replearn.transfer import FineTune


def writers() -> list[Any]:
    """Decoders whose output is the tokens' own vectors, or a layer of its own."""
    size = tokenizer().size
    torch.manual_seed(0)
    return [
        pytest.param(
            transformers.LlamaForCausalLM,
            transformers.LlamaConfig(**SIZES, vocab_size=size, tie_word_embeddings=True),
            id="tied",
        ),
        pytest.param(
            transformers.LlamaForCausalLM,
            transformers.LlamaConfig(**SIZES, vocab_size=size, tie_word_embeddings=False),
            id="a head of its own",
        ),
        pytest.param(
            transformers.GPT2LMHeadModel,
            transformers.GPT2Config(
                n_embd=16,
                n_layer=2,
                n_head=2,
                n_positions=64,
                vocab_size=size,
                bos_token_id=0,
                eos_token_id=0,
            ),
            id="GPT-2",
        ),
        pytest.param(
            transformers.OPTForCausalLM,
            transformers.OPTConfig(
                hidden_size=16,
                ffn_dim=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=64,
                vocab_size=size,
                word_embed_proj_dim=16,
                dropout=0.0,
            ),
            id="OPT",
        ),
        pytest.param(
            transformers.PhiForCausalLM,
            transformers.PhiConfig(**SIZES, vocab_size=size),
            id="a head with bias",
        ),
        pytest.param(
            transformers.OpenAIGPTLMHeadModel,
            transformers.OpenAIGPTConfig(n_embd=16, n_layer=2, n_head=2, n_positions=64, vocab_size=size),
            id="remembers nothing",
        ),
        pytest.param(
            transformers.MistralForCausalLM,
            transformers.MistralConfig(**SIZES, vocab_size=size, num_key_value_heads=2, sliding_window=4),
            id="remembers the last tokens",
        ),
    ]


@pytest.mark.parametrize(("kind", "config"), writers())
def test_a_decoder_tells_what_the_library_says(kind: Any, config: Any, tmp_path: Path) -> None:
    torch.manual_seed(1)
    net = saved(kind(config), tmp_path)
    model = GPT(encoder=f"hf:{tmp_path}", window=32).prepare(CORPUS)
    found = model.token_log_likelihoods(TEXTS)
    end = tokenizer().special(LAST)
    for text, nats in zip(TEXTS, found, strict=True):
        ids = torch.tensor([[end, *tokenizer().encode([text])[0], end]])
        with torch.no_grad():
            told = net(input_ids=ids[:, :-1]).logits.log_softmax(-1)
        np.testing.assert_allclose(nats, told.gather(2, ids[:, 1:, None]).flatten(), rtol=1e-3, atol=1e-3)
    assert np.std(found[1]) > 0.1
    greedy = net.generate(
        torch.tensor([[end, *tokenizer().encode([TEXTS[0]])[0]]]), max_new_tokens=5, do_sample=False
    )
    assert model.generate(TEXTS[0], tokens=5, temperature=0) == [tokenizer().decode(greedy[0, 1:].tolist())]


def test_a_decoder_can_go_on_learning(tmp_path: Path) -> None:
    config = transformers.LlamaConfig(**SIZES, vocab_size=tokenizer().size, tie_word_embeddings=False)
    saved(transformers.LlamaForCausalLM(config), tmp_path)
    model = GPT(encoder=f"hf:{tmp_path}", window=16, epochs=20, batch_size=2, learning_rate=1e-2).prepare(
        CORPUS
    )
    before, head = model.bits_per_character(CORPUS), model.head_.weight.clone()  # type: ignore[union-attr]
    model.fit(CORPUS)
    assert model.bits_per_character(CORPUS) < 0.5 * before
    assert not torch.equal(model.head_.weight, head)  # type: ignore[union-attr]
    model.save(tmp_path / "run")
    np.testing.assert_array_equal(
        replearn.load(tmp_path / "run").log_likelihoods(CORPUS), model.log_likelihoods(CORPUS)
    )


@pytest.mark.parametrize("tied", [True, False])
def test_a_run_is_whole_without_the_folder(tied: bool, tmp_path: Path) -> None:
    config = transformers.LlamaConfig(**SIZES, vocab_size=tokenizer().size, tie_word_embeddings=tied)
    saved(transformers.LlamaForCausalLM(config), tmp_path / "folder")
    model = GPT(encoder=f"hf:{tmp_path / 'folder'}", window=16, epochs=1, batch_size=2).fit(CORPUS)
    model.save(tmp_path / "run")
    texts, answers = [*CORPUS] * 4, ["long", "short"] * 4
    tuned = FineTune(encoder=str(tmp_path / "run"), epochs=1, batch_size=4).fit(texts, answers)
    tuned.save(tmp_path / "tuned")
    direct = FineTune(encoder=f"hf:{tmp_path / 'folder'}", epochs=1, batch_size=4).fit(texts, answers)
    direct.save(tmp_path / "direct")
    shutil.rmtree(tmp_path / "folder")
    again = replearn.load(tmp_path / "run")
    np.testing.assert_array_equal(again.log_likelihoods(TEXTS), model.log_likelihoods(TEXTS))
    assert again.get_params() == model.get_params()
    again.save(tmp_path / "copy")
    np.testing.assert_array_equal(replearn.load(tmp_path / "copy").transform(TEXTS), model.transform(TEXTS))
    shutil.rmtree(tmp_path / "run")
    for name, expected in (("tuned", tuned), ("direct", direct)):
        same = replearn.load(tmp_path / name)
        np.testing.assert_array_equal(same.predict_proba(texts), expected.predict_proba(texts))


def test_an_encoder_of_both_sides_is_no_language_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="GPT needs an encoder whose states do not know what follows"):
        GPT(encoder=f"hf:{folder(tmp_path)}", window=16).prepare(CORPUS)


def test_logits_that_are_changed_afterwards_are_refused(tmp_path: Path) -> None:
    config = transformers.Gemma2Config(
        **SIZES, num_key_value_heads=2, head_dim=8, vocab_size=tokenizer().size, final_logit_softcapping=2.0
    )
    saved(transformers.Gemma2ForCausalLM(config), tmp_path)
    with pytest.raises(ValueError, match=r"Gemma2ForCausalLM .* changes them afterwards"):
        GPT(encoder=f"hf:{tmp_path}", window=16).prepare(CORPUS)
    assert made(f"hf:{tmp_path}").dim == 16


def test_a_window_that_is_not_read_whole_is_refused(tmp_path: Path) -> None:
    config = transformers.GPT2Config(
        n_embd=16, n_layer=1, n_head=2, n_positions=40, vocab_size=tokenizer().size
    )
    saved(transformers.GPT2LMHeadModel(config), tmp_path)
    with pytest.raises(ValueError, match=r"window must be at most 40 tokens, which hf:.* reads; got 41\."):
        GPT(encoder=f"hf:{tmp_path}", window=41).prepare(CORPUS)
    assert GPT(encoder=f"hf:{tmp_path}", window=40).prepare(CORPUS).context == 39
