"""What is asked of data, whatever kind they turn out to be, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from replearn.data.samples import Samples
from replearn.data.tables import TableOptions

# Samples, and the labels and groups that they bring, or None.
Found = tuple[Samples, Any, np.ndarray | None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options of `as_samples` that matter before labels are put to samples.

    Attributes:
        labels: as given.
        image_size: side of square images.
        text: column of texts.
        table: what is asked of a table.
        door: reads data that these are made of, by the same options.
    """

    labels: Any
    image_size: int | None
    text: str | None
    table: TableOptions
    door: Callable[[Any], Samples]

    @property
    def strict(self) -> bool:
        """Whether what is not as it should be is an error."""
        return self.table.strict
