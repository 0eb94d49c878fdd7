"""What installed packages bring by their entry points: a broken one is left out with its reason, and stops nothing."""

import importlib.metadata
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Brought = TypeVar("Brought")


def brought(
    group: str,
    accept: Callable[[Any], Brought],
    *,
    what: str,
    category: type[Warning],
) -> Iterator[Brought]:
    """What `accept` makes of each entry point of a group, in order.

    Args:
        group: of entry points.
        accept: loads one; whatever it raises is the reason why it is left out.
        what: it is, in the warning: "method".
        category: of the warning.

    Warns:
        category: one is left out, and why.
    """
    for point in importlib.metadata.entry_points(group=group):
        try:
            found = accept(point)
        except (Exception, SystemExit) as error:  # whatever their code raises
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            told = f"the {what} {point.name} ({point.value}) of another package is left out: {reason:.200}"
            warnings.warn(told, category, stacklevel=3)
            continue
        yield found
