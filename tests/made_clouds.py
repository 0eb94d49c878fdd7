"""Clouds of three kinds, and the same in every run: rods, plates and shells, each turned about up."""

import numpy as np


def made_clouds(n: int, *, points: int = 64) -> np.ndarray:
    """Float32 `(n, points, 3)`, y up; kinds in turn."""
    found = np.empty((n, points, 3), dtype=np.float32)
    for place in range(n):
        draw = np.random.default_rng(place)
        x = draw.normal(size=(points, 3))
        if place % 3 == 2:
            x /= np.linalg.norm(x, axis=1, keepdims=True)
        else:
            x *= [[0.2, 1.0, 0.3], [1.0, 0.2, 0.8]][place % 3]
        angle = draw.uniform(0, 2 * np.pi)
        cos, sin = np.cos(angle), np.sin(angle)
        found[place] = x @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    return found
