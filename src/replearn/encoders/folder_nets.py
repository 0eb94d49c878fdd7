"""The library's network in a local folder, with its weights; or one like it, of what a run kept of it.

A run that began with a folder keeps what makes the network again beside its own weights, so that it is whole without
the folder: within `made_from` no folder is opened.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import torch
from torch import nn

from replearn.data.reasons import reason_of
from replearn.encoders.building import building_within
from replearn.encoders.folder_files import (
    CONFIG,
    check_configuration,
    count_weights,
    inside,
    read_object,
    read_state,
    weight_files,
)
from replearn.encoders.transformer import the_library

log = logging.getLogger("replearn")

# What is drawn while a network learns must be the same on any number of processes: what is not is turned off. These are
# dropout within attention, layers that are left out, and frames of sounds that are hidden.
OFF: Mapping[str, Any] = {
    "attention_probs_dropout_prob": 0.0,
    "attention_dropout": 0.0,
    "attn_pdrop": 0.0,
    "layerdrop": 0.0,
    "apply_spec_augment": False,
    "mask_time_prob": 0.0,
    "mask_feature_prob": 0.0,
}
UNREAD = "pooler"  # of BERT's kind: a layer that nothing here asks for
WRITERS = ("ForCausalLM", "LMHeadModel")  # how classes end that tell the next token
TEXT, VISION = "text", "vision"  # what the halves of a network of two are called
PAIRED = ("clip", "siglip")  # networks of two halves, one of texts and one of images
UNLISTED = {"siglip_text_model": "SiglipTextModel"}  # which the library finds by no configuration
MEMBERS = "members"
PREPROCESSOR, PROCESSOR = "preprocessor_config.json", "processor_config.json"
Configuration = dict[str, Any]  # of a folder's network, and how it reads, as JSON
_known: ContextVar[Configuration | None] = ContextVar("known", default=None)


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


def known() -> Configuration | None:
    """What a network is made from, within `made_from`."""
    return _known.get()


def model_type(path: Path) -> str:
    """What the library calls the network in a folder.

    Raises:
        ValueError: there is no such folder, or it says nothing of its network.
    """
    if again := _known.get():
        return str(again["network"].get("model_type"))
    if not (path / CONFIG).exists():
        there = f"{path} has no {CONFIG}" if path.is_dir() else f"there is no folder {path}"
        raise ValueError(
            f"hf: must name a local folder that a model was saved into by save_pretrained; {there}. Nothing is "
            "downloaded: save the model there first."
        )
    content = read_object(inside(path, CONFIG))
    check_configuration(content, str(path / CONFIG), tensors=0)
    return str(content["model_type"])


def loaded(path: Path, kind: str, *, half: str = "") -> Any:
    """The library's network; without a head where the folder has none; of one with two halves the one that is named.

    Raises:
        ValueError: the folder can't be read.
    """
    library, again = the_library(), _known.get()
    if again:
        check_configuration(again["network"], f"the network of {path} in this run", tensors=0)
        with told_of(path), _silent(library):
            config = library.AutoConfig.for_model(**again["network"])
            return _random(library, config, kind)
    files = weight_files(path)
    tensors, numbers = count_weights(files)
    content = read_object(inside(path, CONFIG))
    check_configuration(content, str(path / CONFIG), tensors=tensors)
    paired = bool(half) and content["model_type"] in PAIRED
    if paired:
        content = _half_of(content, half, path)
    with told_of(path), _silent(library), building_within(numbers, path / CONFIG):
        config = library.AutoConfig.for_model(**content)
        for name, value in OFF.items():
            if hasattr(config, name):
                setattr(config, name, value)
        with torch.device("meta"):
            cls = type(_random(library, config, kind))
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


def without_pooler(net: Any) -> Any:
    """A network without the layer that nothing asks for, or processes would wait for its gradient."""
    if isinstance(getattr(net, UNREAD, None), nn.Module):
        setattr(net, UNREAD, None)
    return net


def preprocessing(path: Path, part: str, *, otherwise: str) -> tuple[dict[str, Any], str]:
    """How a folder says that samples are prepared, as JSON, and where it says so; nothing of one that does not.

    Args:
        path: the folder.
        part: what newer folders, which have one file for all, call it: `image_processor` or `feature_extractor`.
        otherwise: what happens where it says nothing, for a line of the log.
    """
    if (path / PREPROCESSOR).is_file():
        return read_object(inside(path, PREPROCESSOR)), PREPROCESSOR
    if (path / PROCESSOR).is_file():
        found = read_object(inside(path, PROCESSOR)).get(part)
        if isinstance(found, dict):
            return found, PROCESSOR
    log.warning("%s has no %s: %s", path, PREPROCESSOR, otherwise)
    return {}, PREPROCESSOR


def _half_of(content: dict[str, Any], half: str, path: Path) -> dict[str, Any]:
    """The configuration of one half of a network of two."""
    own = content.get(f"{half}_config")
    if not isinstance(own, dict):
        raise ValueError(
            f"{path / CONFIG} must have a {half}_config; it has none. Save the model there again."
        )
    shared = {"projection_dim": content["projection_dim"]} if "projection_dim" in content else {}
    return own | {"model_type": f"{content['model_type']}_{half}_model"} | shared


def _state_of(files: list[Path], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin so, without the beginning."""
    state = read_state(files)
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def _random(library: Any, config: Any, kind: str) -> Any:
    """The library's network of a configuration, with random weights."""
    own = UNLISTED.get(config.model_type)
    if own is not None:
        return getattr(library, own)._from_config(config, dtype=torch.float32)
    return getattr(library, _kind(config, kind)).from_config(config, dtype=torch.float32)


def _kind(config: Any, kind: str) -> str:
    """The library's class for such a network: with a head where it has one and that is asked for."""
    own = tuple(config.architectures or ())
    if config.is_encoder_decoder or any(name.endswith("EncoderModel") for name in own):
        return "AutoModelForTextEncoding"  # the half that reads, where the library has a class for it
    return kind if any(name.endswith(WRITERS) for name in own) else "AutoModel"


@contextmanager
def told_of(path: Path) -> Iterator[None]:
    """While entered, whatever the library stops at is told as a fault of the folder: it stops in many ways."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        reason = reason_of(error) or type(error).__name__
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
