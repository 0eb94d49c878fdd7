"""Checks at the door of `FineTune`: each says what must hold, what came and what to do."""

from typing import get_args

import torch
from sklearn.exceptions import NotFittedError

from replearn.data import Batch, Description
from replearn.encoders import Encoder, TextEncoder
from replearn.encoders.kinds import NETWORKS
from replearn.encoders.modes import evaluating
from replearn.encoders.stages import NoStages
from replearn.encoders.two_halves import HeadedTexts
from replearn.transfer.features import MIXTURE, Pooling
from replearn.transfer.labels import nearest
from replearn.transfer.layer_groups import Levels
from replearn.transfer.tuning import Tuning

TRAINED = ("full", "frozen")
PAIRS = ("auto", "joined", "apart")
SHORTEST = 4  # tokens: two marks of a pair's texts, and one of each


def check_own_fields(model: Tuning) -> None:
    """Raises ValueError where a field of `FineTune` can't work."""
    for name, known in (("pooling", get_args(Pooling)), ("pairs", PAIRS)):
        value = getattr(model, name)
        if value not in known:
            raise ValueError(
                f"{name} must be one of {', '.join(known)}; got {value!r}. Did you mean {nearest(str(value), known)!r}?"
            )
    if model.trained not in TRAINED and (not isinstance(model.trained, int) or model.trained < 1):
        raise ValueError(
            f"trained must be full, frozen or a number of layers from 1 on; got {model.trained!r}. Try 2."
        )
    for name in ("encoder_rate", "layer_decay"):
        value = getattr(model, name)
        if value is not None and not 0 < value <= 1:
            raise ValueError(f"{name} must lie in (0, 1]; got {value}. Leave it out for the default.")
    if not 0 <= model.validation < 1:
        raise ValueError(f"validation is a share and must lie in [0, 1); got {model.validation}. Try 0.1.")
    if not 0 <= model.momentum < 1:
        raise ValueError(
            f"momentum must lie in [0, 1), or no step would change the average; got {model.momentum}. Try 0.99."
        )
    if model.least_steps < 0:
        raise ValueError(
            f"least_steps must not be negative; got {model.least_steps}. Leave it out for the default."
        )
    if model.fresh_layers < 0 or model.patience < 1:
        raise ValueError(
            f"fresh_layers must be at least 0 and patience at least 1; got {model.fresh_layers} and {model.patience}."
        )
    if model.trained == "frozen" and model.fresh_layers:
        raise ValueError(
            f"fresh_layers must be 0 where the encoder is frozen, or they would stay random; got {model.fresh_layers}."
        )
    if model.length is not None and model.length < SHORTEST:
        raise ValueError(
            f"length must be at least {SHORTEST} tokens; got {model.length}. Leave it out for all."
        )


def idle_fields(model: Tuning, kind: str) -> dict[str, str]:
    """Fields of `FineTune` that would do nothing as the others are, for samples of a kind, and why."""
    found: dict[str, str] = {}
    if model.trained == "frozen":
        why = "it is for layers that learn, and none does where the encoder is frozen"
        found |= dict.fromkeys(("encoder_rate", "layer_decay"), why)
        found["views"] = "samples are read once, before the training, where the encoder is frozen"
    if model.task not in ("classify", "regress"):
        found["views"] = (
            f"the task is {model.task}, whose answers are of words that views would move or leave out"
        )
    if model.epochs is not None:
        found["least_steps"] = "epochs are given, and it is for a training that has none"
    if not model.validation:
        found["patience"] = "no samples are held out for validation (validation=0)"
    if model.task != "pair":
        found["pairs"] = f"the task is {model.task}, which reads no pairs"
    if kind != "text":
        found["length"] = f"samples are of kind {kind}, and it counts tokens of texts"
    return found


def check_reading(model: Tuning, encoder: Encoder, levels: Levels) -> None:
    """Raises ValueError where an encoder can't do what is asked of it."""
    for name in ("trained", "fresh_layers"):
        value = getattr(model, name)
        if isinstance(value, int) and value > len(levels):
            raise ValueError(
                f"{name} must be at most {len(levels)}, the layers of the encoder; got {value}. Lower it."
            )
    if encoder.sequential:
        if model.task in ("tag", "span") and model.pooling not in ("auto", MIXTURE):
            raise ValueError(
                f"pooling is of whole texts, and {model.task} asks of each token; got {model.pooling!r}. Leave it out, "
                "or set mixture."
            )
        if isinstance(encoder.body, HeadedTexts) and model.pooling not in ("auto", "last", MIXTURE):
            raise ValueError(
                f"pooling of a network that reads its last state alone must be auto or mixture; got {model.pooling!r}. "
                "Leave it out."
            )
        return
    name = type(getattr(encoder, "method", encoder.body)).__name__
    if model.task not in ("classify", "regress"):
        raise ValueError(
            f"task {model.task!r} needs an encoder of texts that tells each token; got {name}. Use classify."
        )
    if model.pooling not in ("auto", MIXTURE):
        raise ValueError(
            f"pooling is for encoders of texts, but for mixture; got {model.pooling!r} for {name}. Leave it out."
        )


def layers_read(model: Tuning, encoder: Encoder, samples: Description) -> int:
    """How many layers the head reads: all that the encoder tells of, for a mixture.

    Raises:
        ValueError: the layers are not of one width, or the encoder tells of none.
    """
    if model.pooling != MIXTURE:
        return 1
    if not isinstance(encoder, TextEncoder):
        return _layers_of(encoder, samples)
    device = next(encoder.parameters()).device
    ids = torch.zeros(1, 2, dtype=torch.int64, device=device)
    tokens = encoder.vocabulary.tokens(ids, torch.ones_like(ids, dtype=torch.bool))
    with evaluating([encoder]), torch.inference_mode():
        return len(encoder.read(tokens, "layers"))


def _layers_of(encoder: Encoder, samples: Description) -> int:
    """How many layers an encoder of samples other than texts tells of."""
    device = encoder.mean.device
    content, unknown = NETWORKS[samples.kind].content(samples, 2, device), torch.full((2,), -1, device=device)
    with evaluating([encoder]), torch.inference_mode():
        try:
            widths = [h.shape[1] for h in encoder.layers(Batch(content, labels=unknown, index=unknown))]
        except NoStages:
            widths = []
    if set(widths) != {encoder.dim}:
        name, told = type(encoder.net).__name__, ", ".join(map(str, widths)) or "none that it tells of"
        raise ValueError(
            f"pooling by a mixture is of layers of {encoder.dim} numbers, as many as the representation has; those of "
            f"{name} have {told}. Leave it out."
        )
    return len(widths)


def check_fitted(model: Tuning) -> None:
    """Raises where nothing was learned yet."""
    if not model.modules():
        raise NotFittedError("FineTune must be fitted before it answers. Call fit, or FineTune.load.")


def check_held(share: float, held: int, n: int) -> None:
    """Raises ValueError where a part of n labelled samples is empty."""
    if share and not 0 < held < n:
        raise ValueError(
            f"validation must leave samples on both sides; {share} of {n} labelled ones holds out {held}. "
            f"{'Lower' if held else 'Raise'} it, or set it to 0."
        )
