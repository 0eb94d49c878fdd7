"""Makes `children`, the trainings in processes of their own, importable here and in them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
