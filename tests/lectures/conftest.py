"""A chapter that is quick, in a file."""

from pathlib import Path

import pytest

LESSON = """# %% [markdown]
# # A <lesson> of "two"
#
# What it shows: `x < 1`,
# and more.

# %%
share = 0.75  # of what is <hidden> [0.05 to 0.95; small 0.5]
sizes = (2, 8)  # of codes [1 to 64; full (2, 8, 32)]
steps = 3  # of all

# %% [markdown]
# ## A part
#
# $$x^2 + y$$

# %%
from replearn.lectures import chart, expect

print("<script>alert(1)</script>", share, sizes, steps)
expect("A half or more.", share >= 0.5)
expect("Four & more.", steps > 3, "Take <more>.")
chart([1, 2], {"a": [1, 2], "b": [2, 3]}, x_label="x", y_label="y")

# %%
import pandas as pd

pd.DataFrame({"name": ["<b>", "c"], "value": [0.123456, 1234.5]})

# %% solution
share * 2
"""


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "15_lesson.py"
    path.write_text(LESSON)
    return path
