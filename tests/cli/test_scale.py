"""`replearn scale`: laws in 80 columns, files that say the same, and one line for what can't be."""

import json

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def rows(command):
    """A table with labels, in the command's folder."""
    draw, labels = np.random.default_rng(0), np.arange(300) % 3
    frame = pd.DataFrame(draw.normal(size=(300, 6)), columns=[f"x{i}" for i in range(6)])
    frame["x0"] += 2 * labels
    frame.assign(label=labels).to_csv("rows.csv", index=False)
    frame.to_csv("bare.csv", index=False)
    return "rows.csv"


TINY = ("--encoder", "mlp", "--batch-size", "16", "--hidden", "8", "--dim", "4")


def test_the_command_fits_laws(command, rows, tmp_path):
    given = (
        "scale",
        "simclr",
        rows,
        *TINY,
        "--epochs",
        "2",
        "--by",
        "width",
        "--values",
        "8",
        "64",
        "--minutes",
        "1",
    )
    answer = command(*given)
    assert answer.code == 0, answer.err
    assert all(len(line) <= 80 for line in answer.out.splitlines())
    assert "3 trainings, the first as asked for: 240 samples 2 epochs mlp" in answer.err
    folder = tmp_path / "runs" / "scale-simclr-rows"
    table = pd.read_csv(folder / "scale.csv")
    assert table["encoder"].tolist() == ["mlp:width=8", "mlp:width=64", "mlp"]
    stored = json.loads((folder / "scale.json").read_text())["trials"]
    assert sorted(row["error"] for row in stored) == sorted(table["error"])
    first = next(line for line in answer.out.splitlines() if line.startswith("width (512)"))
    wide = table["error"][table["encoder"] == "mlp"].item()
    assert f"{100 * wide:.1f} %" in first
    page = (folder / "report.html").read_text()
    assert "What is doubling worth?" in page
    assert page.count("<tr>") == 2 + 3 + 3  # heads; width, raw input, untrained; trainings
    assert f"{100 * wide:.1f} %" in page
    began = (folder / "scale.json").stat().st_mtime_ns
    again = command(*given)
    assert again.out == answer.out
    assert (folder / "scale.json").stat().st_mtime_ns == began


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("simclr",), "DATA"),
        ((), "METHOD and DATA must be given first"),
        (("simclr", "rows.csv", "--by", "height"), "height"),
        (("simclr", "rows.csv", "--epochs", "1"), "epochs would have 1"),
        (("simclr", "rows.csv", "--by", "samples", "--values", "1000"), "from 1 to 240; got 1000"),
        (("simclr", "rows.csv", "--by", "width", "--encoder", "linear"), "linear has no width"),
        (("simclr", "rows.csv", "--by", "encoder", "--values", "mlp"), "at least 3 encoders"),
        (("simclr", "bare.csv"), "labels of at least two classes"),
        (("tsne", "rows.csv", "--by", "samples"), "TSNE places no others"),
        (("simclr", "rows.csv", "--seeds", "0"), "--seeds must lie"),
        (("simclr", "rows.csv", "--random-state", "3"), "got --random-state"),
    ],
)
def test_what_can_not_be_is_one_line(command, rows, tmp_path, args, told):
    assert told in command("scale", *args).line
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())
