"""Transformers that others trained: local folders as the Hugging Face libraries write them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from replearn.data.tokenizer import Tokenizer, read_tokenizer
from replearn.encoders.transformer import LENGTH, Transformer, the_library

FILES = ("config.json", "tokenizer.json", "model.safetensors")
# Their draws are torch's own, which other processes would not repeat: they are turned off.
ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")
WRITERS = ("ForCausalLM", "LMHeadModel")  # how classes end that tell the next token


def pretrained(path: Path) -> tuple[Transformer, Tokenizer]:
    """The transformer and the tokenizer in a local folder.

    A causal language model keeps its head where that is not the tokens' own vectors. Nothing is downloaded, no code
    in the folder is run, and of weights only safetensors are read.

    Raises:
        ValueError: the folder lacks a file, they can't be read, or logits are made in a way that is not known here.
    """
    tokenizer = folder_tokenizer(path)
    try:
        whole = _loaded(path)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path} must hold a model that transformers can read; {reason}") from error
    net = whole.base_model
    length = getattr(net.config, "max_position_embeddings", LENGTH)
    made = Transformer(net, length=min(length, LENGTH), causal=_is_causal(net), head=_head(whole, path))
    return made, tokenizer


def folder_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in such a folder.

    Raises:
        ValueError: the folder lacks a file, or its tokenizer can't be read.
    """
    missing = [name for name in FILES if not (path / name).is_file()]
    if missing:
        raise ValueError(
            f"hf: must name a local folder with {', '.join(FILES)}; {path} has no {', '.join(missing)}. "
            "Save the model and its (fast) tokenizer there by save_pretrained."
        )
    return read_tokenizer(path / "tokenizer.json")


def _loaded(path: Path) -> Any:
    """The library's network, with its head if it tells the next token."""
    library, local = the_library(), {"local_files_only": True, "trust_remote_code": False}
    config = library.AutoConfig.from_pretrained(path, **local)
    for name in ATTENTION_DROPOUT:
        if hasattr(config, name):
            setattr(config, name, 0.0)
    writes = any(name.endswith(WRITERS) for name in config.architectures or ())
    kind = library.AutoModelForCausalLM if writes else library.AutoModel
    with _no_bar(library):
        return kind.from_pretrained(path, config=config, use_safetensors=True, dtype=torch.float32, **local)


@contextmanager
def _no_bar(library: Any) -> Iterator[None]:
    """While entered, the library shows no progress of its own."""
    shown = library.utils.logging.is_progress_bar_enabled()
    library.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            library.utils.logging.enable_progress_bar()


@torch.no_grad()
def _is_causal(net: Any) -> bool:
    """Whether a token's state stays the same when the next token is another."""
    last = net.config.vocab_size - 1
    before, after = (net.eval()(input_ids=torch.tensor([[last, token]])) for token in (last, last - 1))
    return torch.equal(before.last_hidden_state[:, 0], after.last_hidden_state[:, 0])


@torch.no_grad()
def _head(whole: Any, path: Path) -> nn.Module | None:
    """What makes logits of states, unless it is the tokens' own vectors.

    Raises:
        ValueError: its logits are not those of the whole network, which changes them afterwards.
    """
    head = whole.get_output_embeddings()
    if head is None:
        return None
    ids = torch.tensor([[whole.config.vocab_size - 1]])
    told = whole.eval()(input_ids=ids, output_hidden_states=True)
    states, vectors = told.hidden_states[-1], whole.get_input_embeddings().weight
    for made, kept in ((states @ vectors.T, None), (head(states), head)):
        if torch.allclose(made, told.logits, rtol=1e-3, atol=1e-3):
            return kept  # type: ignore[no-any-return]
    raise ValueError(
        f"hf: must name a model whose logits are linear in its states; {type(whole).__name__} in {path} changes them "
        "afterwards. Save its base model alone to have it as an encoder."
    )
