"""Two kinds of samples that packages bring, installed as pip would: found by their entry points alone."""

from pathlib import Path

import numpy as np
import pytest

from replearn.data.kinds.rooms import packaged

INSTALLED = Path(__file__).parent / "installed"


@pytest.fixture
def installed(monkeypatch):
    """Both packages are there."""
    monkeypatch.syspath_prepend(str(INSTALLED))
    packaged.cache_clear()
    yield INSTALLED
    packaged.cache_clear()


@pytest.fixture(scope="session")
def spectra(tmp_path_factory):
    """A folder of 90 files of three classes, each with a line at its own place, of unlike lengths."""
    folder = tmp_path_factory.mktemp("spectra")
    draw = np.random.default_rng(0)
    for number in range(90):
        label = number % 3
        at = np.linspace(400, 700, 80 + number % 5)
        line = np.exp(-(((at - 480 - 60 * label + draw.normal(0, 4)) / 15) ** 2))
        rows = (
            0.6 * line + 0.2 + 0.03 * draw.normal(size=len(at)) + draw.uniform(-0.1, 0.1) * (at - 550) / 150
        )
        (folder / "abc"[label]).mkdir(exist_ok=True)
        np.savetxt(folder / "abc"[label] / f"{number}.spec", np.stack([at, rows], 1), fmt="%.4f")
    return folder


@pytest.fixture
def clouds(installed):
    """90 clouds of 3 to 20 points around three places."""
    from clouds import Clouds

    draw = np.random.default_rng(0)
    centres = np.array([[0.5, 0.5], [-0.5, 0.5], [0.0, -0.5]])
    labels = np.arange(90) % 3
    made = [
        draw.normal(centres[label], 0.2, (draw.integers(3, 20), 2)).astype(np.float32) for label in labels
    ]
    return Clouds(made, labels, ("a", "b", "c"))


@pytest.fixture(autouse=True)
def _no_kinds_are_left():
    """What a test installed is looked up no more."""
    yield
    packaged.cache_clear()
