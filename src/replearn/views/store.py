"""Views as JSON and back. Reading looks class names up in a list and evaluates nothing."""

import dataclasses
import difflib
import inspect
from collections.abc import Iterator
from typing import Any

from replearn.data.samples import Batch
from replearn.views.base import Split, View
from replearn.views.compose import Chain
from replearn.views.kinds import VIEWS


def known_views() -> dict[str, type[View] | type[Split]]:
    """The classes that are looked up: replearn's views and splits, and those of kinds of other packages, by name."""
    others = (each for room in VIEWS.values() for each in room.stored)
    own = (each for each in (*_below(View), *_below(Split)) if each.__module__.startswith(f"{__package__}."))
    made = (each for each in own if hasattr(each, "__dataclass_fields__") and not inspect.isabstract(each))
    return {each.__name__: each for each in (*others, *made) if each is not NotStored}


def _below(base: type[Any]) -> Iterator[type[Any]]:
    """All classes that are made of this one."""
    for each in base.__subclasses__():
        yield each
        yield from _below(each)


def view_to_json(view: View | Split) -> dict[str, Any]:
    """A view or split as what JSON can hold: its class's name, and its fields.

    Raises:
        ValueError: if it, or a view within it, is not one of replearn's.

    >>> from replearn.views import Flip
    >>> view_to_json(Flip(0.5))
    {'class': 'Flip', 'probability': 0.5}
    """
    name = type(view).__name__
    if known_views().get(name) is not type(view) or not dataclasses.is_dataclass(view):
        raise ValueError(
            f"only replearn's own views can be stored; got {view!r}. Pass it again when loading."
        )
    given = (field.name for field in dataclasses.fields(view) if field.init)
    fields = {name: _to_json(getattr(view, name)) for name in given}
    return {"class": name, **fields}  # a keyword, so no field can have this name


@dataclasses.dataclass(frozen=True)
class NotStored(Split):
    """Stands for views of one's own, by their name, in a run that is loaded without them."""

    name: str

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        raise ValueError(
            f"the run was fitted with views of your own, {self.name}, which are not stored. "
            "Pass them to go on with it: load(run, views=...)."
        )


def split_to_json(split: Split) -> dict[str, Any]:
    """A split as what JSON can hold; of one that is not all replearn's own, its name, as `view`."""
    try:
        return view_to_json(split)
    except ValueError:
        return {"own": split.name if isinstance(split, NotStored) else type(split).__name__}


def view_from_json(stored: dict[str, Any]) -> View | Split:
    """The view or split that `view_to_json` stored.

    Raises:
        ValueError: if there is no view of that name, or it has no such field, or a field has a wrong value.
    """
    name = stored.get("class") if isinstance(stored, dict) else None
    classes = known_views()
    if not isinstance(name, str) or name not in classes:
        raise ValueError(
            f"a stored view must name one of replearn's views; got {name!r}.{nearest(str(name), [*classes])}"
        )
    known = classes[name]
    values = {field: _from_json(value) for field, value in stored.items() if field != "class"}
    fields = [field.name for field in dataclasses.fields(known) if field.init]  # type: ignore[arg-type]
    for field in values:
        if field not in fields:
            raise ValueError(f"{name} has no field {field!r}; it has {fields}.{nearest(field, fields)}")
    try:
        return Chain(*values.get("views", ())) if known is Chain else known(**values)
    except TypeError as error:
        raise ValueError(
            f"the stored fields of {name} must be numbers, lists and views; got {values}."
        ) from error


def _to_json(value: Any) -> Any:
    if isinstance(value, View | Split):
        return view_to_json(value)
    return [_to_json(item) for item in value] if isinstance(value, tuple) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        return view_from_json(value)
    return tuple(_from_json(item) for item in value) if isinstance(value, list) else value


def nearest(name: str, known: list[str]) -> str:
    """A sentence that asks for the name that is most like this one; nothing where none is like it."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""
