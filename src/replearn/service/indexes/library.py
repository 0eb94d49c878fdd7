"""LanceDB, imported when a table is opened: that takes a second or more."""

import os
from typing import Any


def lancedb() -> Any:
    """The package.

    Raises:
        ValueError: it is not installed.
    """
    os.environ.setdefault("LANCE_LOG", "error")
    try:
        import lancedb as found
    except ImportError as error:
        raise ValueError(
            "an index needs a package that is not installed, lancedb. Run: pip install 'replearn[serve]'"
        ) from error
    return found
