"""Representations of any fitted method, a part at a time, and the columns that stand beside them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float

from replearn.data import Samples
from replearn.data.records import shown_name
from replearn.engine.embed import check_finite
from replearn.methods import Model
from replearn.methods.columns import bare
from replearn.service.embedding.tables import Columns


def embed_rows(
    method: Any, samples: Samples, *, start: int, batch: int, stop: int | None = None
) -> Iterator[Float[np.ndarray, "n d"]]:
    """Representations of the samples from `start` up to `stop` (their end, if it is None), `batch` at a time.

    Raises:
        ValueError: the method places only the samples that it was fitted on, and these are others.
    """
    stop = len(samples) if stop is None else stop
    if start == stop:
        return
    rest = samples.subset(np.arange(start, stop))
    if isinstance(method, Model):
        yield from method.transform_parts(rest, rows=batch, first=start)
        return
    for first in range(0, len(rest), batch):
        index = np.arange(first, min(first + batch, len(rest)))
        if hasattr(method, "transform"):
            part = method.transform(rest.subset(index).flat())
            check_finite(part, first=start + first)
            yield part
        else:
            yield _placed(method, samples)[start + index]


def columns_of(samples: Samples) -> Columns:
    """The columns of a table beside the representation: `index`, `name` and `label` where there are any."""
    import pyarrow as pa

    def columns(start: int, stop: int) -> dict[str, Any]:
        found = {"index": pa.array(np.arange(start, stop, dtype=np.int64))}
        if samples.names is not None:
            names = [shown_name(name) for name in samples.names[start:stop]]
            found["name"] = pa.array(names, pa.string())
        if samples.labels is not None:
            labels = samples.labels[start:stop].tolist()
            known = [samples.classes[label] if label >= 0 else None for label in labels]
            found["label"] = pa.array(known, pa.string())
        return found

    return columns


def _placed(method: Any, samples: Samples) -> np.ndarray:
    placed: np.ndarray = bare(method).embedding_
    if len(placed) != len(samples):
        raise ValueError(
            f"{type(bare(method)).__name__} places only the {len(placed):,} samples it was fitted on; got "
            f"{len(samples):,} others. Fit it on these, or choose a method with a map of its own, like pca."
        )
    return placed
