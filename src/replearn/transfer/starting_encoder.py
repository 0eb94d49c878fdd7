"""Where the encoder to reuse comes from: a run, a fitted method, a name or a module. It is copied, never changed."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from torch import nn

from replearn.data import Description, description_from_json
from replearn.encoders import Encoder, make_encoder, meant_by
from replearn.encoders.kinds import NETWORKS
from replearn.engine.run import METHOD, read_json
from replearn.methods import Model
from replearn.methods.columns import bare
from replearn.methods.started import Recipe, as_encoder, recipe_of
from replearn.methods.store import to_json


def starting_encoder(
    spec: Any, samples: Description, *, whole: bool = False
) -> tuple[Encoder, Recipe | None]:
    """An encoder for such samples to start from, and how it is made again, where a method has made it.

    Args:
        spec: a run folder (which `_prepare` has read), a fitted method of ours, or what
            `replearn.encoders.make_encoder` takes.
        samples: what it is to read.
        whole: whether a method without one will do, all of it, for an encoder that doesn't learn.

    Raises:
        ValueError: there is none, or it reads other samples.
    """
    found = meant_by(spec)
    if isinstance(found, Model):
        if not found.modules():
            raise ValueError(
                f"encoder must be a fitted method; {type(found).__name__} is not fitted. Fit it first."
            )
        own = getattr(found, "encoder_", None)
        if not isinstance(own, Encoder) and not whole:
            raise ValueError(
                f"an encoder that learns must be a network; {type(found).__name__} has none. Leave it as it is "
                "(trained='frozen'), or take another method."
            )
        found = own if isinstance(own, Encoder) else as_encoder(found, to_json(found))
    recipe = recipe_of(found)
    if recipe is None:
        if not isinstance(found, str | nn.Module):
            raise ValueError(
                "encoder must be a fitted method with an encoder, a run folder, a name or a module; "
                f"{type(bare(found)).__name__} is none. Take a method of networks, such as SimCLR."
            )
        parts = NETWORKS[samples.kind].named(found, samples).values()
        if isinstance(found, str) and any(isinstance(meant_by(one), Encoder) for one, _ in parts):
            raise ValueError(
                f"a task begins with one run of pairs; got runs of members, {found}. Put them together first, by "
                "`replearn fit frozen` or `fit clip`, and give that run."
            )
        return make_encoder(found, samples), None
    own = description_from_json(recipe["samples"])
    if (own.kind, own.shape) != (samples.kind, samples.shape):
        raise ValueError(
            f"samples must be like those the encoder of {recipe['class']} reads, {own.kind} of shape {own.shape}; got "
            f"{samples.kind} of shape {samples.shape}. Resize them, or take an encoder for such samples."
        )
    return deepcopy(found), recipe


def samples_of(spec: Any) -> Description | None:
    """What an encoder was trained on, where that is known: of a run folder or a fitted method."""
    if isinstance(spec, str | Path):
        file = Path(spec).expanduser() / METHOD
        content = read_json(file) if file.is_file() else None
        return description_from_json(content["samples"]) if isinstance(content, dict) else None
    return getattr(spec, "samples_", None) if isinstance(spec, Model) else None
