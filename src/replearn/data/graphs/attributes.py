"""Numbers of what nodes and edges are said to be, by name: numbers as they are, names as a column for each."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from replearn.data.graphs.reading import one_hot

Said = Sequence[Mapping[str, Any]]


def columns_of(said: Said) -> tuple[np.ndarray, list[str]]:
    """Numbers `(m, d)` and a name per column; none where nothing is said.

    A number that one of them lacks is NaN, which whoever reads the graphs will find.

    >>> columns_of([{"element": "C", "charge": 0}, {"element": "O", "charge": -1}])
    (array([[ 0., 1., 0.],
           [-1., 0., 1.]], dtype=float32), ['charge', 'element C', 'element O'])
    """
    columns, names = [], []
    for name in sorted({name for one in said for name in one}):
        values = [one.get(name) for one in said]
        there = [value for value in values if value is not None]
        if all(isinstance(value, Real) for value in there):
            columns.append(np.array([np.nan if v is None else float(v) for v in values], np.float32)[:, None])
            names.append(str(name))
        elif all(isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) for value in there):
            width = len(there[0])
            rows = [
                value if value is not None and len(value) == width else [np.nan] * width for value in values
            ]
            columns.append(np.asarray(rows, np.float32))
            names += [f"{name} {column}" for column in range(width)]
        else:
            names_of, known = one_hot(["" if value is None else str(value) for value in values])
            columns.append(names_of)
            names += [f"{name} {one}".strip() for one in known]
    if not columns:
        return np.zeros((len(said), 0), np.float32), []
    return np.concatenate(columns, axis=1), names
