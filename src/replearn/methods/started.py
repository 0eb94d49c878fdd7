"""Runs as encoders: what is read of one to start from, and how its encoder is made again without its folder.

A *recipe* is what `method.json` says of a method, its weights aside. A method whose encoder came from a run, or from
another method, keeps that one's recipe beside its own fields, and so on through all it came from.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from replearn.data import Description, Samples, description_from_json
from replearn.encoders import (
    ENCODERS,
    Encoder,
    made_from,
    make_encoder,
    meant_by,
    standing_in,
    weights_from,
)
from replearn.encoders.building import building_within
from replearn.encoders.folder_nets import MEMBERS
from replearn.encoders.kinds import NETWORKS
from replearn.engine.machine import here, random_state_kept
from replearn.engine.run import METHOD, WEIGHTS, count_numbers, open_run, read_json, read_tensors
from replearn.methods.as_encoder import FittedModel
from replearn.methods.outline import Outline
from replearn.methods.ranges import check_stored, younger_fields
from replearn.methods.registry import find_method
from replearn.views import Split, view_from_json
from replearn.views.store import NotStored

Recipe = dict[str, Any]
PARTS = {"class": str, "fields": dict, "samples": dict}  # of a recipe, at least
TRAINED = "trained"  # the field of what puts an encoder to a task: its encoder is the one that it began with
ENCODER = "encoder_."  # how the names of an encoder's weights begin
WIDTH = "width"  # in the recipe of a method that is all taken for an encoder: of few samples it may be less than asked


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
    if len(folder.parts) > 1 and not folder.exists() and not {":", "@", "="} & set(str(spec)):
        raise ValueError(f"encoder must be an existing run folder; {spec} is not. Choose another.")
    if folder.is_dir() and len(folder.parts) > 1:
        raise ValueError(
            f"encoder must be a run folder, with {METHOD} in it; {spec} is none. Write hf:{spec} for a folder of the "
            "Hugging Face libraries."
        )
    return None


def encoder_in(folder: Path, *, kind: str, whole: bool) -> Encoder:
    """The encoder of the run in a folder, as it was learned.

    Args:
        folder: of the run.
        kind: of the samples that it is to read.
        whole: of a run that has none, whether all of it is taken for one, which can't learn.

    Raises:
        ValueError: the run has none, has not ended, is broken, or reads samples of another kind.
    """
    recipe = read_recipe(open_run(folder))
    if "parameters" in recipe["fields"]:  # of scikit-learn
        raise ValueError(
            f"an encoder must be a network or a method of ours; {recipe['class']}, whose run is in {folder}, is of "
            "scikit-learn. Put its classifiers behind what `replearn embed` writes."
        )
    reads = recipe["samples"]["kind"]
    if len({reads, kind} - {"tokens"}) > 1:
        raise ValueError(
            f"an encoder must read samples of kind {kind}; the one in {folder} reads {reads}. Take another run."
        )
    tensors = read_tensors(folder / WEIGHTS)  # which says so where the run has not ended
    bound = building_within(count_numbers(folder / WEIGHTS), folder / METHOD)
    with random_state_kept(), torch.no_grad(), weights_from(folder / WEIGHTS), bound:
        encoder = encoder_again(recipe, whole=whole)
    model = encoder if isinstance(encoder, FittedModel) and TRAINED not in recipe["fields"] else None
    own = {name.removeprefix(ENCODER): value for name, value in tensors.items() if name.startswith(ENCODER)}
    try:
        (model.body if model else encoder).load_state_dict(tensors if model else own)
    except RuntimeError as error:
        raise ValueError(
            f"{folder / WEIGHTS} must hold the encoder that {METHOD} describes; it does not "
            f"({str(error).splitlines()[1].strip():.200}). Copy both files from one run."
        ) from error
    if model:
        return as_encoder(model.method, recipe)
    encoder.recipe = json.dumps(recipe)
    return encoder.eval()


def as_encoder(method: Outline, recipe: Recipe) -> Encoder:
    """A fitted method without a network as an encoder, which can't learn."""
    encoder = FittedModel(method)
    encoder.recipe = json.dumps(recipe | {WIDTH: encoder.dim}, default=str)
    return encoder.eval()


@contextmanager
def run_standing_in(spec: Any, samples: Samples, *, whole: bool) -> Iterator[None]:
    """While entered, the name of a run folder means the encoder in it; other names mean what they mean.

    Args:
        spec: the name, or a name for each member.
        samples: that it is to read.
        whole: see `encoder_in`.
    """
    named = NETWORKS[samples.kind].named(spec, samples).values()
    runs = [(one, folder, kind) for one, kind in named if (folder := run_of(one))]
    with standing_in(*((one, encoder_in(folder, kind=kind, whole=whole)) for one, folder, kind in runs)):
        yield


def started_from(spec: Any, samples: Samples) -> Recipe | None:
    """How the encoder that an encoder begins with is made again, of each member apart; None where no method made it."""
    named = NETWORKS[samples.kind].named(spec, samples)
    found = {name: recipe for name, (one, _) in named.items() if (recipe := recipe_of(meant_by(one)))}
    return found.get("", {MEMBERS: found}) if found else None


