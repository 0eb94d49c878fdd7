"""Colorization: tell the colours of an image of which only the grey is seen; who knows the thing knows its colour.

    batch --views--> L  --encoder--> map --up-sampling head--> logits of bins of (a, b), at a quarter of the size
                     ab --5 nearest bins, Gaussian--> shares        logits, shares --colour_cross_entropy--> loss

The mean of a blue and a yellow thing is nearly grey, so a distribution over bins is learned, and a colour is its
annealed mean. Grey is the commonest colour: each place is weighed by how rare its bin is, and images that are all grey
are left out. The encoder sees the grey image in three equal channels, in training and when it represents: a
representation knows no colours.

References: Zhang, Isola & Efros, ECCV 2016. https://arxiv.org/abs/1603.08511
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import collect, gather, process
from replearn.encoders.colours import ColourBins, coloured, colours_of, scaled_colours
from replearn.encoders.maps import FromMap, map_shape
from replearn.engine.embed import embed_parts
from replearn.engine.machine import choose_for_inference
from replearn.methods.checks import check_views, samples_like_fit
from replearn.methods.exhibit import Exhibit
from replearn.methods.pretext.pretext import Pretext
from replearn.objectives import colour_cross_entropy
from replearn.objectives.colours import balanced_accuracy, chroma_ratio, colour_error
from replearn.views import GreyOf
from replearn.views.defaults import parts_of
from replearn.views.lab import grey, lab, rgb

log = logging.getLogger("replearn")

LOOKED_AT = 10_000  # samples, of which it is learned how often colours occur
SHOWN = 12


@dataclass(kw_only=True, eq=False, repr=False)
class Colorization(Pretext):
    """Colorful image colorization as a pretext task.

    Attributes:
        views: `GreyOf(...)`, or the name of a preset; None takes the default for this kind of samples.
        uniform: share of a uniform distribution in the one that colours are weighed by the inverse of; 1 weighs all
            alike.
        temperature: of the softmax whose mean is a colour; 1 is the mean, towards 0 the likeliest bin.
        width: channels of the head's last map.
    """

    sees: ClassVar[str] = "grey"
    year: ClassVar[int] = 2016
    paper: ClassVar[str] = "https://arxiv.org/abs/1603.08511"
    split: ClassVar[str] = "grey_of"

    uniform: float = 0.5
    temperature: float = 0.38
    width: int = 64
    batch_size: int = 64
    learning_rate: float = 3e-3

    @property
    def answers(self) -> int:
        """Bins that there are."""
        return len(self.bins_)

    def build(self, samples: Description) -> None:
        check_views(self, GreyOf, "views of grey and colours")
        if not 0 < self.uniform <= 1:
            raise ValueError(f"uniform must be a share in (0, 1]; got {self.uniform}. Try 0.5.")
        self.parts_ = parts_of(self.views, samples, self.split)
        seen, colours = self.parts_.describe(samples)
        super().build(seen)
        self.bins_ = ColourBins()
        _, height, width = colours.shape
        self.head_ = FromMap(
            map_shape(self.encoder_, seen), (len(self.bins_), height, width), width=self.width
        )

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        """Count how often colours occur, then train the modules."""
        self.bins_.weigh(self.prior(samples), self.uniform)
        super().learn(samples, run=run, resume=resume, loggers=loggers)

    def prior(self, samples: Samples) -> Float[Tensor, " q"]:
        """How often each bin occurs in some 10,000 samples that are not grey, smoothed as bins share colours.

        Raises:
            ValueError: all are grey.
        """
        rows = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), LOOKED_AT)).astype(np.int64))
        total, found = torch.zeros(self.answers, dtype=torch.float64), 0
        for start in range(0, len(rows), 256):
            ab = colours_of(self.parts_.parts(samples[rows[start : start + 256]])[1].x)
            ab = ab[coloured(ab)]
            bins, shares = self.bins_.shares(by_place(ab))
            total.index_add_(0, bins.flatten(), shares.flatten().double())
            found += len(ab)
        if not found:
            raise ValueError(
                f"some images must have colours for Colorization; all {len(rows):,} that were looked at are grey. "
                "Give others, or use Rotation or ContextEncoder."
            )
        if process() == 0:
            log.info(
                "colours: %d of %d images are grey: they are shown, and count for nothing in the loss",
                len(rows) - found,
                len(rows),
            )
        return (total / total.sum()).float()

    def guess(self, batch: Batch) -> tuple[Float[Tensor, "m q"], Int[Tensor, " m"]]:
        """Logits of each place of the images that are not grey, and the bins of their colours."""
        seen, colours = self.views_(batch)
        ab = colours_of(colours.x)
        kept = coloured(ab)
        return by_place(self.logits(seen)[kept]), self.bins_.shares(by_place(ab[kept]))[0][:, 0]

    def logits(self, seen: Batch) -> Float[Tensor, "n q h w"]:
        """Of each bin, at each place of grey images."""
        return self.head_(self.encoder_.read(seen, "map"))  # type: ignore[no-any-return]

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        seen, colours = self.views_(batch)
        ab = colours_of(colours.x)
        bins, shares = self.bins_.shares(by_place(ab))  # (n·h·w, 5)
        kept = coloured(ab).repeat_interleave(ab[0, 0].numel())  # (n·h·w,)
        weights = self.bins_.weights[bins[:, 0]] * kept
        told = gather(by_place(self.logits(seen)))
        return colour_cross_entropy(told, collect(bins), collect(shares), collect(weights))

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        return super().represent(self.parts_.parts(batch)[0])

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """Accuracy over places and over bins alike, and predicted colours beside true ones and beside grey."""
        logits, right = self.guess(batch)
        if not len(right):
            return {}
        guessed, true = self.bins_.mean(logits, self.temperature), self.bins_.bins[right]
        return {
            "pretext_accuracy": (logits.argmax(1) == right).float().mean(),
            "balanced_accuracy": balanced_accuracy(logits.argmax(1), right),
            "chance": torch.tensor(1 / self.answers),
            "chroma_ratio": chroma_ratio(guessed, true),
            "colour_error": colour_error(guessed, true),
            "grey_error": colour_error(torch.zeros_like(true), true),
        }

    def loss_at_collapse(self) -> None:
        """It says nothing: places weigh unlike much."""

    def coloured_in(self, batch: Batch) -> Float[Tensor, "n 3 h w"]:
        """Images in colour, in [0, 1], of the grey of a batch: predicted colours, enlarged, with its lightness."""
        seen, _ = self.parts_.parts(batch)
        logits = self.logits(seen)
        ab = self.bins_.mean(by_place(logits), self.temperature)  # (n·h/4·w/4, 2)
        scaled = scaled_colours(ab.view(len(seen), *logits.shape[2:], 2).movedim(3, 1))  # (n, 2, h/4, w/4)
        wide = F.interpolate(scaled, seen.x.shape[2:], mode="bilinear")  # (n, 2, h, w)
        return rgb(torch.cat([lab(seen.x)[:, :1], wide], dim=1))

    def colour(self, X: Any) -> Float[np.ndarray, "n 3 h w"]:
        """What it takes the colours of images to be, in [0, 1]; of theirs only the grey is looked at.

        Args:
            X: samples, as `transform` takes them.
        """
        samples = samples_like_fit(self, X)
        machine = choose_for_inference(self.device, self.precision)
        modules = list(self.modules().values())
        parts = embed_parts(
            lambda batch: self.coloured_in(batch).flatten(1), modules, samples, machine, rows=64
        )
        return np.concatenate(list(parts)).reshape(len(samples), *samples.shape)

    def exhibit(self, batch: Batch) -> Exhibit:
        """Grey, predicted and true images, from the one whose colours are told best to the worst."""
        true, made = batch.floats().x, self.coloured_in(batch)
        apart = colours_of(lab(made)[:, 1:]) - colours_of(lab(true)[:, 1:])  # (n, 2, h, w)
        errors = apart.square().sum(1).mean((1, 2)).sqrt()  # (n,)
        order = errors.argsort()
        shown = order[torch.linspace(0, len(order) - 1, min(len(order), SHOWN)).round().long()]
        pictures = {"grey": grey(true[shown]), "predicted": made[shown], "true": true[shown]}
        return Exhibit(
            "Which colours has it?",
            "Test samples in grey, in the colours that the network takes theirs to be, and as they are; from the least "
            "error of a and b to the largest.",
            pictures,
            [f"error {error:.0f}" for error in errors[shown]],
        )


def by_place(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "m c"]:
    """A row for each place of each image."""
    return x.movedim(1, 3).flatten(0, 2)  # (n·h·w, c)
