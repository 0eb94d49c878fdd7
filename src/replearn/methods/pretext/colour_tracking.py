"""ColourTracking: colour a grey frame by pointing at frames before it whose colours are known.

    batch --views--> grey x_1 ... x_r+1 --encoder, each alone--> maps --1 x 1 convolution--> f (p places each)
                     colours --k-means--> clusters c_1 ... c_r+1
    A_ij = softmax_j(f_i · f_j / temperature), i in frame r+1, j in frames 1 ... r
    Σ_j A_ij [c_j = k] --cross_entropy(c_i)--> loss

Nothing tells a colour but the pointer: the network must find where a thing was, and so learns to track. The encoder
sees grey alone, in training and when it represents. At test the same pointer carries masks or points along
(`method.maps`, `replearn.evaluate.propagate`).

References: Vondrick et al., Tracking emerges by colorizing videos, ECCV 2018. https://arxiv.org/abs/1806.09594
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders import Encoder
from replearn.encoders.colour_clusters import ColourClusters
from replearn.encoders.colours import colours_of, scaled_colours
from replearn.encoders.given import given_encoder
from replearn.encoders.maps import map_shape
from replearn.encoders.modes import evaluating
from replearn.engine.embed import embed_parts
from replearn.engine.machine import choose_for_inference
from replearn.methods.checks import check_views, samples_like_fit
from replearn.methods.exhibit import Exhibit
from replearn.methods.pretext.of_frames import OfFrames
from replearn.methods.pretext.pretext import answered
from replearn.views.defaults import parts_of
from replearn.views.lab import lab, rgb
from replearn.views.tracked import Tracked, grey_frames

LOOKED_AT = 1024  # samples, of whose colours clusters are made
LEAST = 1e-4  # probability of a colour that no reference has


@dataclass(kw_only=True, eq=False, repr=False)
class ColourTracking(OfFrames):
    """Tracking emerges by colorizing videos.

    Attributes:
        views: `Tracked(...)`, or the name of a preset; None takes the default for this kind of samples.
        clusters: of colours, that are told apart.
        dim: numbers in the embedding of a place, which pointers compare.
        stride: pixels of a frame for a place, at most: the encoder ends in its deepest map that is as fine.
        temperature: of the softmax over places of the references.
    """

    year: ClassVar[int] = 2018
    paper: ClassVar[str] = "https://arxiv.org/abs/1806.09594"
    split: ClassVar[str] = "tracked"

    clusters: int = 16
    dim: int = 64
    stride: int = 2
    temperature: float = 1.0
    batch_size: int = 16
    learning_rate: float = 3e-3

    @property
    def answers(self) -> int:
        """Clusters of colours."""
        return self.clusters

    @property
    def frequencies(self) -> Float[Tensor, " k"]:
        return self.clusters_.shares  # type: ignore[no-any-return]

    def check(self, samples: Samples) -> None:
        super().check(samples)
        if self.clusters < 2 or self.stride < 1 or self.dim < 1:
            got = f"{self.clusters}, {self.stride} and {self.dim}"
            raise ValueError(f"clusters must be at least 2, stride and dim at least 1; got {got}.")

    def build(self, samples: Description) -> None:
        check_views(self, Tracked, "views of grey and colours")
        self.parts_ = parts_of(self.views, samples, self.split)
        frame, _ = self.parts_.describe(samples)
        self.build_for(frame)
        self.encoder_ = self._cut(frame)
        channels, *size = map_shape(self.encoder_, frame)
        self.size_ = size[0], size[1]
        self.head_ = nn.Conv2d(channels, self.dim, 1)
        self.clusters_ = ColourClusters(self.clusters)

    def _cut(self, frame: Description) -> Encoder:
        """The encoder up to its deepest map that is fine enough, else that of the finest: the rest would not learn.

        Raises:
            ValueError: it is not made of stages that have maps.
        """
        whole = self.encoder_
        first = getattr(whole.body, "first", None)
        if not callable(first):
            raise ValueError(
                "the encoder must be made of stages with maps, in which places are found; got "
                f"{type(whole.body).__name__}. Use cnn or r3d."
            )
        blank = torch.zeros(2, *frame.shape, device=whole.mean.device)
        with evaluating([whole]), torch.no_grad():
            tall = [one.shape[2] for one in whole.read(blank, "maps")]
        least = min(-(-frame.shape[2] // self.stride), max(tall))
        number = max(place for place, height in enumerate(tall, start=1) if height >= least)
        return given_encoder(first(number), frame)

    def _prepare(self, given: Samples) -> Samples:
        samples = super()._prepare(given)
        rows = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), LOOKED_AT)).astype(np.int64))
        seen = [self.parts_.parts(samples[part])[1].x for part in np.array_split(rows, -(-len(rows) // 64))]
        self.clusters_.learn(torch.cat(seen), self.size_, self.random_state)
        return samples

    def embedded(self, frames: Batch) -> Float[Tensor, "m d i j"]:
        """The embedding of each place of grey frames."""
        found: Tensor = self.head_(self.encoder_.read(frames, "map"))
        return found

    def pointed(self, seen: Batch, frames: int) -> Float[Tensor, "n p q"]:
        """From each place of the last of so many frames of each sample to the places of those before it, of sum 1."""
        f = self.embedded(seen).flatten(2).mT  # (n·frames, p, d)
        f = f.reshape(-1, frames, *f.shape[1:])
        before, last = f[:, :-1].flatten(1, 2), f[:, -1]  # (n, q, d), (n, p, d)
        return (last @ before.mT / self.temperature).float().softmax(2)

    def guess(self, batch: Batch) -> tuple[Float[Tensor, "m k"], Int[Tensor, " m"]]:
        """The logarithm of what is said of each cluster at each place, and the right ones."""
        told, colours = self._told(len(batch), *self.views_(batch))
        return told.flatten(0, 1), colours[:, -1].flatten()

    def _told(
        self, n: int, seen: Batch, colours: Batch
    ) -> tuple[Float[Tensor, "n p k"], Int[Tensor, "n r p"]]:
        frames = len(seen) // n
        size = self._size(seen)
        own = self.clusters_(colours.x, size).view(n, frames, -1)  # (n, r+1, p)
        copied = F.one_hot(own[:, :-1].flatten(1), self.clusters).float()  # (n, q, k)
        return (self.pointed(seen, frames) @ copied).clamp_min(LEAST).log(), own

    def _size(self, seen: Batch) -> tuple[int, int]:
        """Of the map of such frames, which views may have made smaller."""
        if tuple(seen.x.shape[1:]) == self.frame_.shape:
            return self.size_
        with torch.no_grad():
            _, _, height, width = self.encoder_.read(seen.rows(0, 1), "map").shape
        return height, width

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """As of all pretext tasks; and where the colour is not that of the same place before, how often it is told."""
        told, colours = self._told(len(batch), *self.views_(batch))
        right, before = colours[:, -1].flatten(), colours[:, -2].flatten()
        found = answered(told.flatten(0, 1), right, self.frequencies.max())
        moved = right != before
        hit = (told.flatten(0, 1).argmax(1) == right).float()
        found["copied"] = (~moved).float().mean()
        return found | ({"moved_accuracy": hit[moved].mean()} if moved.any() else {})

    def frames(self, batch: Batch) -> Batch:
        return grey_frames(batch)

    def maps(self, X: Any) -> Float[np.ndarray, "n t d i j"]:
        """The embedding of each place of each frame, divided so that a dot product is what the pointer's softmax reads.

        `replearn.evaluate.propagate` carries masks along by it.

        Args:
            X: samples, as `transform` takes them.
        """
        samples = samples_like_fit(self, X)
        machine = choose_for_inference(self.device, self.precision)
        scale = self.temperature**-0.5
        parts = embed_parts(
            lambda batch: (self.embedded(self.frames(batch)) * scale).reshape(len(batch), -1),
            *(list(self.modules().values()), samples, machine),
            rows=16,
        )
        return np.concatenate(list(parts)).reshape(len(samples), samples.shape[1], self.dim, *self.size_)

    def loss_at_collapse(self) -> None:
        """It says nothing: a pointer to everywhere says how often a clip has each colour."""

    def exhibit(self, batch: Batch) -> Exhibit:
        """A reference in colour, a frame after it in grey, in the colours that were pointed at, and as it is."""
        seen, colours = self.parts_.parts(batch)
        n, frames = len(batch), len(seen) // len(batch)
        true = batch.floats().x[:, :, frames - 2 : frames]  # the last reference, and the frame after it
        grey, ab = (part.x.view(n, frames, *part.x.shape[1:]) for part in (seen, colours))
        small = F.adaptive_avg_pool2d(ab[:, :-1, :, 0].flatten(0, 1), self.size_)  # (n·r, 2, i, j)
        sources = small.view(n, frames - 1, 2, -1).permute(0, 1, 3, 2).flatten(1, 2)  # (n, q, 2)
        copied = (self.pointed(seen, frames) @ sources).mT.reshape(n, 2, *self.size_)
        wide = F.interpolate(scaled_colours(colours_of(copied)), true.shape[3:], mode="bilinear")
        light = lab(grey[:, -1, :, 0])[:, :1]
        made = rgb(torch.cat([light, wide], dim=1))[:, :, None]
        pictures = {"before": true[:, :, :1], "grey": grey[:, -1], "pointed at": made, "true": true[:, :, 1:]}
        told, own = self._told(n, seen, colours)
        hit = (told.argmax(2) == own[:, -1]).float().mean(1)
        return Exhibit(
            "Where does its colour come from?",
            "A frame of test samples in colour, the next one in grey, in the colours that the network points at, and "
            "as it is; and of how many places the colour is right.",
            pictures,
            [f"{share:.0%}" for share in hit.tolist()],
        )
