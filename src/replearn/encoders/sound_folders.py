"""Networks over sounds that others trained: local folders as the Hugging Face libraries write them."""

import logging
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from replearn.encoders.filter_bank import HOP, RATE, WINDOW
from replearn.encoders.folder_nets import known, loaded, model_type, preprocessing, told_of
from replearn.encoders.modes import evaluating
from replearn.encoders.speech import HeardBody, HeardEncoder, Hearing, SpectrogramBody, WaveBody

log = logging.getLogger("replearn")

AST = "audio-spectrogram-transformer"
WAVES = ("wav2vec2", "hubert", "wavlm")


def pretrained_sounds(path: Path, *, rate: int, length: int) -> HeardEncoder:
    """The network in a local folder that hears sounds, for sounds like these.

    It hears at the rate that its folder names, to which sounds of another one are brought. SpecAugment, LayerDrop and
    dropout within attention are turned off: what they draw would not be the same on any number of processes.

    Args:
        path: the folder.
        rate: of the sounds, in Hz.
        length: rows of a sound.

    Raises:
        ValueError: the folder lacks a file, they can't be read, its network reads something else, or the sounds are
            too short for it.
    """
    named = model_type(path)
    if named not in (*WAVES, AST):
        raise ValueError(
            f"networks of folders that hear sounds are {', '.join((*WAVES, AST))}; {path} has one of {named}. Choose "
            "another folder, or an encoder by name, such as cnn."
        )
    net = loaded(path, "AutoModel")
    with told_of(path):
        hearing = _hearing(path, net)
        body = _body(net, hearing, rate)
    body.rows(length)  # before as much is taken as the folder asks for
    with told_of(path):
        _try(body)
    if rate != hearing.rate and not known():
        log.info("sounds of %s Hz are brought to the %s Hz of %s", f"{rate:,}", f"{hearing.rate:,}", path)
    return HeardEncoder(body, dim=body.dim, mean=torch.zeros(1), std=torch.ones(1))


def reach_of(body: nn.Module) -> float | None:
    """Seconds of a sound that a network hears at most; None where it hears all."""
    if not isinstance(body, SpectrogramBody):
        return None
    return (WINDOW + HOP * (int(body.front.frames) - 1)) / body.hearing.rate


def _hearing(path: Path, net: Any) -> Hearing:
    if again := known():
        return Hearing(**again["hearing"])
    otherwise = f"sounds are read as the library does by default, at {RATE:,} Hz"
    said, where = preprocessing(path, "feature_extractor", otherwise=otherwise)
    rate, normalise = said.get("sampling_rate", RATE), bool(said.get("do_normalize", True))
    if net.config.model_type != AST:
        return Hearing(rate, normalise, bool(said.get("return_attention_mask", False)))
    for name, own in (("num_mel_bins", net.config.num_mel_bins), ("max_length", net.config.max_length)):
        if said.get(name, own) != own:
            raise ValueError(f"{where} and its configuration differ in {name}: {said[name]} and {own}")
    if rate != RATE:
        raise ValueError(f"an AST must hear at {RATE:,} Hz; sampling_rate of {where} is {rate}")
    mean, std = said.get("mean", -4.2677393), said.get("std", 4.5689974)
    return Hearing(rate, normalise, mean=mean, std=std)


def _body(net: Any, hearing: Hearing, rate: int) -> HeardBody:
    if net.config.model_type == AST:
        return SpectrogramBody(net, hearing, rate=rate)
    if net.config.model_type == "wav2vec2" and net.config.add_adapter:
        raise ValueError("it has an adapter behind its states (add_adapter), which isn't read")
    kernels, strides = net.config.conv_kernel, net.config.conv_stride
    if not kernels or len(kernels) != len(strides) or min(*kernels, *strides) < 1:
        raise ValueError("it must name a kernel and a stride for each convolution, each from 1 on")
    net.feature_extractor._requires_grad = False  # what the library marks for its own way to save memory
    _plain(net)
    least = 1
    for kernel, stride in reversed(list(zip(kernels, strides, strict=True))):
        least = (least - 1) * stride + kernel
    return WaveBody(net, hearing, rate=rate, least=least)


@torch.no_grad()
def _try(body: HeardBody) -> None:
    """Let it hear as little as it can, so that what can't be heard is told now."""
    ratio = Fraction(1) if body.resample is None else Fraction(body.resample.down, body.resample.up)
    with evaluating([body]):
        body(torch.zeros(1, 1, math.ceil(body.least * ratio)))


def _plain(net: nn.Module) -> None:
    """Give weights that are computed of two parts as they are, since pickle can't keep such modules."""
    for module in list(net.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")
            module._load_state_dict_pre_hooks.clear()  # which read such weights from older files
