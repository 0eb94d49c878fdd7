"""LanceDB, imported when a table is opened: that takes a second or more."""

import os
from typing import Any

from replearn.data.needed import needed


def lancedb() -> Any:
    """The package.

    Raises:
        ValueError: it is not installed.
    """
    os.environ.setdefault("LANCE_LOG", "error")
    return needed("lancedb", "an index needs")
