"""What the pages' blocks meet: their own empty folder, with some data in it, and trainings of two steps."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.manifold import TSNE

from replearn.data import DATASETS, Samples, load_data
from replearn.encoders.kinds.image import ImageNetworks
from replearn.engine import batches, train
from replearn.evaluate import linear
from replearn.report import map

sys.path.insert(0, str(Path(__file__).parent))  # so that tests can import `pages` and `blocks`

STEPS = 2
TRAIN, TEST = 300, 60


@pytest.fixture
def _short_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps of a little network, probes of one penalty, and t-SNE as short as it can be."""
    monkeypatch.setattr(train, "steps_of", lambda plan, n: min(STEPS, batches.steps_of(plan, n)))
    choose = ImageNetworks.auto
    monkeypatch.setattr(
        ImageNetworks, "auto", lambda room, samples: choose(room, samples).replace("resnet_small", "cnn")
    )
    monkeypatch.setattr(linear, "REGULARISATIONS", (0.1,))
    monkeypatch.setattr(map, "TSNE", lambda **fields: TSNE(**fields | {"max_iter": 250}))


@pytest.fixture
def _little_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The built-in digits, the first of each part only."""
    whole = load_data("digits")
    index = np.concatenate([np.arange(TRAIN), 8000 + np.arange(TEST)])

    def read() -> tuple[Samples, np.ndarray]:
        return whole.subset(index), np.arange(TRAIN, TRAIN + TEST)

    monkeypatch.setitem(DATASETS, "digits", replace(DATASETS["digits"], read=read))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _short_trainings: None) -> Path:
    """The folder in which a reader works: photos in two classes, one of them broken, captions, a table, and notes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number, pixels in enumerate(rng.integers(0, 256, (160, 32, 32, 3), dtype=np.uint8)):
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png", compress_level=0)
    photos = [f"photos/{name}/{number}.png" for name in ("cat", "dog") for number in range(160)]
    told = [f"a {file.split('/')[1]}, number {number}" for number, file in enumerate(photos)]
    pd.DataFrame({"image": photos, "caption": told}).to_csv("captions.csv", index=False)
    (tmp_path / "photos" / "dog" / "broken.png").write_text("no picture")
    lines = (f"note {number} says {number * number} and {number % 7}" for number in range(400))
    (tmp_path / "notes.txt").write_text("\n".join(lines))
    table = pd.DataFrame(rng.normal(size=(300, 5)), columns=list("abcde"))
    table.assign(label=np.arange(300) % 2).to_csv("table.csv", index=False)
    return tmp_path
