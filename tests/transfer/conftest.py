"""Texts need the tokenizers and transformers of the extra `text`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests import what lies beside them

pytest.importorskip("tokenizers")
pytest.importorskip("transformers")
