"""Shapes and types of our functions are checked at run time, under pytest only."""

import sys
from pathlib import Path

from jaxtyping import install_import_hook

sys.path.insert(0, str(Path(__file__).parent / "tests"))
install_import_hook("replearn", "shape_checks.checked")
