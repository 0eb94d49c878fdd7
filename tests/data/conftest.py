"""A cache of its own for each test, and small image files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("REPLEARN_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def lasting_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for tests of what takes seconds to build."""
    return tmp_path_factory.mktemp("lasting")


def pixels(number: int, size: int = 8) -> np.ndarray:
    """One colour image, `(h, w, 3)`, different for each number."""
    return np.random.default_rng(number).integers(0, 256, (size, size, 3), dtype=np.uint8)


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., Path]:
    """Write PNG files of the given names below one folder, and return the folder."""

    def write(*names: str, size: int = 8) -> Path:
        folder = tmp_path / "images"
        folder.mkdir(exist_ok=True)
        for number, name in enumerate(names):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels(number, size)).save(path)
        return folder

    return write
