"""What `scale` trains: a method as it is asked for, and around it settings of which one thing is larger or smaller."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone

from replearn.data import Samples
from replearn.encoders.kinds import NETWORKS
from replearn.encoders.kinds.base import SIZES, sizes_in, sizes_of
from replearn.encoders.make import comes_with_weights
from replearn.evaluate.power_law import POINTS
from replearn.methods.reconstruction.coder import Coder
from replearn.views.defaults import preset_for
from replearn.views.kinds import VIEWS
from replearn.views.kinds.base import AS_THEY_ARE

AXES = ("samples", "epochs", "width", "depth", "encoder")
SHARES = {  # of what is asked for, that are measured unless values are given
    "samples": (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1),
    "epochs": (1 / 8, 1 / 4, 1 / 2, 1),
    "width": (1 / 4, 1 / 2, 1, 2),
    "depth": (1 / 2, 1, 2, 3),
}


@dataclass(frozen=True)
class Setting:
    """A training: on how many samples, for how many epochs, of which encoder; "" of a method without one."""

    samples: int
    epochs: int
    encoder: str

    @property
    def name(self) -> str:
        """For run folders."""
        return " ".join(
            part for part in (f"{self.samples} samples", f"{self.epochs} epochs", self.encoder) if part
        )


def planned(
    method: Any, train: Samples, by: Sequence[str], values: Sequence[str] = ()
) -> tuple[Setting, dict[str, list[tuple[float, Setting]]]]:
    """What is asked for, and by axis the value (0 of encoders) and setting of each training.

    Raises:
        ValueError: as `scale`.
    """
    if not hasattr(method, "transform"):
        raise ValueError(
            f"scale judges by samples that were not fitted on; {type(method).__name__} places no others. Choose "
            "another method."
        )
    epochs = int(getattr(method, "epochs", 0))
    encoder = network_of(method, train) if {*by} & {"width", "depth", "encoder"} else _spec(method)
    base, batch = Setting(len(train), epochs, encoder), int(getattr(method, "batch_size", 1))
    if values and len(by) != 1:
        raise ValueError(f"values belong to one axis; got {', '.join(by)}. Name one.")
    found: dict[str, list[tuple[float, Setting]]] = {}
    for axis in by:
        if axis not in AXES:
            raise ValueError(f"what is made larger must be of {', '.join(AXES)}; got {axis!r}.")
        if axis == "epochs" and not epochs:
            raise ValueError(
                f"{type(method).__name__} does not learn in epochs. Make its samples larger alone."
            )
        if axis == "encoder":
            names = dict.fromkeys([*values, base.encoder])
            if len(names) < POINTS:
                raise ValueError(
                    f"at least {POINTS} encoders must be named, {base.encoder} among them; got {', '.join(names)}. "
                    "Name others (--values)."
                )
            found[axis] = [(0.0, dataclasses.replace(base, encoder=name)) for name in names]
        else:
            now = {"samples": len(train), "epochs": epochs}.get(axis) or _size(base.encoder, axis, train)
            numbers = _numbers(axis, values, now, len(train))
            found[axis] = [(float(number), _with(base, axis, number, now, batch)) for number in numbers]
    return base, found


def network_of(method: Any, train: Samples) -> str:
    """The name of a method's encoder, with `auto` said.

    Raises:
        ValueError: it has none, or one that comes with weights.
    """
    spec = _spec(method)
    if not spec or comes_with_weights(spec):
        raise ValueError(
            f"a network is made larger where it is given by name and begins at random; {type(method).__name__} has "
            f"{spec or 'none'}. Make something else larger."
        )
    name, sizes = sizes_of(spec)
    if name == "auto":
        room = NETWORKS[train.kind]
        name = room.coder(train) if isinstance(method, Coder) else room.auto(train)
    return ":".join([name, *(f"{size}={value}" for size, value in sizes.items())])


def with_views(method: Any, train: Samples) -> Any:
    """The method with the views named that it would choose by all samples: by few it might choose others."""
    chooses = (
        getattr(method, "views", "") in (None, "auto") and getattr(method, "split", "") not in AS_THEY_ARE
    )
    if not chooses or not VIEWS[train.kind].presets:
        return method
    return clone(method).set_params(views=preset_for(train))


def configured(method: Any, setting: Setting) -> Any:
    """The method as a setting has it."""
    given: dict[str, Any] = {"epochs": setting.epochs} if setting.epochs else {}
    return clone(method).set_params(**given | ({"encoder": setting.encoder} if setting.encoder else {}))


def _spec(method: Any) -> str:
    spec = getattr(method, "encoder", "")
    return spec if isinstance(spec, str) else ""


def _size(spec: str, axis: str, train: Samples) -> int:
    name, sizes = sizes_of(spec)
    maker = NETWORKS[train.kind].bodies.get(name)
    known = {} if maker is None else sizes_in(maker)
    if axis not in known:
        others = ", ".join(
            key for key, maker in NETWORKS[train.kind].bodies.items() if axis in sizes_in(maker)
        )
        hint = f"Choose another encoder ({others}), or" if others else "Make something else larger, or"
        raise ValueError(f"{name} has no {axis} to set. {hint} name encoders (--by encoder --values ...).")
    return (known | sizes)[axis]


def _numbers(axis: str, values: Sequence[str], now: int, n: int) -> list[int]:
    """The numbers of an axis, in order."""
    least, most, step = SIZES.get(axis, (1, n if axis == "samples" else 2**31, 1))
    if values:
        if unfit := [value for value in values if not value.isdecimal() or not least <= int(value) <= most]:
            raise ValueError(f"{axis} must be whole numbers from {least} to {most:,}; got {unfit[0]}.")
        numbers = [int(value) for value in values]
    else:
        numbers = [min(max(round(now * share / step) * step, least), most) for share in SHARES[axis]]
    found = sorted({*numbers, now})
    if len(found) < POINTS:
        raise ValueError(
            f"a law needs at least {POINTS} values; {axis} would have {', '.join(map(str, found))}. Name others "
            "(--values), or ask for more of it."
        )
    return found


def _with(base: Setting, axis: str, number: int, now: int, batch: int) -> Setting:
    if axis == "samples":  # for as many steps, of whole batches
        longer = max(1, base.samples // batch) / max(1, number // batch)
        return dataclasses.replace(base, samples=number, epochs=round(base.epochs * longer))
    if axis == "epochs":
        return dataclasses.replace(base, epochs=number)
    if number == now:
        return base
    name, sizes = sizes_of(base.encoder)
    written = [f"{size}={value}" for size, value in (sizes | {axis: number}).items()]
    return dataclasses.replace(base, encoder=":".join([name, *sorted(written, reverse=True)]))
