"""Runs as encoders: what is read of one to start from, and how its encoder is made again without its folder.

A *recipe* is what `method.json` says of a method, its weights aside. A method whose encoder came from a run, or from
another method, keeps that one's recipe beside its own fields, and so on through all it came from.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from replearn.data import description_from_json
from replearn.encoders import (
    ENCODERS,
    Encoder,
    made_from,
    make_encoder,
    standing_in,
    weights_from,
)
from replearn.encoders.building import building_within
from replearn.engine.machine import random_state_kept
from replearn.engine.run import METHOD, WEIGHTS, count_numbers, open_run, read_json, read_tensors
from replearn.methods.outline import Outline
from replearn.methods.ranges import check_stored
from replearn.methods.registry import find_method
from replearn.views import view_from_json

Recipe = dict[str, Any]
PARTS = {"class": str, "fields": dict, "samples": dict}  # of a recipe, at least
TRAINED = "trained"  # the field of what puts an encoder to a task: its encoder is the one that it began with
ENCODER = "encoder_."  # how the names of an encoder's weights begin


def run_of(spec: Any) -> Path | None:
    """The run folder that an encoder's name leads to; None where it leads to none.

    Raises:
        ValueError: it is another folder.
    """
    if not isinstance(spec, str | Path) or spec in ENCODERS:
        return None
    folder = Path(spec).expanduser()
    if (folder / METHOD).is_file():
        return folder
    if folder.is_dir() and len(folder.parts) > 1:
        raise ValueError(
            f"encoder must be a run folder, with {METHOD} in it; {spec} is none. Write hf:{spec} for a folder of the "
            "Hugging Face libraries."
        )
    return None


def encoder_in(folder: Path, *, kind: str) -> Encoder:
    """The encoder of the run in a folder, as it was learned.

    Raises:
        ValueError: the run has none, has not ended, is broken, or reads samples of another kind.
    """
    recipe = read_recipe(open_run(folder))
    if "parameters" in recipe["fields"]:  # of scikit-learn
        raise ValueError(
            f"encoder must be of a method with an encoder; {recipe['class']}, whose run is in {folder}, has none. Take "
            "a run of a method of networks, such as SimCLR."
        )
    own = recipe["samples"]["kind"]
    if len({own, kind} - {"tokens"}) > 1:
        raise ValueError(
            f"an encoder must read samples of kind {kind}; the one in {folder} reads {own}. Take another run."
        )
    tensors = read_tensors(folder / WEIGHTS)  # which says so where the run has not ended
    bound = building_within(count_numbers(folder / WEIGHTS), folder / METHOD)
    with random_state_kept(), torch.no_grad(), weights_from(folder / WEIGHTS), bound:
        encoder = encoder_again(recipe)
    state = {name.removeprefix(ENCODER): value for name, value in tensors.items() if name.startswith(ENCODER)}
    try:
        encoder.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(
            f"{folder / WEIGHTS} must hold the encoder that {METHOD} describes; it does not "
            f"({str(error).splitlines()[1].strip():.200}). Copy both files from one run."
        ) from error
    encoder.recipe = json.dumps(recipe)
    return encoder.eval()


@contextmanager
def run_standing_in(spec: Any, kind: str) -> Iterator[None]:
    """While entered, the name of a run folder means the encoder in it; other names mean what they mean."""
    folder = run_of(spec)
    with standing_in(spec, encoder_in(folder, kind=kind) if folder else None):
        yield


def read_recipe(folder: Path) -> Recipe:
    """The recipe of the run in a folder.

    Raises:
        ValueError: there is none.
    """
    content = read_json(folder / METHOD)
    told = content if isinstance(content, dict) else {}
    wrong = [name for name, kind in PARTS.items() if not isinstance(told.get(name), kind)]
    if wrong:
        raise ValueError(f"{folder / METHOD} must hold {', '.join(wrong)}; it does not. Fit again.")
    return {name: value for name, value in content.items() if name != "versions"}


def recipe_of(encoder: Any) -> Recipe | None:
    """How a method's encoder is made again; None of modules that no method of ours has made."""
    told = getattr(encoder, "recipe", None) if isinstance(encoder, Encoder) else None
    recipe: Recipe | None = json.loads(told) if told else None
    return recipe


def mark(method: Outline, recipe: Recipe) -> None:
    """Let the method's encoder know how it is made again, unless it has parts that are not stored."""
    encoder = getattr(method, "encoder_", None)
    if isinstance(encoder, Encoder):
        whole = not isinstance(recipe["fields"].get("encoder"), dict) or _before(recipe)
        again = {name: value for name, value in recipe.items() if name != "versions"}
        encoder.recipe = json.dumps(again, default=str) if whole else None


def encoder_again(recipe: Recipe) -> Encoder:
    """The encoder that a method like this has, its weights aside.

    Raises:
        ValueError: the method has none, or one that was given as a module and is not stored.
    """
    own, before = recipe["fields"], _before(recipe)
    samples = description_from_json(recipe["samples"])
    if isinstance(own.get("encoder"), dict) and not before:
        raise ValueError(
            f"{recipe['class']} was fitted with an encoder of your own, {own['encoder']['module']}, which is not "
            "stored. Load the run, replearn.load(run, encoder=...), and give its encoder_."
        )
    inner = encoder_again(before) if before else None
    with made_from(recipe.get("folder")), standing_in(own.get("encoder"), inner):
        if TRAINED in own:
            again = inner or make_encoder(own["encoder"], samples)
            if "pooling" in own:
                again.read_as(own["pooling"], own["length"])
            return again
        fields = {name: _value(value) for name, value in own.items() if not _is_missing(value)}
        if inner is not None and isinstance(own["encoder"], dict):
            fields["encoder"] = inner
        cls = find_method(recipe["class"]).cls
        check_stored(cls, fields, METHOD)
        method = cls(**fields)
        method.samples_ = samples
        method.build(samples)
    encoder = getattr(method, "encoder_", None)
    if not isinstance(encoder, Encoder):
        raise ValueError(
            f"encoder must be of a method with an encoder; {recipe['class']} has none. Take another run, "
            "or teach an encoder by this one (`replearn fit distill DATA --teacher RUN`)."
        )
    return encoder


def _before(recipe: Recipe) -> Recipe | None:
    """The recipe that a method's encoder came from; of a FineTune, it is told among its samples."""
    before: Recipe | None = recipe.get("encoder") or recipe["samples"].get("recipe")
    return before


def _value(value: Any) -> Any:
    if isinstance(value, list):  # as JSON has a tuple
        return tuple(value)
    return view_from_json(value) if isinstance(value, dict) and "class" in value else value


def _is_missing(value: Any) -> bool:
    """Whether a field was a module or a view of one's own, which no encoder is made of."""
    return isinstance(value, dict) and "class" not in value
