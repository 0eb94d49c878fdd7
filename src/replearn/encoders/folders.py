"""Transformers over texts that others trained: local folders as the Hugging Face libraries write them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from replearn.data.tokenizer import Tokenizer, read_tokenizer
from replearn.encoders.base import Encoder
from replearn.encoders.folder_files import CONFIG, PARTS, TOKENIZER, WEIGHTS, inside, read_object
from replearn.encoders.folder_nets import (
    MEMBERS,
    TEXT,
    Configuration,
    known,
    loaded,
    made_from,
    of_member,
    told_of,
    without_pooler,
)
from replearn.encoders.image_folders import projection_in, space_in
from replearn.encoders.speech import HeardBody
from replearn.encoders.text import Pooling, TextBody, TextEncoder
from replearn.encoders.towers import Towers
from replearn.encoders.transformer import LENGTH, Transformer
from replearn.encoders.two_halves import HeadedTexts, ProjectedTexts, Space, Unmasked, VisionBody

__all__ = ["configuration_of", "folder_tokenizer", "made_from", "of_member", "pretrained", "pretrained_head"]

FILES = (CONFIG, TOKENIZER, WEIGHTS)
PIECES, SETTINGS = "spiece.model", "tokenizer_config.json"
POOLING = "1_Pooling/config.json"  # of sentence encoders: how a text's states become one vector
POOLINGS: dict[str, Pooling] = {"pooling_mode_cls_token": "first", "pooling_mode_lasttoken": "last"}
CLIP_TEXTS, SIGLIP_TEXTS = "clip_text_model", "siglip_text_model"


def configuration_of(encoder: nn.Module) -> Configuration | None:
    """What makes the transformer in an encoder again, its weights aside, of each member apart; None of others."""
    if isinstance(encoder, Towers):
        found = {name: configuration_of(tower) for name, tower in encoder.towers.items()}
        return {MEMBERS: found} if any(found.values()) else None
    body = encoder.body if isinstance(encoder, Encoder) else None
    if isinstance(body, HeardBody):
        return {"network": _as_json(body.net.config), "hearing": asdict(body.hearing)}
    if isinstance(body, VisionBody):
        return {"network": _as_json(body.net.config)} | _space_of(body)
    if not isinstance(encoder, TextEncoder) or not isinstance(encoder.body.net, Transformer):
        return None
    told = {"network": _as_json(encoder.body.net.net.config), "pooling": encoder.body.pooling}
    pad = {"pad": encoder.body.pad} if isinstance(encoder.body, HeadedTexts) else {}
    return told | _space_of(encoder.body) | pad


def _space_of(body: nn.Module) -> dict[str, Any]:
    """The space that a half of a network shares with the other, as JSON."""
    space = getattr(body, "space", None)
    return {"space": asdict(space)} if isinstance(space, Space) else {}


def _as_json(config: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(config.to_json_string(use_diff=False))
    return found


def pretrained(path: Path) -> tuple[TextBody, Tokenizer | None]:
    """The network and the tokenizer in a local folder; no tokenizer within `made_from`.

    Nothing is downloaded, no code in the folder is run, and of weights only safetensors are read.

    Raises:
        ValueError: the folder lacks a file, or they can't be read.
    """
    again = known()
    tokenizer = None if again else folder_tokenizer(path)
    pooling = again["pooling"] if again else _pooling(path)
    net = without_pooler(loaded(path, "AutoModel", half=TEXT))
    with told_of(path):
        vectors = net.get_input_embeddings().num_embeddings
        if tokenizer and tokenizer.size > vectors:
            raise ValueError(
                f"its tokenizer has {tokenizer.size:,} tokens, and its network {vectors:,} vectors"
            )
        if net.config.model_type == SIGLIP_TEXTS:
            pad = int(again["pad"]) if again else _pad(path, net, tokenizer)
            whole = Unmasked(net, length=_length(net), causal=False)
            return HeadedTexts(whole, space_in(path, "siglip"), pad=pad), tokenizer
        made = Transformer(net, length=_length(net), causal=_is_causal(net))
        if net.config.model_type != CLIP_TEXTS:
            return TextBody(made, pooling=pooling), tokenizer
        return ProjectedTexts(made, projection_in(path, net, TEXT), space_in(path, "clip")), tokenizer


@torch.no_grad()
def pretrained_head(path: Path) -> nn.Module | None:
    """The layer from states to logits of the next token; None: the tokens' own vectors are all of it.

    So it is, too, where the folder holds a network without a head.

    Raises:
        ValueError: the folder's logits are made otherwise, or it can't be read.
    """
    whole = loaded(path, "AutoModelForCausalLM")
    with told_of(path):
        head = whole.get_output_embeddings()
        if head is None:
            return None
        ids = torch.tensor([[whole.config.vocab_size - 1]])
        read = whole.eval()(input_ids=ids, output_hidden_states=True)
        states, vectors = read.hidden_states[-1], whole.get_input_embeddings().weight
        for made, kept in ((states @ vectors.T, None), (head(states), head)):
            if torch.allclose(made, read.logits, rtol=1e-3, atol=1e-3):
                return kept  # type: ignore[no-any-return]
    raise ValueError(
        f"a language model's logits must be linear in its states; {type(whole).__name__} in {path} changes them "
        "afterwards. Use another model, or this one as an encoder only."
    )


def folder_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in such a folder.

    Raises:
        ValueError: the folder lacks a file, or its tokenizer can't be read.
    """
    missing = [name for name in FILES if not (path / name).is_file()]
    if TOKENIZER in missing and (path / PIECES).is_file():
        raise ValueError(
            f"hf: reads a tokenizer from {TOKENIZER}; {path} has {PIECES} alone. Convert it once, with sentencepiece: "
            f"`t = transformers.SiglipTokenizer('{PIECES}'); t._extra_ids = 0; "
            f"transformers.convert_slow_tokenizer.T5Converter(t).converted().save('{TOKENIZER}')`; the page on pairs "
            "also has how SigLIP drops capitals and signs."
        )
    if missing and not (missing == [FILES[-1]] and (path / PARTS).is_file()):
        raise ValueError(
            f"hf: must name a local folder with {', '.join(FILES)}; {path} has no {', '.join(missing)}. "
            "Save the model and its (fast) tokenizer there by save_pretrained."
        )
    return read_tokenizer(inside(path, TOKENIZER))


