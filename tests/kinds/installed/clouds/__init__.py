"""A kind whose samples have no common shape: clouds of points in the plane, a batch of which is their union."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from replearn.data.kinds import ROWS, Kind
from replearn.data.samples import Batch, Samples
from replearn.encoders import Encoder
from replearn.encoders.kinds import ENCODER, Networks
from replearn.views import View, uniform_of_elements
from replearn.views.kinds import Views


@dataclass(frozen=True, eq=False)
class Cloud:
    """The union of n clouds.

    Attributes:
        points: `(m, 2)`, cloud by cloud.
        of: the cloud of each point, `(m,)`, rising.
        n: clouds; some may have no point.
    """

    points: Tensor
    of: Tensor
    n: int

    def __len__(self):
        return self.n

    def __getitem__(self, rows):
        start, stop, _ = rows.indices(self.n)
        within = (self.of >= start) & (self.of < stop)
        return Cloud(self.points[within], self.of[within] - start, max(0, stop - start))

    def to(self, device):
        return Cloud(self.points.to(device), self.of.to(device), self.n)

    def channels(self):
        return self.points.float()

    def each(self):
        return (self.points[self.of == i].numpy().tobytes() for i in range(self.n))

    def flat(self):
        """Counts of the cells of a grid."""
        cells = ((self.points.clamp(-0.99, 0.99) + 1) * 2).long()  # 4 x 4
        rows = torch.zeros(self.n, 16)
        return rows.index_put(
            (self.of, cells[:, 0] * 4 + cells[:, 1]), torch.ones(len(cells)), accumulate=True
        )

    def places(self):
        """The number of each point within its cloud."""
        first = torch.searchsorted(self.of, torch.arange(self.n, device=self.of.device))
        return torch.arange(len(self.of), device=self.of.device) - first[self.of]


class Clouds(Samples):
    """Clouds, a list of arrays `(k, 2)`."""

    kind = "cloud"
    shape = ()

    def __init__(self, clouds, labels, classes):
        self.clouds, self.labels, self.classes = clouds, labels, classes

    def __len__(self):
        return len(self.clouds)

    def __getitem__(self, index):
        chosen = [torch.as_tensor(self.clouds[i], dtype=torch.float32) for i in index.tolist()]
        of = torch.repeat_interleave(
            torch.arange(len(chosen)), torch.tensor([len(c) for c in chosen], dtype=torch.int64)
        )
        points = torch.cat(chosen) if chosen else torch.zeros(0, 2)
        return Batch(
            Cloud(points, of, len(chosen)),
            labels=torch.from_numpy(np.asarray(self.labels)[index]),
            index=torch.from_numpy(np.asarray(index, dtype=np.int64)),
        )


class Jiggle(View):
    """Every point moved by its own noise."""

    def __call__(self, batch):
        x = batch.x
        moved = uniform_of_elements(batch, x.of, x.places(), columns=2) - 0.5
        return batch.with_x(Cloud(x.points + 0.2 * moved, x.of, x.n))


class Seen(Views):
    presets: ClassVar = {"jiggle": lambda samples: Jiggle()}


class Data(Kind):
    plural = "clouds"
    offers = frozenset({ROWS})


class Sums(nn.Module):
    """A sum over points of what a small network makes of each (Zaheer et al., 2017)."""

    def __init__(self):
        super().__init__()
        self.each = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32))
        self.after = nn.Sequential(nn.ReLU(), nn.Linear(32, 24))

    def forward(self, x):
        points = self.each(x.points)
        pooled = points.new_zeros(x.n, points.shape[1]).index_add(0, x.of, points)
        return self.after(pooled / 20)


class Nets(Networks):
    offers = frozenset({ENCODER})

    def content(self, samples, n, device):
        return Cloud(torch.zeros(n, 2, device=device), torch.arange(n, device=device), n)

    def make(self, spec, samples):
        if isinstance(spec, nn.Module):
            return super().make(spec, samples)
        return Encoder(Sums(), dim=24, mean=torch.zeros(2), std=torch.ones(2))


data, views, encoders = Data(), Seen(), Nets()
