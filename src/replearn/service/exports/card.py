"""The model card: what a model is, what it learned from, how good it is, how it is used, under which licence."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator
from torch import nn

from replearn.data import DATASETS
from replearn.engine.run import EVALUATION, read_json
from replearn.methods.store import versions
from replearn.report.provenance import in_words
from replearn.report.table import to_markdown
from replearn.service.exports.exported import SHOWN, Exported
from replearn.service.exports.forms import Form, loader

NONE = "not stated"


def card(
    exported: Exported,
    to: str,
    form: Form,
    *,
    run: str | Path | None,
    licence: str | None,
    difference: float,
    tolerance: float,
    told: str = "",
) -> str:
    """The card as Markdown, with a head as the Hugging Face hub reads it.

    Args:
        exported: the model.
        to: the form's name.
        form: of the export.
        run: the run folder, for its scores; or None.
        licence: of the weights.
        difference: the largest that was found.
        tolerance: the largest that is allowed.
        told: more about the form, for a reader.
    """
    model = exported.model
    judged = _judged(run)
    source = "a fitted model" if run is None else f"the run `{_plain(Path(run).resolve().name)}`"
    head = {
        "license": licence or "unknown",
        "library_name": "replearn",
        "tags": ["replearn", "feature-extraction"],
    }
    rows = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    parts = [
        "\n".join(["---", *rows, "---"]),
        f"# {type(model).__name__}, {form.what}",
        f"Written by replearn from {source}.",
        f"## Use\n\n```python\n{loader(exported, to)}\n```",
        _signature(exported, form),
        "Checked on random samples, 1, 2 and 7 at a time: its answers differ from the run's by at most "
        f"{difference:.1e} of the largest number ({tolerance:g} is allowed).",
        told,
        _data(exported, judged),
        _method(exported),
        _scores(judged, model),
        f"## Licence\n\nOf the weights: {licence or NONE}. Of the data: {_licence_of_data(judged)}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _signature(exported: Exported, form: Form) -> str:
    lines = ["| | name | numbers | shape | meaning |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| in | `{one.name}` | {one.dtype} | {_shape(one.shape)} | {one.meaning} |"
        for one in exported.inputs
    ]
    lines += [
        f"| out | `{one.name}` | {one.dtype} | {_shape(one.shape)} | {_plain(one.meaning)} |"
        for one in form.outputs(exported)
    ]
    lines.append("\nScaling is part of the model, except where the lines above do it. `n` may be any number.")
    reading = exported.model.samples_.reading
    if reading is not None:
        names = ", ".join(f"`{_plain(name)}`" for name in reading.names[:SHOWN])
        lines.append(f"Columns, in this order: {names}; what becomes of each is in `signature.json`.")
        if reading.told():
            lines.append(f"{_plain(reading.told())}.")
    return "\n".join(lines)


def _data(exported: Exported, judged: dict[str, Any]) -> str:
    known = exported.model.samples_
    size = " x ".join(map(str, known.shape))
    lines = [f"- {known.n:,} samples of kind {known.kind}" + (f", {size} each" if size else "")]
    if judged.get("data"):
        lines.append(f"- judged on `{_plain(str(judged['data'].get('data')))}`")
    lines.append(f"- fingerprint `{_plain(known.fingerprint)}`")
    return "## Data\n\n" + "\n".join(lines)


def _method(exported: Exported) -> str:
    model = exported.model
    lines = [f"- [{type(model).__name__}]({model.paper}), {model.year}"]
    for field in dataclasses.fields(model):
        value = getattr(model, field.name)
        if value != field.default and field.name != "device":
            module = isinstance(value, nn.Module | BaseEstimator)
            lines.append(f"- {field.name}: {_plain(type(value).__name__ if module else in_words(value))}")
    history = getattr(model, "history_", None)
    if history is not None and history.rows:
        last = history.rows[-1]
        lines.append(f"- trained for {last.get('step', 0):,.0f} steps")
    lines.append(f"- {_plain(in_words(versions()))}")
    return "## Method\n\nFields that are not the default:\n\n" + "\n".join(lines)


def _scores(judged: dict[str, Any], model: Any) -> str:
    if not judged and hasattr(model, "task_"):
        return "## Scores\n\nThose of the test part that `replearn finetune` printed; they are not kept with the run."
    if not judged:
        return "## Scores\n\nNot judged: `replearn evaluate` before the export would have told scores here."
    try:
        table = to_markdown(pd.DataFrame(judged["scores"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"{EVALUATION} must be as replearn wrote it; it is not ({error!r}). Evaluate again."
        ) from error
    return (
        "## Scores\n\nAccuracy in percent on samples kept apart, of a linear probe by number of labels and of kNN, "
        f"with half of the 95 % interval.\n\n{table}"
    )


def _judged(run: str | Path | None) -> dict[str, Any]:
    """What `evaluation.json` of a run says; nothing where there is none."""
    file = None if run is None else Path(run) / EVALUATION
    if file is None or not file.is_file():
        return {}
    found = read_json(file)
    return found if isinstance(found, dict) else {}


def _licence_of_data(judged: dict[str, Any]) -> str:
    data = judged.get("data")
    name = str(data.get("data")).partition(":")[0] if isinstance(data, dict) else ""
    return f"{DATASETS[name].licence} ({name})" if name in DATASETS else NONE


def _shape(shape: tuple[str | int, ...]) -> str:
    return " × ".join(map(str, shape))


def _plain(text: str) -> str:
    """Text of data or files on one line of Markdown, as it is."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>|#" else c for c in shown)
