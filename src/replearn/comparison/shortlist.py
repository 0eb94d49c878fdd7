"""Which methods `replearn auto` tries, and with which fields: what learns from such samples within minutes."""

import logging
from collections.abc import Sequence
from typing import Any

from replearn.comparison.checks import check_methods
from replearn.comparison.rows import with_seed
from replearn.data import Samples
from replearn.data.kinds import KINDS, PIXELS
from replearn.methods.registry import find_method, registry
from replearn.methods.trained import Trained

log = logging.getLogger("replearn")

# Methods that are tried unless others are named: the first of these that learn from such samples.
TRIED = (
    "clip",
    "simclr",
    "vicreg",
    "simcse",
    "bert",
    "rotation",
    "graphmae",
    "autoencoder",
    "mae",
    "exemplar",
    "cpc",
)
# What pays within minutes on small images (`benchmarks/results/unlike.md`, validation parts): more and cheaper steps.
WITHIN_MINUTES: dict[str, dict[str, Any]] = {
    "simclr": {"encoder": "resnet_tiny", "batch_size": 64, "temperature": 0.2},
}
LITTLE = 64  # pixels, up to which
AT_ONCE = 4


def shortlist(samples: Samples, names: Sequence[str] = (), *, seed: int = 0) -> dict[str, Any]:
    """The methods that are tried, by class name. One of `TRIED` that can't learn from so few or such samples is left
    out, and told.

    Args:
        samples: to learn from.
        names: as in the registry; none: at most four of `TRIED`.
        seed: of each.

    Raises:
        ValueError: one that is named is unknown, learns in no steps or not from these samples; or none of `TRIED` can.
    """
    known = registry()
    entries = [find_method(name) for name in names] or [
        known[name] for name in TRIED if samples.kind in known[name].kinds
    ]
    found: dict[str, Any] = {}
    for entry in entries:
        name, method = entry.cls.__name__, with_seed(entry.cls(**within_minutes(entry.name, samples)), seed)
        if not isinstance(method, Trained):
            raise ValueError(
                f"methods must learn in steps, to be given minutes; {name} does not. Leave it out."
            )
        try:
            check_methods({name: method}, samples)
        except ValueError as error:
            if names:
                raise
            log.info("not tried: %s", error)
        else:
            found[name] = method
        if len(found) == AT_ONCE and not names:
            break
    if not found:
        raise ValueError(
            f"a method of {', '.join(TRIED)} must learn from these samples; none does. Name others (--methods)."
        )
    return found


def within_minutes(name: str, samples: Samples) -> dict[str, Any]:
    """The fields with which a method learns such samples better within minutes than by its defaults."""
    small = PIXELS in KINDS[samples.kind].offers and max(samples.shape[1:]) <= LITTLE
    return WITHIN_MINUTES.get(name, {}) if small else {}
