"""What can be looked at inside a fitted method, whoever wrote it: its decoder, its code, its encoder's layers."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Samples
from replearn.encoders import Encoder
from replearn.encoders.modes import evaluating
from replearn.encoders.stages import NoStages
from replearn.engine.embed import embed_parts
from replearn.engine.machine import choose_for_inference
from replearn.methods.model import Model
from replearn.methods.reconstruction.coder import Generator
from replearn.methods.reconstruction.latent import Variational
from replearn.objectives.elbo import unit_kl

Decoder = Callable[[np.ndarray], np.ndarray]


def decoder_of(method: Any, shape: tuple[int, ...]) -> Decoder | None:
    """From codes `(n, k)` to samples `(n, *shape)` on the samples' scale; None of a method that has no decoder.

    Args:
        method: fitted, with `inverse_transform` or without.
        shape: of a sample.
    """
    inverse = getattr(method, "inverse_transform", None)
    if not callable(inverse):
        return None

    def decode(codes: np.ndarray) -> np.ndarray:
        modules = method.modules().values() if isinstance(method, Model) else ()
        with evaluating(modules), torch.inference_mode():
            found = np.asarray(inverse(np.asarray(codes, dtype=np.float32)))
        if found.size != len(codes) * prod(shape):
            raise ValueError(
                f"inverse_transform must return samples of shape {shape}; {type(method).__name__}'s returned "
                f"{found.shape} for {len(codes)} codes. Give the samples it was fitted on."
            )
        return found.reshape(len(codes), *shape)

    return decode


def encoder_of(method: Any) -> Encoder | None:
    """The encoder of a method, or None of one that has none."""
    encoder = getattr(method, "encoder_", None)
    return encoder if isinstance(encoder, Encoder) else None


def layers_of(method: Any, samples: Samples) -> list[Float[np.ndarray, "n _"]]:
    """What each layer of the method's encoder returns, pooled over positions; an empty list where none is known.

    Raises:
        ValueError: what a layer returns is not finite.
    """
    encoder = encoder_of(method)
    if encoder is None or not hasattr(encoder.body, "layers") or not len(samples):
        return []
    widths: list[int] = []

    def all_layers(batch: Batch) -> Tensor:
        found = encoder.layers(batch)
        widths[:] = [layer.shape[1] for layer in found]
        return torch.cat(found, dim=1)  # (n, d_1 + d_2 + ...)

    machine = choose_for_inference(method.device, method.precision)
    try:
        rows = np.concatenate(list(embed_parts(all_layers, [encoder], samples, machine)))
    except NoStages:  # a network of timm's that does not say
        return []
    return np.split(rows, np.cumsum(widths)[:-1], axis=1)


def divergences_of(method: Any, samples: Samples) -> Float[np.ndarray, " k"] | None:
    """What each unit of the code tells, in nats: its mean divergence from the prior; None without a prior."""
    if not isinstance(method, Variational) or not len(samples):
        return None
    machine = choose_for_inference(method.device, method.precision)
    modules = list(method.modules().values())
    told = embed_parts(lambda batch: unit_kl(*method.posterior(batch)), modules, samples, machine)
    return np.asarray(np.concatenate(list(told)).mean(axis=0))


def has_prior(method: Any) -> bool:
    """Whether codes are meant to be normally distributed, with mean 0 and variance 1."""
    return isinstance(method, Generator)
