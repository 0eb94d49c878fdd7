"""Which kinds of samples a method serves: those that offer what it needs, in data, views and encoders together.

A method says what it needs: in `needs`, and by its field `views`, for which a kind must be split as its `split` says.
"""

from dataclasses import fields, is_dataclass
from typing import Any

from torch import nn

from replearn.data.kinds import KINDS, ROWS
from replearn.encoders.kinds import ENCODER, NETWORKS, PATCHES
from replearn.views import Split
from replearn.views.kinds import VIEWS


def needs_of(cls: type[Any]) -> frozenset[str]:
    """What a class of methods needs of a kind; scikit-learn's need rows of numbers."""
    given = frozenset(getattr(cls, "needs", (ROWS,)))
    seen = is_dataclass(cls) and any(field.name == "views" for field in fields(cls))
    seen = seen and not cls.views_optional  # type: ignore[attr-defined]
    return given | {cls.split} if seen else given  # type: ignore[attr-defined]


def offers_of(kind: str) -> frozenset[str]:
    """What samples of a kind offer."""
    return KINDS[kind].offers | VIEWS[kind].offers | NETWORKS[kind].offers


def kinds_served(cls: type[Any]) -> tuple[str, ...]:
    """The kinds that a class of methods learns from: what it names in `kinds`, else those that offer its needs."""
    told: tuple[str, ...] | None = getattr(cls, "kinds", None)
    if told is not None:
        return told
    return tuple(kind for kind in KINDS if KINDS[kind].listed and needs_of(cls) <= offers_of(kind))


def lacking(method: Any, kind: str) -> frozenset[str]:
    """What a method needs and samples of a kind do not offer; what was given as a field needs no offer."""
    if getattr(method, "kinds", None) is not None:
        return frozenset() if kind in method.kinds else frozenset({kind})
    given = set()
    if isinstance(getattr(method, "views", None), Split):
        given.add(type(method).split)
    if isinstance(getattr(method, "encoder", None), nn.Module):
        given |= {ENCODER, PATCHES}
    return needs_of(type(method)) - offers_of(kind) - given
