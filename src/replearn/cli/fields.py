"""A method's hyperparameters as command-line options: its dataclass fields, or the parameters of
scikit-learn's class."""

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import tyro

from replearn.cli.options import is_union
from replearn.engine.run import METHOD
from replearn.methods import Entry, Model
from replearn.methods.ranges import check_stored
from replearn.methods.started import read_recipe

SEED = "random_state"
PLAIN = (int, float, str, bool, type(None))


def field_options(
    cls: type[Any], stored: dict[str, Any] | None = None, *, left_out: Collection[str] = ()
) -> type[Any]:
    """The fields of a method as a dataclass for `replearn.cli.options.parse`.

    Args:
        cls: of the method.
        stored: values to take where the command line gives none, instead of the class's defaults.
        left_out: names of fields that the command gives otherwise.
    """
    if issubclass(cls, Model):
        return _of_fields(cls, stored or {}, left_out)
    return _of_parameters(cls)


def make_method(cls: type[Any], options: Any, stored: dict[str, Any] | None = None) -> Any:
    """The method with the values that were parsed by `field_options`."""
    values = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    if issubclass(cls, Model):
        return cls(**values)
    given = {name: literal(value) for name, value in values.items() if value is not None}
    return cls(**_seeded(cls) | (stored or {}) | given)


def _seeded(cls: type[Any]) -> dict[str, Any]:
    """A seed for a class of scikit-learn that draws: bare, it would draw anew each time."""
    return {SEED: 0} if SEED in inspect.signature(cls).parameters else {}


def stored_fields(entry: Entry, run: Path) -> dict[str, Any]:
    """The fields of the run in a folder, if it is one of this method; else nothing.

    Raises:
        ValueError: its `method.json` is broken.
    """
    if not (run / METHOD).is_file():
        return {}
    content = read_recipe(run)
    if content["class"] != entry.cls.__name__:
        return {}
    if issubclass(entry.cls, Model):
        check_stored(entry.cls, content["fields"], run / METHOD)
        return dict(content["fields"])
    parameters = content["fields"].get("parameters")
    if not isinstance(parameters, dict):
        raise ValueError(f"{run / METHOD} must hold parameters among its fields; it does not. Fit again.")
    return dict(parameters)


def literal(text: str) -> Any:
    """A number, None, True or a text; nothing is evaluated.

    >>> literal("0.5"), literal("None"), literal("arpack")
    (0.5, None, 'arpack')
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _of_fields(cls: type[Any], stored: dict[str, Any], left_out: Collection[str]) -> type[Any]:
    told = attribute_docs(cls)
    members: list[Any] = []
    for field in dataclasses.fields(cls):
        kind = plain_type(field.type)
        if kind is None or field.name in left_out:
            continue
        value = stored.get(field.name, field.default)
        default = field.default if isinstance(value, dict) else value
        default = tuple(default) if isinstance(default, list) else default  # as JSON has a tuple
        note = tyro.conf.arg(help=told.get(field.name, ""), metavar=_metavar(kind))
        members.append((field.name, Annotated[kind, note], dataclasses.field(default=default)))
    return dataclasses.make_dataclass(cls.__name__, members, kw_only=True)


def _of_parameters(cls: type[Any]) -> type[Any]:
    told, seeded = _parameter_docs(cls), _seeded(cls)
    members: list[Any] = []
    for name, parameter in inspect.signature(cls).parameters.items():
        note = tyro.conf.arg(
            help=told.get(name, ""),
            metavar="VALUE",
            help_behavior_hint=f"(default: {seeded.get(name, parameter.default)})",
        )
        members.append((name, Annotated[str | None, note], dataclasses.field(default=None)))
    return dataclasses.make_dataclass(cls.__name__, members, kw_only=True)


def plain_type(kind: Any) -> Any:
    """The part of a type that a command line can give, or None: `str | nn.Module` is `str` there."""
    if not is_union(kind):
        simple = kind in PLAIN or get_origin(kind) in (Literal, tuple)
        return kind if simple else None
    kinds = [member for member in get_args(kind) if member in PLAIN or get_origin(member) in (Literal, tuple)]
    if not set(kinds) - {type(None)}:
        return None
    union = kinds[0]
    for member in kinds[1:]:
        union = union | member
    return union


def attribute_docs(cls: type[Any]) -> dict[str, str]:
    """What the `Attributes:` of a class and its parents say of each field."""
    told: dict[str, str] = {}
    for parent in reversed(cls.__mro__):
        _, _, section = inspect.cleandoc(parent.__doc__ or "").partition("Attributes:\n")
        block = textwrap.dedent(section.partition("\n\n")[0])
        for entry in re.split(r"\n(?=\S)", block):
            names, colon, text = entry.partition(":")
            if colon:
                told |= {name.strip(): " ".join(text.split()) for name in names.split(",")}
    return told


def _parameter_docs(cls: type[Any]) -> dict[str, str]:
    """`name : type` of a docstring in numpy's style, without the default."""
    lines = re.findall(r"^    (\w+) : (.+)$", cls.__doc__ or "", flags=re.MULTILINE)
    return {name: re.sub(r",? *default *=.*$", "", text).strip() for name, text in lines}


def _metavar(kind: Any) -> str | None:
    names = {int: "INT", float: "FLOAT", str: "TEXT"}
    found = [names[member] for member in (get_args(kind) if is_union(kind) else (kind,)) if member in names]
    return "|".join(found) or None