def _pad(path: Path, net: Any, tokenizer: Tokenizer | None) -> int:
    """The token that texts are filled up with: as the tokenizer's settings name it, else as the network's do."""
    said = read_object(inside(path, SETTINGS)).get("pad_token") if (path / SETTINGS).is_file() else None
    name = said.get("content") if isinstance(said, dict) else said
    found = tokenizer.inner.token_to_id(name) if tokenizer and isinstance(name, str) else None
    pad = net.config.pad_token_id if found is None else found
    most = net.get_input_embeddings().num_embeddings
    if not isinstance(pad, int) or not 0 <= pad < most:
        raise ValueError(
            f"it must name the token that texts are filled up with, below {most:,}; it says {pad}"
        )
    return pad


def _pooling(path: Path) -> Pooling:
    """How the folder says that states are pooled; their mean where it says nothing."""
    if not (path / POOLING).is_file():
        return "mean"
    said = read_object(inside(path, POOLING))
    return next((pooling for name, pooling in POOLINGS.items() if said.get(name)), "mean")


def _length(net: Any) -> int:
    """Tokens that it reads at most."""
    length = getattr(net.config, "max_position_embeddings", LENGTH)  # -1: any number
    for name, module in net.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            length = module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
    return min(length, LENGTH) if length > 0 else LENGTH


@torch.no_grad()
def _is_causal(net: Any) -> bool:
    """Whether a token's state stays the same when the next token is another."""
    last = net.config.vocab_size - 1
    before, after = (net.eval()(input_ids=torch.tensor([[last, token]])) for token in (last, last - 1))
    return torch.equal(before.last_hidden_state[:, 0], after.last_hidden_state[:, 0])
