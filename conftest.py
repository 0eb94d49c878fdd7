"""Shapes and types of our functions are checked at run time, and what other packages log as deprecated is a warning.

Both under pytest only.
"""

import logging
import sys
import warnings
from pathlib import Path
from typing import Any, ClassVar

from jaxtyping import install_import_hook

TELL_BY_LOG = ("", "transformers", "torch", "lightning_fabric")  # "": all that pass on what they log


class Deprecations(logging.Handler):
    """Makes a warning of what a package logs as deprecated: pytest tells warnings, and no test reads such lines."""

    told: ClassVar[dict[Any, Any]] = {}  # so that what two loggers pass on is told once

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if "deprecat" in message.lower():
            place = (record.pathname, record.lineno, record.name)
            warnings.warn_explicit(message, DeprecationWarning, *place, registry=self.told)


sys.path.insert(0, str(Path(__file__).parent / "tests"))
install_import_hook("replearn", "shape_checks.checked")
for package in TELL_BY_LOG:
    logging.getLogger(package).addHandler(Deprecations(logging.WARNING))
