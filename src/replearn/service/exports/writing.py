"""`export`: a fitted model into a folder for other programs, checked before it appears."""

import json
import logging
from dataclasses import asdict
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from replearn.engine.run import make_run, replacing
from replearn.service.exports.card import card
from replearn.service.exports.exported import Exported
from replearn.service.exports.forms import FORMS, Form
from replearn.service.exports.tokenizer_file import FILE, check_tokens, write_tokenizer

log = logging.getLogger("replearn")

TOLERANCE = 1e-4  # of the largest number
TRIED = (1, 2, 7)  # samples at a time
CARD, SIGNATURE = "README.md", "signature.json"


def export(
    model: Any, folder: str | Path, *, to: str, run: str | Path | None = None, licence: str | None = None
) -> float:
    """Write a fitted model for other programs, with a card that tells what it is.

    What is written is opened again as others will, and asked about random samples, 1, 2 and 7 at a time: its answers
    must be ours, up to 1e-4 of the largest number. Else nothing is written.

    Args:
        model: what `replearn.load` gives.
        folder: a new one.
        to: one of `FORMS`.
        run: its run folder, whose scores the card tells.
        licence: of the weights, for the card.

    Returns:
        The largest difference, as a part of the largest number.

    Raises:
        ValueError: the folder is there, the form is unknown or can't hold this model, or answers differ.
    """
    if to not in FORMS:
        near = get_close_matches(to, FORMS, n=1, cutoff=0.0)[0]
        raise ValueError(f"to must be one of {', '.join(FORMS)}; got {to!r}. Did you mean {near!r}?")
    folder = Path(folder)
    if folder.exists():
        raise ValueError(f"the folder must be new; {folder} exists. Delete it, or choose another name.")
    form = FORMS[to]
    exported = form.module(model, str(run or "this"))
    make_run(folder.parent)
    log.info("writing %s: tracing and checking a network takes seconds, a large one minutes", form.what)
    with replacing(folder) as part:
        part.mkdir()
        form.write(exported, part)
        if exported.texts is not None:
            if not (part / FILE).exists():
                write_tokenizer(exported.texts, part)
            check_tokens(exported.texts, partial(form.ids, part), form.cleaned)
        difference = check(exported, form, part)
        (part / SIGNATURE).write_text(
            json.dumps(signature(exported, form), indent=1) + "\n", encoding="utf-8"
        )
        bounds = {"difference": difference, "tolerance": TOLERANCE}
        told = card(exported, to, form, run=run, licence=licence, **bounds, told=form.told(exported, part))
        (part / CARD).write_text(told, encoding="utf-8")
    return difference


def check(exported: Exported, form: Form, folder: Path) -> float:
    """The largest difference between what a folder answers and what the model does, as a part of the largest number.

    Raises:
        ValueError: it is more than `TOLERANCE`, or the folder doesn't answer.
    """
    try:
        answer = form.reopen(folder)
        worst = max(_difference(exported, answer(*inputs), inputs) for inputs in _tries(exported))
    except Exception as error:  # libraries stop in many ways
        reason = " ".join(str(error).split())
        raise ValueError(
            f"what is written must answer as the run does; {form.what} stops ({type(error).__name__}: {reason:.150}). "
            "Nothing is kept: choose another form."
        ) from error
    if not worst <= TOLERANCE:
        raise ValueError(
            f"what is written must answer as the run does, up to {TOLERANCE:g} of the largest number; {form.what} "
            f"differs by {worst:.1e}. Nothing is kept: choose another form."
        )
    return worst


def signature(exported: Exported, form: Form) -> dict[str, Any]:
    """What goes in and comes out, for programs."""
    known = exported.model.samples_
    content: dict[str, Any] = {
        "inputs": [asdict(one) for one in exported.inputs],
        "outputs": [asdict(one) for one in form.outputs(exported)],
    }
    if exported.classes and form.all_outputs:
        content["classes"] = list(exported.classes)
    if known.reading is not None:
        content["columns"] = known.reading.to_json()
    if known.details:
        content["details"] = dict(known.details)
    return content


def _tries(exported: Exported) -> list[Any]:
    return [exported.drawn(n, seed=n) for n in TRIED]


def _difference(exported: Exported, found: list[np.ndarray], inputs: Any) -> float:
    own = exported.answers(inputs)
    worst = 0.0
    for h, other in zip(own, found, strict=False):  # some forms hold the representation alone
        if h.shape != other.shape:
            return float("inf")
        worst = max(worst, float(np.abs(h - other).max() / max(float(np.abs(h).max()), 1e-30)))
    return worst
