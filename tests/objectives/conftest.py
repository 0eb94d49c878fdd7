"""The tests of objectives share their cases, which processes started by the tests must find too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
