"""What is written and judged: numbers in a precision that the file tells, and never NaN."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file

from replearn.engine.run import WEIGHTS, write_tensors


def break_arrays(run: Path) -> None:
    """One number of each array of a run becomes NaN."""
    tensors = load_file(run / WEIGHTS)
    for tensor in tensors.values():
        if tensor.is_floating_point() and tensor.numel():
            tensor.view(-1)[0] = torch.nan
    write_tensors(run / WEIGHTS, tensors)


def test_broken_weights_stop_in_one_line(command, run, data) -> None:
    break_arrays(run)
    for answer in (command("embed", run, data, "--out", "e.npy"), command("evaluate", run, data)):
        assert answer.code == 2
        assert "hold NaN or infinity, the first is row 0" in answer.line
        assert "Weights are broken" in answer.line


def test_broken_arrays_of_classical_methods_stop_in_one_line(command, data) -> None:
    assert command("fit", "pca", data, "--n-components", "3", "--run", "pca").code == 0
    break_arrays(Path("pca"))
    for answer in (command("embed", "pca", data, "--out", "e.npy"), command("evaluate", "pca", data)):
        assert answer.code == 2
        assert "must be finite" in answer.line


def test_a_file_says_in_which_precision_it_was_made(command, trained, data) -> None:
    for precision in ("32-true", "bf16-mixed"):
        answer = command("embed", trained, data, "--out", f"{precision}.parquet", "--precision", precision)
        assert ("bf16-mixed" in answer.out) == (precision == "bf16-mixed")
        metadata = pq.read_schema(f"{precision}.parquet").metadata
        assert json.loads(metadata[b"replearn"])["precision"] == precision
    assert command("embed", trained, data, "--out", "e.npy").code == 0
    assert json.loads(Path("e.npy.json").read_text())["precision"] == "32-true"
    wide, narrow = (np.stack(pd.read_parquet(f"{p}.parquet")["h"]) for p in ("32-true", "bf16-mixed"))
    assert np.array_equal(wide, np.load("e.npy"))
    assert not np.array_equal(wide, narrow)
