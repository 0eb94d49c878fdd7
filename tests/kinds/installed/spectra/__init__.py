"""A kind of samples in one small package: spectra, read from files of two columns, wavelength and intensity.

The entry point `spectrum` of the group `replearn.kinds` leads here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from replearn.data.content import as_float
from replearn.data.kinds import ROWS, Kind
from replearn.data.labels import encode_labels
from replearn.data.samples import ArraySamples
from replearn.encoders.kinds import Networks
from replearn.report.kinds import Looks
from replearn.views import Chain, Pair, Same, View, uniform
from replearn.views.kinds import Views

POINTS = 64  # to which all spectra are brought


class Spectra(ArraySamples):
    """Intensities, float32 `(n, 1, 64)`."""

    def __init__(self, x, labels, classes, names, wavelengths):
        super().__init__(x, labels, classes=classes, names=names)
        self.kind = "spectrum"
        self.details = {"wavelengths": list(wavelengths)}


class Data(Kind):
    """Folders of `.spec` files, one folder per class."""

    plural = "spectra"
    offers = frozenset({ROWS})

    def claims(self, data):
        return isinstance(data, str | Path) and any(Path(data).glob("**/*.spec"))

    def read(self, data, asked):
        files = sorted(Path(data).glob("**/*.spec"))
        tables = [np.loadtxt(file, dtype=np.float32) for file in files]
        low, high = max(t[0, 0] for t in tables), min(t[-1, 0] for t in tables)
        grid = np.linspace(low, high, POINTS)
        x = np.stack([np.interp(grid, *table.T) for table in tables]).astype(np.float32)[:, None]
        labels, classes = encode_labels([file.parent.name for file in files], len(files))
        names = [str(file.relative_to(data)) for file in files]
        return Spectra(x, labels, classes, names, (float(low), float(high))), None, None

    def features(self, samples):
        """Means of eight bands."""
        return samples.flat().reshape(len(samples), 8, -1).mean(2)


@dataclass(frozen=True)
class Tilt(View):
    """A baseline that rises or falls, as that of lamps does."""

    most: float = 0.3

    def __call__(self, batch):
        x = as_float(batch.x)
        slope = uniform(batch, 1, 1, low=-self.most, high=self.most)
        return batch.with_x(x + slope * torch.linspace(-1, 1, x.shape[-1]))


@dataclass(frozen=True)
class Slide(View):
    """Moved along the wavelengths by a few points."""

    def __call__(self, batch):
        moves = uniform(batch, low=-2, high=3).floor().long()
        places = (torch.arange(batch.x.shape[-1]) + moves[:, None]).clamp(0, batch.x.shape[-1] - 1)
        return batch.with_x(as_float(batch.x).gather(2, places[:, None]))


class Seen(Views):
    presets: ClassVar = {"lamp": lambda samples: Chain(Slide(), Tilt())}
    splits = (*Views.splits, "corrupted")
    stored = (Slide, Tilt)

    def corrupted(self, samples, view, preset):
        return Pair(Tilt(1.0), Same())


class Bands(nn.Module):
    """Convolutions along the wavelengths."""

    def __init__(self, shape):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(shape[0], 16, 5, stride=2, padding=2),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.Conv1d(16, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(4),
            nn.Flatten(),
        )

    def forward(self, x):
        return self.net(x)


class Nets(Networks):
    bodies: ClassVar = {**Networks.bodies, "bands": Bands}

    def auto(self, samples):
        return "bands"


class Drawn(Looks):
    shown = "picture"

    def cell(self, shape):
        return 1, 32

    def draw(self, x, side):
        """Ink where the intensity is."""
        at = torch.linspace(0, x.shape[-1] - 1, side).long()
        height = (as_float(x)[:, 0, at].clamp(0, 1) * (side - 1)).long()  # (n, s)
        rows = torch.arange(side - 1, -1, -1)
        return ((rows[:, None] <= height[:, None]).to(torch.uint8) * 255)[..., None].numpy()  # (n, s, s, 1)


data, views, encoders, report = Data(), Seen(), Nets(), Drawn()
