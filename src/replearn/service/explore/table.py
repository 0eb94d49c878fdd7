"""The map as a table that other programs show, embedding-atlas among them.

    embedding-atlas map.parquet --x x --y y --neighbors neighbors [--text text]

`neighbors` holds `{"ids": [...], "distances": [...]}`: numbers of rows, from 0, and 1 - cosine, as that program's
documentation asks for. https://apple.github.io/embedding-atlas/tool.html
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from replearn.engine.run import make_run, replacing
from replearn.evaluate import nearest
from replearn.report.excerpts import without_controls
from replearn.report.kinds import LOOKS
from replearn.service.curation.table import name_of
from replearn.service.explore.explored import Colour, Explored

NEIGHBOURS = 15
OWN = ("id", "name", "x", "y", "text", "neighbors")


def write_map(path: Path, explored: Explored) -> None:
    """Write a row per sample: number, name, place, text where samples are texts, clicked label, colours, nearest rows.

    Raises:
        CannotWrite: writing failed.
    """
    make_run(path.absolute().parent)
    with replacing(path) as part:
        pq.write_table(map_table(explored), part)


def map_table(explored: Explored) -> "pa.Table":
    """The table. Columns of the data that are called like its own get a `_` behind their name."""
    n, samples = len(explored), explored.samples
    columns: dict[str, Any] = {
        "id": pa.array(np.arange(n), pa.int64()),
        "name": pa.array([name_of(samples, i) for i in range(n)]),
        "x": pa.array(explored.places.xy[:, 0].astype(np.float32)),
        "y": pa.array(explored.places.xy[:, 1].astype(np.float32)),
    }
    looks = LOOKS[samples.kind]
    if looks.shown == "text":
        columns["text"] = pa.array([without_controls(looks.text(samples, i)) for i in range(n)])
    clicked = [] if explored.labels is None else [Colour("label", *explored.clicked())]
    for colour in [*clicked, *explored.colours]:
        name = colour.name
        while name in columns or name in OWN:
            name += "_"
        columns[name] = _column(colour)
    columns["neighbors"] = _neighbours(explored.rows)
    return pa.table(columns)


def _column(colour: Colour) -> "pa.Array":
    if colour.amounts:
        return pa.array(colour.values, pa.float64(), mask=~np.isfinite(colour.values))
    return pa.array(
        [colour.classes[value] if value >= 0 else None for value in colour.values.tolist()], pa.string()
    )


def _neighbours(rows: np.ndarray) -> "pa.Array":
    """The nearest rows of each, without itself."""
    k = min(NEIGHBOURS, len(rows) - 1)
    index, cosine = nearest(rows, rows, k=k + 1)
    found = []
    for own, (ids, similar) in enumerate(zip(index.tolist(), cosine.tolist(), strict=True)):
        pairs = [(i, max(0.0, 1 - c)) for i, c in zip(ids, similar, strict=True) if i != own][:k]
        found.append({"ids": [i for i, _ in pairs], "distances": [far for _, far in pairs]})
    kind = pa.struct([("ids", pa.list_(pa.int64())), ("distances", pa.list_(pa.float32()))])
    return pa.array(found, kind)
