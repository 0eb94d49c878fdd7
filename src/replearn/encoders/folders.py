"""Transformers that others trained: local folders as the Hugging Face libraries write them.

A run that began with one keeps what makes the network again beside its own weights, so that it is whole without the
folder: `configuration_of` says it, and within `made_from` no folder is opened.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from replearn.data.tokenizer import Tokenizer, read_tokenizer
from replearn.encoders.base import Encoder
from replearn.encoders.building import building_within
from replearn.encoders.folder_files import (
    CONFIG,
    PARTS,
    TOKENIZER,
    WEIGHTS,
    check_configuration,
    count_weights,
    inside,
    read_object,
    read_state,
    weight_files,
)
from replearn.encoders.text import Pooling, TextBody, TextEncoder
from replearn.encoders.towers import Towers
from replearn.encoders.transformer import LENGTH, Transformer, the_library
from replearn.encoders.two_halves import ProjectedTexts, Space, VisionBody

log = logging.getLogger("replearn")

FILES = (CONFIG, TOKENIZER, WEIGHTS)
# Their draws are torch's own, which other processes would not repeat: they are turned off.
ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")
UNREAD = "pooler"  # of BERT's kind: a layer that nothing here asks for
WRITERS = ("ForCausalLM", "LMHeadModel")  # how classes end that tell the next token
POOLING = "1_Pooling/config.json"  # of sentence encoders: how a text's states become one vector
POOLINGS: dict[str, Pooling] = {"pooling_mode_cls_token": "first", "pooling_mode_lasttoken": "last"}
Configuration = dict[str, Any]  # of a folder's network, and its pooling, as JSON
PAIRED = "clip"  # a network of two halves, one of texts and one of images, and a linear map of each
MEMBERS = "members"
PREPROCESSOR, SCALING = "preprocessor_config.json", ("image_mean", "image_std")
VISION_TYPES = ("clip_vision_model", "vit", "deit", "dinov2")  # whose first token stands for the image
TEXT, VISION = "text", "vision"  # what its halves' weights and configurations begin with
_known: ContextVar[Configuration | None] = ContextVar("known", default=None)


def configuration_of(encoder: nn.Module) -> Configuration | None:
    """What makes the transformer in an encoder again, its weights aside, of each member apart; None of others."""
    if isinstance(encoder, Towers):
        found = {name: configuration_of(tower) for name, tower in encoder.towers.items()}
        return {MEMBERS: found} if any(found.values()) else None
    if isinstance(encoder, Encoder) and isinstance(encoder.body, VisionBody):
        return {"network": _as_json(encoder.body.net.config)} | _space_of(encoder.body)
    if not isinstance(encoder, TextEncoder) or not isinstance(encoder.body.net, Transformer):
        return None
    told = {"network": _as_json(encoder.body.net.net.config), "pooling": encoder.body.pooling}
    return told | _space_of(encoder.body)


def _space_of(body: nn.Module) -> dict[str, Any]:
    """The space that a half of a network shares with the other, as JSON."""
    space = getattr(body, "space", None)
    return {"space": asdict(space)} if isinstance(space, Space) else {}


def _as_json(config: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(config.to_json_string(use_diff=False))
    return found


@contextmanager
def made_from(configuration: Configuration | None) -> Iterator[None]:
    """While entered, a folder's network is made from this, with random weights; None: from the folder."""
    token = _known.set(configuration)
    try:
        yield
    finally:
        _known.reset(token)


@contextmanager
def of_member(name: str) -> Iterator[None]:
    """While entered within `made_from`, it is the network of this member that is made."""
    again = _known.get()
    with made_from(again[MEMBERS].get(name) if again and MEMBERS in again else again):
        yield


def pretrained(path: Path) -> tuple[TextBody, Tokenizer | None]:
    """The network and the tokenizer in a local folder; no tokenizer within `made_from`.

    Nothing is downloaded, no code in the folder is run, and of weights only safetensors are read.

    Raises:
        ValueError: the folder lacks a file, or they can't be read.
    """
    again = _known.get()
    tokenizer = None if again else folder_tokenizer(path)
    pooling = again["pooling"] if again else _pooling(path)
    net = _loaded(path, "AutoModel", half=TEXT)
    with _told_of(path):
        if isinstance(getattr(net, UNREAD, None), nn.Module):
            setattr(net, UNREAD, None)  # or processes would wait for its gradient
        known = net.get_input_embeddings().num_embeddings
        if tokenizer and tokenizer.size > known:
            raise ValueError(
                f"its tokenizer has {tokenizer.size:,} tokens, and its network {known:,} vectors"
            )
        made = Transformer(net, length=_length(net), causal=_is_causal(net))
        if net.config.model_type != f"{PAIRED}_{TEXT}_model":
            return TextBody(made, pooling=pooling), tokenizer
        return ProjectedTexts(made, *_projection(path, net, TEXT)), tokenizer


