"""Views as JSON and back. Reading looks class names up in a list and evaluates nothing."""

import dataclasses
import difflib
from typing import Any

from replearn.data.samples import Batch
from replearn.views.base import Split, View
from replearn.views.colour import Brightness, Colour, Contrast, Grey, Hue, Saturation
from replearn.views.compose import Chain, Maybe, MultiCrop, Pair, Same
from replearn.views.filters import Blur, Cutout, Noise, Sobel, Solarize
from replearn.views.geometry import (
    Crop,
    Elastic,
    Flip,
    Resize,
    Rotate,
    Scale,
    Shear,
    Shift,
    VerticalFlip,
)
from replearn.views.grey_of import GreyOf
from replearn.views.groups import Groups
from replearn.views.guards import ChannelJitter, Coarse, DropChannels
from replearn.views.hidden import Hidden
from replearn.views.jigsaw import Jigsaw
from replearn.views.kinds import VIEWS
from replearn.views.noise import Masking, SaltAndPepper
from replearn.views.parts import Grid
from replearn.views.randaugment import RandAugment
from replearn.views.replace_words import ReplaceWords
from replearn.views.rotations import Rotations
from replearn.views.salient import Salient
from replearn.views.stroke import Stroke
from replearn.views.table import FeatureDrop, Jitter, Swap
from replearn.views.text import DropWords, Span
from replearn.views.tiles import Tiles

KNOWN: dict[str, type[View] | type[Split]] = {
    known.__name__: known
    for known in (
        *(
            Blur,
            Brightness,
            Chain,
            Colour,
            Contrast,
            Crop,
            Cutout,
            DropWords,
            Elastic,
            FeatureDrop,
            Flip,
            Grey,
            Hue,
            Jitter,
            Maybe,
        ),
        *(
            MultiCrop,
            Noise,
            Pair,
            Resize,
            Rotate,
            Same,
            Saturation,
            Scale,
            Shear,
            Shift,
            Sobel,
            Solarize,
            Span,
            Stroke,
            Swap,
        ),
        VerticalFlip,
        *(GreyOf, Grid, Groups, Hidden, Jigsaw, Rotations),
        *(Masking, SaltAndPepper, Salient),
        *(RandAugment, ReplaceWords),
        *(Tiles, ChannelJitter, Coarse, DropChannels),
    )
}


def known_views() -> dict[str, type[View] | type[Split]]:
    """The classes that are looked up: replearn's views and splits, and those of kinds of other packages, by name."""
    others = {each.__name__: each for room in VIEWS.values() for each in room.stored}
    return others | KNOWN


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
