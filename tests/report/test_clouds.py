"""Clouds of a report are turned on the page itself, by a script that the page names by its hash."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from made_clouds import made_clouds
from replearn.comparison import Comparison, Representation
from replearn.data import Samples, as_samples
from replearn.report.kinds import LOOKS
from replearn.report.kinds.points import MOST
from replearn.report.page import render


def clouds(n: int, points: int = 64) -> Samples:
    names = ["rod", '"><script>', "shell"]
    labels = [names[i % 3] for i in range(n)]
    return as_samples(made_clouds(n, points=points), labels, kind="points")


def test_queries_and_their_nearest_neighbours_are_turned(make_comparison: Callable[..., Comparison]) -> None:
    made = make_comparison(classes=("a", "b"), n=24)
    rows = [Representation(row.name, row.train, row.test) for row in made.rows]
    made = replace(made, train=clouds(24), test=clouds(24), rows=rows)
    text = render(made, title="clouds")
    found = re.findall(
        r'<canvas class="cloud" tabindex="0" role="img" data-cloud="([^"]+)" aria-label="([^"]+)"', text
    )
    assert len(found) == 8 + 8 * len(made.rows)
    points = np.frombuffer(base64.b64decode(found[0][0]), np.int8).reshape(-1, 3) / 127
    assert np.abs(made.test.flat().reshape(24, 3, -1).transpose(0, 2, 1) - points).max((1, 2)).min() < 0.005
    assert all("Arrow keys turn it." in label for _, label in found)
    assert '"><script>' not in text
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)[-1]
    assert "canvas.cloud" in script
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_pages_of_images_have_neither(make_comparison: Callable[..., Comparison]) -> None:
    text = render(make_comparison(), title="images")
    assert "canvas.cloud" not in text
    assert "data-cloud" not in text


def test_of_large_clouds_some_points_are_turned() -> None:
    samples = clouds(2, 3 * MOST)
    assert len(LOOKS["points"].cloud(samples, 1)) == 3 * MOST
