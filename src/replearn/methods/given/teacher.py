"""A teacher: a large network that has learned, what it says of samples, and how a student's rows lead there."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.processes import process
from replearn.data.progress import progress
from replearn.encoders import ONNX, comes_with_weights, make_encoder, mlp, onnx_encoder
from replearn.encoders.modes import evaluating
from replearn.engine.machine import random_state_kept
from replearn.methods.checks import read_the_same
from replearn.methods.given.frozen import Frozen
from replearn.methods.load import load
from replearn.methods.model import Model
from replearn.methods.started import run_of

log = logging.getLogger("replearn")

ROWS = 128  # that are asked for at once: of texts, all are as long as the longest
LEAST = 1e-4  # of the largest deviation: a number that varies less is taken for constant
SAME = 1e-2  # deviations by which means may differ, of one teacher on other machines


class Teacher:
    """A teacher that is asked; it is no part of what a method saves.

    Args:
        spec: a run folder, `onnx:FILE`, or an encoder with weights (`hf:FOLDER`, `NAME@FILE`).
        samples: of the student.
        device: where it computes.

    Raises:
        ValueError: there is none, or it reads samples of another kind.
    """

    def __init__(self, spec: str, samples: Description, device: str) -> None:
        self.spec, self.samples = spec, samples
        with random_state_kept():
            torch.manual_seed(0)
            self.model = _opened(spec, samples)
        self.model.device = device
        for module in self.model.modules().values():
            module.eval().requires_grad_(False)
        if self.model.samples_.kind != samples.kind:
            raise ValueError(
                f"the teacher must read samples of kind {samples.kind}; the one in {spec} reads "
                f"{self.model.samples_.kind}. Take another teacher."
            )
        self.width = int(self.model.representation_dim)
        self.rows: Tensor | None = None

    def ask_all(self, samples: Samples) -> Float[Tensor, "n t"]:
        """What it says of all samples, asked once and kept: every process asks for itself."""
        n, size = len(samples), len(samples) * self.width * 4 / 1e6
        if process() == 0:
            log.info(
                "the teacher in %s is asked once: %s rows of %d numbers, %.1f MB of memory",
                *(self.spec, f"{n:,}", self.width, size),
            )
        self.rows = self.asked(samples)
        return self.rows

    def asked(self, samples: Samples) -> Float[Tensor, "n t"]:
        """What it says of samples, made like those that it learned from."""
        rows = torch.empty(len(samples), self.width)
        done = 0
        with progress("teacher", len(samples)) as move:
            for part in self.model.transform_parts(samples, rows=ROWS):
                rows[done : done + len(part)] = torch.from_numpy(part)
                done += len(part)
                move(len(part))
        return rows

    def check_views(self) -> None:
        """Raises ValueError where a view of the student's samples is none that the teacher could read."""
        own, given = self.model.samples_, self.samples
        if not read_the_same(own, given):
            raise ValueError(
                f"with views, the teacher must have learned from samples of the student's shape, {given.shape} (and "
                f"levels and columns); the one in {self.spec} has {own.shape}. Leave views out: samples are made alike "
                "then."
            )

    @torch.no_grad()
    def __call__(self, batch: Batch) -> Float[Tensor, "n t"]:
        """Rows of a batch: those that were kept, or what it says now."""
        device = batch.index.device
        if self.rows is not None:
            return self.rows[batch.index.cpu()].to(device)
        modules = self.model.modules().values()
        for module in modules:
            module.to(device)
        with evaluating(modules), torch.autocast(device.type, enabled=False):
            return self.model.represent(batch).float()


