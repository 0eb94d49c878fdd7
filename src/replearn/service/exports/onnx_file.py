"""ONNX: one file that runtimes for most languages and machines read."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from replearn.data.needed import check_installed
from replearn.service.exports.exported import TRIED, Exported
from replearn.service.exports.torch_file import traced

FILE = "model.onnx"
NEEDED = ("onnx", "onnxruntime", "onnxscript")
LOUD = ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")

LOADER = """import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
h = session.run(["h"], {inputs})[0]"""


def write(exported: Exported, folder: Path) -> None:
    """Write the module as `model.onnx`, of any number of samples (and texts of any length).

    Raises:
        ValueError: a package is missing, or ONNX has no operator for something that the network does.
    """
    _check_installed()
    names = [one.name for one in exported.inputs]
    axes = [{i: axis for i, axis in enumerate(one.shape) if isinstance(axis, str)} for one in exported.inputs]
    with _silent(), torch.no_grad():
        try:
            program = torch.onnx.export(
                exported,
                exported.drawn(TRIED, seed=0),
                input_names=names,
                output_names=[one.name for one in exported.outputs],
                dynamic_shapes=tuple(axes),
                dynamo=True,
                verbose=False,
            )
        except Exception as error:  # torch stops in many ways
            traced(exported)  # which says so, where that is what fails
            reason = " ".join(str(error.__cause__ or error).split())
            raise ValueError(
                f"what is written as ONNX must have operators of ONNX only; this network has others ({reason:.150}). "
                "Write it --to torch."
            ) from error
        assert program is not None
        told = {"classes": list(exported.classes), "method": type(exported.model).__name__}
        program.model.metadata_props["replearn"] = json.dumps(told)
        program.save(folder / FILE)


def reopen(folder: Path) -> Callable[..., list[np.ndarray]]:
    """What `model.onnx` answers, by onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(folder / FILE, options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]

    def answer(*inputs: Tensor) -> list[np.ndarray]:
        # An input that the network doesn't look at may have been left out.
        given = {f"{name}": x.numpy() for name, x in zip(names, inputs, strict=True)}
        found: list[np.ndarray] = session.run(None, given)
        return found

    return answer


def _check_installed() -> None:
    check_installed("ONNX needs", *NEEDED)


@contextmanager
def _silent() -> Iterator[None]:
    """While entered, the exporter says nothing of its own."""
    levels: dict[str, Any] = {name: logging.getLogger(name).level for name in LOUD}
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
