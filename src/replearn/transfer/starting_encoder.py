"""Where the encoder to reuse comes from: a run, a fitted method, a name or a module. It is copied, never changed."""

from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

from torch import nn

from replearn.data import Description, description_from_json
from replearn.encoders import Encoder, TextEncoder, made_from, make_encoder
from replearn.encoders.text import Pooling as OnePooling
from replearn.engine.run import METHOD, read_json
from replearn.methods import Model, find_method
from replearn.methods.store import to_json
from replearn.views import view_from_json

Recipe = dict[str, Any]  # what makes a method again, without its weights


def starting_encoder(spec: Any, samples: Description) -> tuple[Encoder, Recipe | None]:
    """An encoder for such samples to start from, and of a method's how it is made again.

    Args:
        spec: a run folder, a fitted method of ours, or what `replearn.encoders.make_encoder` takes.
        samples: what it is to read.

    Raises:
        ValueError: there is none, or it reads other samples.
    """
    if isinstance(spec, str | Path) and (Path(spec).expanduser() / METHOD).is_file():
        from replearn.transfer.load import load  # which knows `FineTune`, which reads this

        return _encoder_of(load(Path(spec).expanduser()), samples)
    if isinstance(spec, str | Path) and Path(spec).expanduser().is_dir():
        raise ValueError(
            f"encoder must be a run folder, with {METHOD} in it; {spec} is none. Write hf:{spec} for a folder of the "
            "Hugging Face libraries."
        )
    if isinstance(spec, str | nn.Module):
        return make_encoder(spec, samples), None
    return _encoder_of(spec, samples)


def samples_of(spec: Any) -> Description | None:
    """What an encoder was trained on, where that is known: of a run folder or a fitted method."""
    if isinstance(spec, str | Path):
        file = Path(spec).expanduser() / METHOD
        content = read_json(file) if file.is_file() else None
        return description_from_json(content["samples"]) if isinstance(content, dict) else None
    return getattr(spec, "samples_", None) if isinstance(spec, Model) else None


def encoder_again(recipe: Recipe) -> Encoder:
    """The encoder that a method like this has, its weights aside."""
    with made_from(recipe.get("folder")):
        return _again(recipe)


def read_as(encoder: Encoder, pooling: str, length: int | None) -> None:
    """Make an encoder of texts pool their states so, and read so many tokens at most; others stay as they are."""
    if not isinstance(encoder, TextEncoder):
        return
    if pooling in get_args(OnePooling):
        encoder.body.pooling = pooling  # type: ignore[assignment]
    if length is not None:
        encoder.body.net.length = min(length, encoder.length)  # type: ignore[assignment]


def _again(recipe: Recipe) -> Encoder:
    told, own = recipe["samples"], recipe["fields"]
    if "task" in told:  # of a FineTune
        again = (
            encoder_again(told["recipe"])
            if told["recipe"]
            else make_encoder(own["encoder"], description_from_json(told))
        )
        read_as(again, own["pooling"], own["length"])
        return again
    cls = find_method(recipe["class"]).cls
    fields = {
        name: view_from_json(value) if isinstance(value, dict) and "class" in value else value
        for name, value in own.items()
    }
    method = cls(**fields)
    method.samples_ = description_from_json(told)
    method.build(method.samples_)
    return method.encoder_  # type: ignore[no-any-return]


def _encoder_of(method: Any, samples: Description) -> tuple[Encoder, Recipe]:
    encoder = getattr(method, "encoder_", None)
    name = type(method).__name__
    if not isinstance(method, Model) or not isinstance(encoder, Encoder):
        raise ValueError(
            f"encoder must be a fitted method with an encoder, a run folder, a name or a module; {name} has none. "
            "Fit it first, or take another method."
        )
    own = method.samples_
    if (own.kind, own.shape) != (samples.kind, samples.shape):
        raise ValueError(
            f"samples must be like those the encoder of {name} reads, {own.kind} of shape {own.shape}; got "
            f"{samples.kind} of shape {samples.shape}. Resize them, or take an encoder for such samples."
        )
    return deepcopy(encoder), to_json(method)
