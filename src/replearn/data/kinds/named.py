"""A kind by name, with settings where it has some: `series:length=100,stride=50`."""

import dataclasses
import difflib
from typing import Any, get_args

from replearn.data.kinds import KINDS
from replearn.data.kinds.base import Kind


def kind_named(spec: str | Kind) -> tuple[str, Kind]:
    """The name of a kind and what is said of it, with the settings that are given.

    Raises:
        ValueError: there is no such kind or setting, or a setting can't be as it is.

    >>> kind_named("series:length=100,stride=50")[1].stride
    50
    """
    if isinstance(spec, Kind):
        name = next((name for name, room in KINDS.items() if type(room) is type(spec)), "")
        return name, _checked(name, spec)
    name, _, settings = spec.partition(":")
    if name not in KINDS:
        near = difflib.get_close_matches(name, KINDS, n=1, cutoff=0.0)[0]
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {name!r}. Did you mean {near!r}?")
    room = KINDS[name]
    if not settings:
        return name, room
    known = _settings(room)
    given: dict[str, Any] = {}
    for part in settings.split(","):
        key, _, value = part.partition("=")
        if key not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise ValueError(f"settings of {name} must be written as name=value; got {part!r}, and {has}.")
        given[key] = _read(name, known[key], value)
    return name, _checked(name, dataclasses.replace(room, **given))  # type: ignore[type-var]


def _settings(room: Kind) -> dict[str, "dataclasses.Field[Any]"]:
    return {one.name: one for one in dataclasses.fields(room)} if dataclasses.is_dataclass(room) else {}


def _read(name: str, setting: "dataclasses.Field[Any]", value: str) -> Any:
    kinds = [kind for kind in get_args(setting.type) or (setting.type,) if kind is not type(None)]
    try:
        return kinds[0](value)
    except ValueError as error:
        raise ValueError(
            f"{setting.name} of {name} must be a number; got {value!r}. Write {name}:{setting.name}=100, say."
        ) from error


def _checked(name: str, room: Kind) -> Kind:
    """The same, if its settings are as large as they must be."""
    for key, setting in _settings(room).items():
        least, value = setting.metadata.get("least"), getattr(room, key)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if least is not None and value is not None and not (number and value >= least):
            raise ValueError(
                f"{key} of {name} must be at least {least}; got {value}. Leave it out for the default."
            )
    return room
