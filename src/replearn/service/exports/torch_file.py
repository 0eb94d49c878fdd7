"""A program of `torch.export`: one file that torch alone runs, without a class of ours."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.export import ExportedProgram

from replearn.service.exports.exported import TRIED, Exported

FILE = "model.pt2"
LOADER = """import torch

model = torch.export.load("model.pt2").module()
h = model({inputs})[0]"""


def write(exported: Exported, folder: Path) -> None:
    """Write the module as `model.pt2`.

    Raises:
        ValueError: as `traced`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(traced(exported), folder / FILE)


def traced(exported: Exported) -> ExportedProgram:
    """The module as one program, for any number of samples (and texts of any length).

    Raises:
        ValueError: there is none, as of networks that go through texts step by step.
    """
    axes = {
        "n": torch.export.Dim("n", min=1),
        "t": torch.export.Dim("t", min=1, max=exported.longest or 2),
    }
    shapes = tuple(
        {i: axes[axis] for i, axis in enumerate(one.shape) if isinstance(axis, str)}
        for one in exported.inputs
    )
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            return torch.export.export(exported, exported.drawn(TRIED, seed=0), dynamic_shapes=shapes)
        except Exception as error:  # torch stops in many ways
            reason = " ".join(str(error).split())
            raise ValueError(
                "what is exported must be one program for any number of samples and texts of any length; this network "
                f"is none ({reason:.150}). `replearn embed` writes its representations."
            ) from error


def reopen(folder: Path) -> Callable[..., list[np.ndarray]]:
    """What `model.pt2` answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.export.load(folder / FILE).module()

    @torch.no_grad()
    def answer(*inputs: Tensor) -> list[np.ndarray]:
        return [found.numpy() for found in module(*inputs)]

    return answer
