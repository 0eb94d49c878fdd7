"""Where the numbers of all methods' fields must lie, by name: one field means the same in every method that has it.

A method that asks for more than this says so in its own `check` or `build`.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from replearn.methods.outline import Outline

LARGEST = 2**31 - 1
LARGEST_SEED = 2**63 - 1
WORKERS = 1024
# Counts, from 1 on.
COUNTS = frozenset(
    (
        *(
            "accumulate",
            "atoms",
            "batch_size",
            "blocks",
            "bottleneck",
            "cell",
            "chains",
            "classes",
            "colours",
            "dim",
            "directions",
            "drawn",
        ),
        *(
            "draws",
            "epochs",
            "gaussians",
            "gibbs_steps",
            "hidden",
            "inner_steps",
            "iterations",
            "least",
            "length",
            "mu",
            "order",
            "parts",
        ),
        *("permutations", "queries", "shots", "way"),
        *("patience", "projections", "prototypes", "side", "slice_size", "steps", "stride", "vocabulary"),
        *("window", "words", "workers", "width"),
    )
)
# Shares in [0, 1), of which something must be left.
SHARES = frozenset(("adversarial", "dropout", "frozen", "held_out", "smoothing", "warmup"))
WHOLE_SHARES = frozenset(
    ("bank_momentum", "centre_momentum", "gaussian", "momentum", "word_dropout")
)  # in [0, 1]
# Greater than 0.
POSITIVE = frozenset(
    (
        *(
            "discriminator_rate",
            "epsilon",
            "first_temperature",
            "inner_rate",
            "learning_rate",
            "max_minutes",
            "most",
            "rise",
            "scale",
        ),
        *("sharpening", "teacher_temperature", "temperature", "xi"),
    )
)
NUMBERS = frozenset((int, float, bool))
READING = frozenset(("least", "vocabulary"))  # used before a method is built
ANY = frozenset(("activity", "layer", "masked", "share", "threshold"))  # their methods say more


def check_sizes(method: Outline) -> None:
    """Raises ValueError where a field is no number though it must be, beyond all reason, or of no use to read texts."""
    check_numbers(method)
    _check(
        method, lambda name, value: _absurd(name, value) or (name in READING and _fault(name, value)) or None
    )


def check_numbers(method: Outline) -> None:
    """Raises ValueError where a field of numbers holds something else, or one of whole numbers a fraction."""
    for field in dataclasses.fields(method):
        kinds, value = set(get_args(field.type) or (field.type,)), getattr(method, field.name)
        if not {int, float} & kinds or kinds - NUMBERS - {NoneType} or (value is None and NoneType in kinds):
            continue
        whole = float not in kinds
        if (isinstance(value, bool) and bool not in kinds) or not isinstance(value, Real):
            fault = "be a number"
        elif whole and not isinstance(value, Integral):
            fault = "be a whole number"
        else:
            continue
        raise ValueError(f"{field.name} must {fault}; got {value!r:.80}. Leave it out for the default.")


def check_ranges(method: Outline) -> None:
    """Raises ValueError where a field is a number that can't be, and the method has not said so better itself."""
    _check(method, _fault)


def check_stored(cls: type[Any], stored: Mapping[str, Any], path: Path | str) -> None:
    """Raises ValueError where a `method.json` gives a field of numbers something else, or a number that can't be."""
    for field in dataclasses.fields(cls):
        kinds, value = set(get_args(field.type) or (field.type,)), stored.get(field.name, field.default)
        if kinds - NUMBERS - {NoneType} or (value is None and NoneType in kinds):
            continue
        fault = _fault_here(field.name, value) if isinstance(value, int | float) else "be a number"
        if fault:
            raise ValueError(
                f"{field.name} in {path} must {fault}; got {value!r:.80}. Restore the file, or fit again."
            )


def younger_fields(cls: type[Any]) -> dict[str, Any]:
    """Fields that are not their default in a run that is older than they, and what they are: how it was before."""
    return {
        field.name: field.metadata["before"]
        for field in dataclasses.fields(cls)
        if "before" in field.metadata
    }


def _fault_here(name: str, value: float) -> str | None:
    return None if isinstance(value, bool) or name in ANY else _absurd(name, value) or _fault(name, value)


def _check(method: Outline, fault_of: Callable[[str, Any], str | None]) -> None:
    for field in dataclasses.fields(method):
        value = getattr(method, field.name)
        if isinstance(value, bool) or not isinstance(value, int | float) or field.name in ANY:
            continue
        fault = fault_of(field.name, value)
        if fault:
            raise ValueError(f"{field.name} must {fault}; got {value}. Leave it out for the default.")


def _absurd(name: str, value: Any) -> str | None:
    most = {"workers": WORKERS, "random_state": LARGEST_SEED}.get(name, LARGEST)
    if isinstance(value, float):
        return None if math.isfinite(value) else "be a finite number"
    return None if abs(value) <= most else f"be at most {most:,}"


def _fault(name: str, value: Any) -> str | None:
    """What the number must be, where it is not."""
    if name in COUNTS:
        return None if value >= 1 else "be at least 1"
    if name in SHARES:
        return None if 0 <= value < 1 else "be a share and lie in [0, 1)"
    if name in WHOLE_SHARES:
        return None if 0 <= value <= 1 else "be a share and lie in [0, 1]"
    if name in POSITIVE:
        return None if value > 0 else "be greater than 0"
    return None if value >= 0 else "not be negative"
