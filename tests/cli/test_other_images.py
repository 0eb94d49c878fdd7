"""A run reads images of another colour, size or depth as it was trained: embedded, judged and tuned, with a line."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

rng = np.random.default_rng(0)
QUICK = ("--epochs", "1", "--batch-size", "8", "--device", "cpu", "--encoder", "cnn", "--views", "grey")


def folder(path, *, size=16, colour=True, deep=None, n=12):
    """A folder of images in two classes."""
    for number in range(n):
        image = rng.integers(0, 256, (size, size, 3) if colour else (size, size), dtype=np.uint8)
        if deep is not None:
            image = image.astype(np.uint16) * (deep // 255)
        file = path / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    return path


@pytest.fixture
def run_of(command):
    def fit(data, to="run"):
        quick = [part.replace("grey", "photo") if "colour" in str(data) else part for part in QUICK]
        answer = command("fit", "simclr", data, "--run", to, *quick)
        assert answer.code == 0, answer.err
        return to

    return fit


@pytest.mark.all
@pytest.mark.parametrize("trained", ["colour", "grey"])
def test_embed_evaluate_report_and_finetune(command, tmp_path, run_of, trained):
    other = "grey" if trained == "colour" else "colour"
    data = folder(tmp_path / trained, colour=trained == "colour")
    others = folder(tmp_path / f"other-{other}", size=20, colour=other == "colour", n=20)
    run = run_of(data)
    says = "grey, read as three equal channels" if other == "grey" else "in colour, read as grey (luma)"
    answer = command("embed", run, others, "--out", "e.parquet")
    assert answer.code == 0, answer.err
    assert f"20 images are {says}" in answer.err
    assert "20 of 20 images were resized to 16 x 16" in answer.err
    assert len(pd.read_parquet("e.parquet")) == 20
    answer = command("evaluate", run, others, "--draws", "1", "--fractions", "1.0")
    assert answer.code == 0, answer.err
    assert f"20 images are {says}" in answer.err
    assert command("report", run).code == 0
    answer = command("finetune", run, others, "--epochs", "1", "--to", "tuned")
    assert answer.code == 0, answer.err
    assert says in answer.err
    answer = command("embed", "tuned", others, "--out", "t.parquet")
    assert answer.code == 0, answer.err


def test_fit_and_embed_read_one_entry_of_the_cache(command, tmp_path, run_of):
    data = folder(tmp_path / "grey", colour=False)
    run = run_of(data)
    assert command("embed", run, data, "--out", "e.npy").code == 0
    assert command("evaluate", run, data, "--draws", "1", "--fractions", "1.0").code == 0
    assert len([path for path in (tmp_path / "cache").iterdir() if path.is_dir()]) == 1


def test_the_range_of_the_run(command, tmp_path, run_of):
    """A dark folder, embedded by itself, is what it is among the others."""
    data = folder(tmp_path / "grey", colour=False, deep=4095)
    run = run_of(data)
    assert json.loads((tmp_path / run / "method.json").read_text())["samples"]["levels"] == [0.0, 4095.0]
    dark = folder(tmp_path / "dark", colour=False, deep=255, n=4)
    command("embed", run, dark, "--out", "alone.npy")
    for file in dark.rglob("*.png"):
        (data / "a" / f"z{file.name}").write_bytes(file.read_bytes())
    command("embed", run, data, "--out", "among.parquet")
    among = pd.read_parquet("among.parquet").set_index("name")["h"]
    rows = [among[f"a/z{number}.png"] for number in (0, 2, 1, 3)]
    np.testing.assert_allclose(np.load("alone.npy"), np.stack(rows), atol=1e-5)