class Regressor(nn.Module):
    """A student's rows to its teacher's, whose numbers are brought to mean 0 and deviation 1.

    Args:
        dim: numbers of a student's row.
        hidden: width of layers between.
        depth: linear layers; 0: there is no map, and only the teacher's numbers are standardised.
        width: numbers of a teacher's row; 0: they are told by the weights that are loaded.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, dim: int, hidden: int, *, depth: int, width: int) -> None:
        super().__init__()
        self.dim, self.hidden, self.depth, self.wide = dim, hidden, depth, width > 0
        self._make(max(1, width))

    def forward(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n t"]:
        z: Tensor = self.layers(h)
        return z

    def standardise(self, rows: Float[Tensor, "n t"]) -> Float[Tensor, "n t"]:
        """The teacher's numbers, each of mean 0 and deviation 1 over all samples; constant ones become 0."""
        away = rows.to(self.mean.dtype) - self.mean
        return torch.where(self._varies(), away / self.deviation.clamp(min=self._least()), 0)

    @property
    def varying(self) -> int:
        """How many of the teacher's numbers are told."""
        return int(self._varies().sum())

    def _least(self) -> float:
        return LEAST * float(self.deviation.max())

    def _varies(self) -> Tensor:
        return self.deviation > self._least()

    def learn_scale(self, rows: Float[Tensor, "n t"]) -> None:
        """Take means and deviations from the teacher's rows."""
        for own, found in zip((self.mean, self.deviation), scale_of(rows), strict=True):
            own.copy_(found)
        constant = rows.shape[1] - self.varying
        if not self.varying:
            raise ValueError(
                "a teacher must tell samples apart; it says the same of all. Take another teacher."
            )
        if constant and process() == 0:
            log.info("%d of the teacher's %d numbers hardly vary and are left out", constant, rows.shape[1])

    def check_same(self, rows: Float[Tensor, "n t"]) -> None:
        """Raises ValueError where these are not the rows that means and deviations were taken from."""
        unit = self.deviation.cpu().clamp(min=self._least())
        both = zip((self.mean, self.deviation), scale_of(rows), strict=True)
        away = max(float(((own.cpu() - found) / unit).abs().max()) for own, found in both)
        if not away <= SAME:
            raise ValueError(
                f"a run is resumed with the teacher that it began with; this one's rows differ, by {away:.2g} of their "
                "deviations. Give the same teacher, or choose another name for this run."
            )

    def _make(self, width: int) -> None:
        self.layers = mlp(self.dim, self.hidden, width, depth=self.depth) if self.depth else nn.Identity()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        # A run that is loaded has no teacher: its weights say how wide it was.
        found = state.get(f"{prefix}mean")
        if not self.wide and found is not None and found.ndim == 1 and len(found):
            device = self.mean.device
            self._make(len(found))
            self.to(device)
        super()._load_from_state_dict(state, prefix, *rest)


def scale_of(rows: Float[Tensor, "n t"]) -> tuple[Float[Tensor, " t"], Float[Tensor, " t"]]:
    """Mean and deviation of each number."""
    numbers = rows.double()
    return numbers.mean(0).float(), numbers.std(0, correction=0).float()


def some_of(samples: Samples, most: int = 1024) -> Samples:
    """At most so many of the samples, evenly chosen."""
    return samples.subset(
        np.unique(np.linspace(0, len(samples) - 1, min(most, len(samples))).astype(np.int64))
    )


def _opened(spec: str, samples: Description) -> Model:
    if not spec:
        raise ValueError(
            "teacher must be a run folder, hf:FOLDER, onnx:FILE or NAME@FILE; got none. Give the network to learn from."
        )
    if spec.startswith(ONNX):
        return _frozen(spec, samples, onnx_encoder(Path(spec.removeprefix(ONNX)).expanduser(), samples))
    path = Path(spec).expanduser()
    if len(path.parts) > 1 and not path.exists() and not {":", "@"} & set(spec):
        raise ValueError(f"teacher must be an existing run folder; {spec} is not. Choose another.")
    folder = run_of(spec)
    if folder is not None:
        model = load(folder)
        if not isinstance(model, Model) or not model.modules():
            raise ValueError(
                f"a teacher must have a network; {type(model).__name__}, whose run is in {folder}, has none. Take a "
                "run of a method of networks, such as SimCLR."
            )
        return model
    if not comes_with_weights(spec) and process() == 0:
        log.warning(
            "teacher %s has random weights; give a run folder, hf:FOLDER, onnx:FILE or NAME@FILE", spec
        )
    return _frozen(spec, samples, make_encoder(spec, samples))


def _frozen(spec: str, samples: Description, encoder: nn.Module) -> Model:
    model = Frozen(encoder=spec)
    model.samples_, model.encoder_ = samples, encoder  # type: ignore[assignment]
    return model
