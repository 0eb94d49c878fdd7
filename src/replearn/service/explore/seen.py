"""A sample as the page shows it: name, and picture, sound or text, as its kind draws it in reports."""

import base64
import math
from typing import Any

import numpy as np

from replearn.data import Samples
from replearn.data.reasons import reason_of
from replearn.report.excerpts import LONG, excerpt, without_controls
from replearn.report.kinds import LOOKS
from replearn.report.thumbnails import LARGEST, png_uri, thumbnails
from replearn.service.curation.table import name_of

LEAST, MOST = 112, 224  # pixels of a large picture's side
WHOLE = 20_000  # characters of a text that is opened


def card(samples: Samples, position: int) -> dict[str, Any]:
    """What a list shows of a sample: `name`, and a small `picture`, or the beginning of a `text`.

    Where its file went away, `gone` says so.
    """
    return _guarded(samples, position, _small)


def whole_card(samples: Samples, position: int) -> dict[str, Any]:
    """The same of one that is opened: a larger `picture`, more of the `text`, and a `sound` to be played."""
    return _guarded(samples, position, _large)


def _guarded(samples: Samples, position: int, look: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": shown_name(samples, position)}
    try:
        return {**found, **look(samples, position)}
    except (OSError, ValueError, RuntimeError, KeyError, IndexError, EOFError) as error:
        why = without_controls(reason_of(error, 160))
        return {**found, "gone": f"This sample can't be read any more ({why})."}


def shown_name(samples: Samples, position: int) -> str:
    """The name of a sample, or its number."""
    name = name_of(samples, position)
    return f"no. {name}" if samples.names is None else without_controls(name)


def _small(samples: Samples, position: int) -> dict[str, Any]:
    shown = LOOKS[samples.kind].shown
    if shown == "text":
        return {"text": excerpt(samples, position)}
    return (
        {"picture": _picture(samples, position, min(LARGEST, _side(samples)))} if shown == "picture" else {}
    )


def _large(samples: Samples, position: int) -> dict[str, Any]:
    looks = LOOKS[samples.kind]
    if looks.shown == "text":
        told = without_controls(looks.text(samples, position)[:WHOLE])
        return {"text": told or excerpt(samples, position, length=LONG)}
    if looks.shown != "picture":
        return {}
    found = {"picture": _picture(samples, position, _side(samples))}
    heard = looks.heard(samples, position)
    if heard:
        found["sound"] = "data:audio/wav;base64," + base64.b64encode(heard).decode("ascii")
    return found


def _side(samples: Samples) -> int:
    """Of a large picture: small ones grow by a whole number, so that pixels stay even."""
    longest = LOOKS[samples.kind].cell(samples.shape)[1]
    return min(MOST, longest * math.ceil(LEAST / max(1, longest)))


def _picture(samples: Samples, position: int, side: int) -> str:
    return png_uri(thumbnails(samples, np.array([position]), side=side)[0])
