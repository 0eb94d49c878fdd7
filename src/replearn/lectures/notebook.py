"""A chapter as a Jupyter notebook, version 4.5 of the format, with what its cells showed.

See https://nbformat.readthedocs.io/en/latest/format_description.html
"""

import json
from collections.abc import Sequence
from typing import Any

from replearn.lectures.cells import Chapter
from replearn.lectures.running import Ran, Shown

FIGURES = "%matplotlib inline"  # without it a notebook shows figures as text
STREAMS = {"printed": "stdout", "warned": "stderr"}


def as_notebook(chapter: Chapter, cells: Sequence[Ran], command: str) -> str:
    """The notebook as JSON.

    Args:
        chapter: the chapter.
        cells: as they ran.
        command: that made it.
    """
    first: dict[str, Any] = {
        "cell_type": "code",
        "id": "figures",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": _lines(f"# Made by `{command}`\n{FIGURES}"),
    }
    count = 0
    found = [first]
    for number, ran in enumerate(cells, start=1):
        cell: dict[str, Any] = {"id": f"cell-{number}", "source": _lines(ran.cell.source)}
        if ran.cell.kind == "text":
            found.append({"cell_type": "markdown", "metadata": {}, **cell})
            continue
        count += ran.ran
        hidden = {"tags": ["solution"], "jupyter": {"source_hidden": True, "outputs_hidden": True}}
        found.append(
            {
                "cell_type": "code",
                "metadata": hidden if ran.cell.kind == "solution" else {},
                "execution_count": count if ran.ran else None,
                "outputs": [_output(shown, count) for shown in ran.shown],
                **cell,
            }
        )
    whole = {
        "cells": found,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": chapter.title,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _output(shown: Shown, count: int) -> dict[str, Any]:
    if shown.kind in STREAMS:
        text = shown.text if shown.text.endswith("\n") else f"{shown.text}\n"
        return {"output_type": "stream", "name": STREAMS[shown.kind], "text": _lines(text)}
    if shown.kind == "error":
        name, _, told = shown.text.splitlines()[-1].partition(": ")
        return {"output_type": "error", "ename": name, "evalue": told, "traceback": shown.text.splitlines()}
    data: dict[str, Any] = {"text/plain": _lines(shown.text)}
    if shown.kind == "figure":
        data["image/png"] = shown.png
    if shown.table is not None:
        data["text/html"] = _lines(shown.table.to_html(border=0))
    return {"output_type": "execute_result", "execution_count": count, "metadata": {}, "data": data}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