def started_again(started: Recipe | None, spec: Any, samples: Description) -> list[tuple[Any, Encoder]]:
    """The encoders that an encoder began with, their weights aside, each beside its name."""
    if not started:
        return []
    if MEMBERS not in started:
        return [(spec, encoder_again(started))]
    named, found = NETWORKS[samples.kind].named(spec, samples), []
    if not isinstance(started[MEMBERS], dict) or started[MEMBERS].keys() - named.keys():
        raise ValueError(f"{METHOD} must name encoders of the members {', '.join(named)}. Fit again.")
    for name, recipe in started[MEMBERS].items():
        encoder = encoder_again(recipe)
        encoder.recipe = json.dumps(recipe, default=str)  # by which it is known what it has learned from
        found.append((named[name][0], encoder))
    return found


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


def encoder_again(recipe: Recipe, *, whole: bool = False) -> Encoder:
    """The encoder that a method like this has, its weights aside.

    Args:
        recipe: of the method.
        whole: of a method that has none, whether all of it is taken for one (see `FittedModel`).

    Raises:
        ValueError: there is none, or it was given as a module and is not stored.
    """
    own, before = recipe["fields"], _before(recipe)
    if isinstance(own.get("encoder"), dict) and not before:
        raise ValueError(
            f"{recipe['class']} was fitted with an encoder of your own, {own['encoder']['module']}, which is not "
            "stored. Load the run, replearn.load(run, encoder=...), and give its encoder_."
        )
    if TRAINED in own:
        inner = encoder_again(before, whole=whole) if before else None
        with made_from(recipe.get("folder")):
            again = inner or make_encoder(own["encoder"], description_from_json(recipe["samples"]))
        if "pooling" in own:
            again.read_as(own["pooling"], own["length"])
        return again
    method = blank(find_method(recipe["class"]).cls, recipe)
    encoder = getattr(method, "encoder_", None)
    if isinstance(encoder, Encoder):
        return encoder
    if whole:
        return FittedModel(method, width=recipe.get(WIDTH))
    raise ValueError(
        f"an encoder that learns must be a network; {recipe['class']} has none. Take another run, leave this one as it "
        "is (FineTune(trained='frozen'), `replearn finetune --trained frozen`), or teach an encoder by it (`replearn "
        "fit distill DATA --teacher RUN`)."
    )


def _before(recipe: Recipe) -> Recipe | None:
    """The recipe that a method's encoder came from; of a FineTune, it is told among its samples."""
    before: Recipe | None = recipe.get("encoder") or recipe["samples"].get("recipe")
    return before


def blank(
    cls: type[Any],
    content: dict[str, Any],
    *,
    encoder: nn.Module | None = None,
    views: Split | None = None,
) -> Any:
    """The model of a class that a recipe tells of, its weights aside.

    Raises:
        ValueError: its encoder is not known here.
    """
    started, samples = content.get("encoder"), description_from_json(content["samples"])
    with random_state_kept(), torch.no_grad():
        again = started_again(started, content["fields"].get("encoder"), samples)
        only = again[0][1] if started and MEMBERS not in started else None
        method = cls(**_fields(cls, content["fields"], encoder or only, views))
        method.samples_, method._started = samples, started
        method.extensions_ = []
        if "recipes" in content:
            method.recipes_ = content["recipes"]
        with made_from(content.get("folder")), standing_in(*again):
            method.build(method.samples_)
    return method


def _fields(
    cls: type[Any], stored: dict[str, Any], encoder: nn.Module | None, views: Split | None
) -> dict[str, Any]:
    unknown = set(stored) - {field.name for field in fields(cls)}
    if unknown:
        raise ValueError(
            f"{METHOD} must name fields of {cls.__name__}; {', '.join(sorted(unknown))} is none. "
            "It was written by another version: install that one, or fit again."
        )
    check_stored(cls, stored, METHOD)
    for name in ("device", "precision"):
        if not isinstance(stored.get(name, ""), str):
            raise ValueError(f"{name} in {METHOD} must be a name; got {stored[name]!r}. Fit again.")
    own = isinstance(stored.get("views"), dict) and "own" in stored["views"]
    if views is not None and not own:
        raise ValueError("the run must have views of your own; it has none, or stores them. Leave views out.")
    values = {name: _value(value) for name, value in here(younger_fields(cls) | stored).items()}
    if isinstance(stored.get("encoder"), dict):
        if encoder is None:
            raise ValueError(
                f"the run was fitted with an encoder of your own, {stored['encoder']['module']}, which is not stored. "
                "Pass encoder=, the same module; its weights come from the run."
            )
        values["encoder"] = encoder
    if own:
        values["views"] = views or NotStored(str(stored["views"]["own"]))
    return values


def _value(value: Any) -> Any:
    if isinstance(value, list):  # as JSON has a tuple
        return tuple(value)
    return view_from_json(value) if isinstance(value, dict) and "class" in value else value