def pretrained_images(path: Path) -> Encoder:
    """The network in a local folder that reads images, and how these are scaled for it.

    Images are squares already; of other sizes than the network's they are resized.

    Raises:
        ValueError: the folder lacks a file, they can't be read, or its network reads something else.
    """
    again = _known.get()
    net = _loaded(path, "AutoModel", half=VISION)
    with _told_of(path):
        kind = net.config.model_type
        if kind not in VISION_TYPES:
            raise ValueError(f"its network is {kind}; of images {', '.join(VISION_TYPES)} are read")
        paired = kind == f"{PAIRED}_{VISION}_model"
        if isinstance(getattr(net, UNREAD, None), nn.Module):
            setattr(net, UNREAD, None)
        body = VisionBody(net, *_projection(path, net, VISION)) if paired else VisionBody(net)
        there = (path / PREPROCESSOR).is_file()
        if not again and not there:
            log.warning(
                "%s has no %s: images are scaled as if their mean and deviation were 0.5", path, PREPROCESSOR
            )
        said = {} if again or not there else read_object(inside(path, PREPROCESSOR))
        mean, std = (torch.tensor(said.get(name, [0.5] * 3), dtype=torch.float32) for name in SCALING)
        if mean.shape != (3,) or std.shape != (3,) or not (std > 0).all():
            raise ValueError(f"{PREPROCESSOR} must have three numbers in {' and '.join(SCALING)}")
        side = int(net.config.image_size)
    return Encoder(body, dim=body.dim, mean=mean, std=std, size=(side, side))


@torch.no_grad()
def _projection(path: Path, net: Any, half: str) -> tuple[nn.Linear, Space]:
    """The linear map of a half into the space of both, and that space."""
    made = nn.Linear(net.config.hidden_size, net.config.projection_dim, bias=False)
    if again := _known.get():
        return made, Space(**again["space"])
    state = read_state(weight_files(path))
    maps = {TEXT: state["text_projection.weight"], VISION: state["visual_projection.weight"]}
    made.weight.copy_(maps[half])
    name = hashlib.sha256(b"".join(maps[one].float().numpy().tobytes() for one in (TEXT, VISION)))
    return made, Space(name.hexdigest()[:16], float(state["logit_scale"].exp()))


@torch.no_grad()
def pretrained_head(path: Path) -> nn.Module | None:
    """The layer from states to logits of the next token; None: the tokens' own vectors are all of it.

    So it is, too, where the folder holds a network without a head.

    Raises:
        ValueError: the folder's logits are made otherwise, or it can't be read.
    """
    whole = _loaded(path, "AutoModelForCausalLM")
    with _told_of(path):
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
    if missing and not (missing == [FILES[-1]] and (path / PARTS).is_file()):
        raise ValueError(
            f"hf: must name a local folder with {', '.join(FILES)}; {path} has no {', '.join(missing)}. "
            "Save the model and its (fast) tokenizer there by save_pretrained."
        )
    return read_tokenizer(inside(path, TOKENIZER))


def _loaded(path: Path, kind: str, *, half: str = "") -> Any:
    """The library's network; without a head where the folder has none; of one with two halves the one that is named.

    Raises:
        ValueError: the folder can't be read.
    """
    library, again = the_library(), _known.get()
    if again:
        check_configuration(again["network"], f"the network of {path} in this run", tensors=0)
        with _told_of(path), _silent(library):
            config = library.AutoConfig.for_model(**again["network"])
            return getattr(library, _kind(config, kind)).from_config(config, dtype=torch.float32)
    files = weight_files(path)
    tensors, numbers = count_weights(files)
    content = read_object(inside(path, CONFIG))
    check_configuration(content, str(path / CONFIG), tensors=tensors)
    paired = bool(half) and content["model_type"] == PAIRED
    if paired:
        content = _half_of(content, half, path)
    with _told_of(path), _silent(library), building_within(numbers, path / CONFIG):
        config = library.AutoConfig.for_model(**content)
        for name in ATTENTION_DROPOUT:
            if hasattr(config, name):
                setattr(config, name, 0.0)
        with torch.device("meta"):
            cls = type(getattr(library, _kind(config, kind)).from_config(config))
        # Given what it needs, the library opens no file.
        net, found = cls.from_pretrained(
            None,
            config=config,
            state_dict=_state_of(files, f"{half}_model." if paired else ""),
            dtype=torch.float32,
            output_loading_info=True,
            local_files_only=True,
        )
    missing = sorted(name for name in found["missing_keys"] if UNREAD not in name)
    if missing:
        raise ValueError(
            f"{path} must hold all weights of a {type(net).__name__}; it lacks {len(missing)}, such as {missing[0]}. "
            "Save the model there once more, by save_pretrained."
        )
    return net


def _half_of(content: dict[str, Any], half: str, path: Path) -> dict[str, Any]:
    """The configuration of one half of a network of two."""
    own = content.get(f"{half}_config")
    if not isinstance(own, dict):
        raise ValueError(
            f"{path / CONFIG} must have a {half}_config; it has none. Save the model there again."
        )
    return own | {"model_type": f"{PAIRED}_{half}_model", "projection_dim": content["projection_dim"]}


def _state_of(files: list[Path], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin so, without the beginning."""
    state = read_state(files)
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def _kind(config: Any, kind: str) -> str:
    """The library's class for such a network: with a head where it has one and that is asked for."""
    own = tuple(config.architectures or ())
    if config.is_encoder_decoder or any(name.endswith("EncoderModel") for name in own):
        return "AutoModelForTextEncoding"  # the half that reads, where the library has a class for it
    return kind if any(name.endswith(WRITERS) for name in own) else "AutoModel"


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """While entered, whatever the library stops at is told as a fault of the folder: it stops in many ways."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"{path} must hold a model that transformers can read; {reason}") from error


@contextmanager
def _silent(library: Any) -> Iterator[None]:
    """While entered, the library shows no progress and no report of its own."""
    told = library.utils.logging
    shown, level = told.is_progress_bar_enabled(), told.get_verbosity()
    told.disable_progress_bar()
    told.set_verbosity_error()
    try:
        yield
    finally:
        told.set_verbosity(level)
        if shown:
            told.enable_progress_bar()


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
