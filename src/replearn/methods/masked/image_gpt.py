"""Image GPT: tell each pixel of a small image from all before it, row by row.

    images --palette--> x_1 ... x_t --transformer of the past--> s_1 ... s_t --linear--> x_1 ... x_t

An image is made small, and each pixel has one of a few colours, so that it is a text of a few hundred tokens. The
representation is the mean of the states of a middle layer: the last ones know the next pixel, and little else. Each
state tells its pixel from those before it, so the last pixel of an image is in no state, as in the paper. With
`objective="masked"`, BERT's, some pixels are hidden, and states tell of both sides. It must know pixels better than how
often each place has each colour (`histogram_bits`).

References: Chen et al., ICML 2020, section 2. https://proceedings.mlr.press/v119/chen20s.html
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders.dropout import set_dropout
from replearn.encoders.palette import Palette, PixelEncoder
from replearn.engine.embed import embed_parts
from replearn.engine.machine import choose_for_inference
from replearn.methods.checks import samples_like_fit
from replearn.methods.exhibit import Exhibit
from replearn.methods.language.generation import Choice
from replearn.methods.masked.patches import check_share
from replearn.methods.trained import Trained
from replearn.objectives import cross_entropy
from replearn.views.blocks import hide

log = logging.getLogger("replearn")

Objective = Literal["next", "masked"]


@dataclass(kw_only=True, eq=False, repr=False)
class ImageGPT(Trained):
    """Generative pre-training from pixels.

    Attributes:
        colours: of the palette, k-means over training pixels; of one channel, levels of grey. None: 512, or 16.
        side: pixels to which the longer side of an image is brought down.
        dim: numbers in a state.
        depth: layers.
        layer: after which of them states are the representation, 0 before the first; None: the middle.
        objective: `next`, each pixel from those before it, or `masked`, hidden pixels from the others.
        share: of the pixels that are hidden.
        dropout: share of a state's numbers that are lost while training.
    """

    family: ClassVar[str] = "masked"
    needs: ClassVar[tuple[str, ...]] = ("pixels",)
    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://proceedings.mlr.press/v119/chen20s.html"
    why_collapse: ClassVar[str | None] = (
        None  # means of states lie close together as long as little is learned
    )
    watched_samples: ClassVar[int] = 32

    colours: int | None = None
    side: int = 16
    dim: int = 64
    depth: int = 4
    layer: int | None = None
    objective: Objective = "next"
    share: float = 0.15
    dropout: float = 0.0
    epochs: int = 20
    batch_size: int = 8
    learning_rate: float = 3e-3
    weight_decay: float = 0.01

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return (
            {} if self.objective == "masked" else {"share": "objective='next' hides no pixel but later ones"}
        )

    def check(self, samples: Samples) -> None:
        super().check(samples)
        if self.objective not in ("next", "masked"):
            raise ValueError(
                f"objective must be next or masked; got {self.objective!r}. Leave it out for next."
            )
        for name, least in (("colours", 2), ("depth", 1), ("side", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(
                    f"{name} must be at least {least}; got {value}. Leave it out for the default."
                )
        if self.layer is not None and not 0 <= self.layer <= self.depth:
            raise ValueError(
                f"layer must be from 0 to {self.depth}, the depth; got {self.layer}. Leave it out."
            )
        check_share(self.share)

    def _prepare(self, given: Samples) -> Samples:
        samples = super()._prepare(given)
        palette = self.encoder_.palette
        palette.learn(samples, random_state=self.random_state)
        size, number = " x ".join(map(str, palette.shape[1:])), len(palette.colours)
        if palette.length < 2:
            raise ValueError(
                "ImageGPT tells pixels by those before them; these images are read as one pixel. Raise side, or give "
                "larger images."
            )
        log.info("images are read as %s pixels, each in one of %d colours", size, number)
        return samples

    def build(self, samples: Description) -> None:
        self.encoder_ = PixelEncoder(
            samples,
            Palette(samples, colours=self.colours, side=self.side),
            causal=self.objective == "next",
            dim=self.dim,
            depth=self.depth,
            layer=self.depth // 2 if self.layer is None else self.layer,
        )
        set_dropout(self.encoder_, self.dropout)
        self.head_ = nn.Linear(self.dim, self.encoder_.mark, bias=False)
        nn.init.normal_(self.head_.weight, std=0.02)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Nats per pixel that is told: all of them, or those that are hidden."""
        ids = self.encoder_.palette(batch)  # (n, t)
        if self.objective == "next":
            return cross_entropy(self.logits(ids, start=batch.start).flatten(0, 1), ids.flatten())
        hidden = self.hidden(batch)  # (n, m)
        logits = self.logits(ids.scatter(1, hidden, self.encoder_.mark), hidden, start=batch.start)
        return cross_entropy(logits.flatten(0, 1), ids.gather(1, hidden).flatten())

    def logits(
        self, ids: Int[Tensor, "n t"], places: Int[Tensor, "n m"] | None = None, *, start: int = 0
    ) -> Float[Tensor, "n m k"]:
        """Of each colour that a pixel may have, at these places or all.

        Args:
            ids: of all pixels; where a state tells of the past alone, later ones change nothing before them.
            places: of pixels.
            start: these are rows of a joined batch, from this one on.
        """
        states = self.encoder_.read(self.encoder_.seen(ids, start), "states")  # (n, t, d)
        if places is not None:
            states = states.gather(1, places[..., None].expand(-1, -1, self.dim))  # (n, m, d)
        return self.head_(states)  # type: ignore[no-any-return]

    def hidden(self, batch: Batch) -> Int[Tensor, "n m"]:
        """Places of hidden pixels, as many of each image: means over images are means over pixels."""
        return hide(batch, self.encoder_.palette.length, self.share)[1]

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        return self.encoder_(batch)  # type: ignore[no-any-return]

    @property
    def representation_dim(self) -> int:
        return self.dim

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """Bits per pixel that is told, and how many fewer they are than by a histogram of each place."""
        bits = self.loss(batch) / math.log(2)
        by_place = self.encoder_.palette.histogram_bits(self.encoder_.palette(batch)).mean()
        return {"bits_per_pixel": bits, "histogram_gain": by_place - bits}

    def bits_per_pixel(self, X: Any) -> Float[np.ndarray, " n"]:
        """What it takes to tell each image, over its pixels; of images that are made small, in colours of the palette.

        Args:
            X: images like those of `fit`.

        Raises:
            ValueError: it was not fitted to tell the next pixel, or images are of another shape.
        """
        self._causal("bits_per_pixel")
        return self._of(X, self._bits)

    def histogram_bits(self, X: Any) -> Float[np.ndarray, " n"]:
        """The same, by how often each place has each colour in training images: what must be beaten."""
        return self._of(X, lambda batch: self.encoder_.palette.histogram_bits(self.encoder_.palette(batch)))

    def complete(
        self, X: Any, *, seen: float = 0.5, temperature: float = 1.0, random_state: int = 0
    ) -> Float[np.ndarray, "n c h w"]:
        """Images whose first rows are given, and whose others are drawn pixel by pixel; small, in [0, 1].

        Args:
            X: images like those of `fit`.
            seen: share of the rows that are given.
            temperature: 0 takes the most probable colour.
            random_state: seed.

        Raises:
            ValueError: it was not fitted to tell the next pixel, or `seen` is no share.
        """
        self._causal("complete")
        if not 0 <= seen <= 1:
            raise ValueError(
                f"seen must be a share of the rows, in [0, 1]; got {seen}. Leave it out for a half."
            )
        choice, palette = Choice(temperature=temperature), self.encoder_.palette
        generator = torch.Generator().manual_seed(random_state)
        return np.concatenate(
            self._parts(
                X, lambda batch: palette.images(self._written(palette(batch), seen, choice, generator))
            )
        )

    def exhibit(self, batch: Batch) -> Exhibit:
        """Lower halves written anew; or hidden pixels, filled in by the most probable colour."""
        palette = self.encoder_.palette
        true = palette(batch)  # (n, t)
        images, grey = palette.images(true), palette.colours.mean(0)[:, None]  # (c, 1)
        if self.objective == "next":
            hidden = torch.arange(palette.length, device=true.device).expand_as(true) >= self._given(0.5)
            written = self._written(true, 0.5, Choice(), torch.Generator().manual_seed(0))
            title, note = (
                "What is below?",
                "Test samples made small; their lower halves are drawn pixel by pixel.",
            )
        else:
            places = self.hidden(batch)
            hidden = torch.zeros_like(true, dtype=torch.bool).scatter(1, places, True)
            told = self.logits(true.masked_fill(hidden, self.encoder_.mark), places).argmax(2)
            written = true.scatter(1, places, told)
            title, note = (
                "What is hidden?",
                "Test samples made small; hidden pixels have the most probable colour.",
            )
        seen = torch.where(hidden[:, None], grey, images.flatten(2)).view_as(images)
        return Exhibit(title, note, {"seen": seen, "predicted": palette.images(written), "true": images})

    def _bits(self, batch: Batch) -> Float[Tensor, " n"]:
        ids = self.encoder_.palette(batch)
        nats = nn.functional.cross_entropy(self.logits(ids).mT.float(), ids, reduction="none")  # (n, t)
        return nats.mean(1) / math.log(2)

    def _given(self, seen: float) -> int:
        _, height, width = self.encoder_.palette.shape
        return round(seen * height) * width

    def _written(
        self, ids: Int[Tensor, "n t"], seen: float, choice: Choice, generator: torch.Generator
    ) -> Int[Tensor, "n t"]:
        """Colours, drawn anew after the rows that are given; what was read is remembered."""
        net, rows, memory = self.encoder_.body.net, ids[:, : self._given(seen)], None
        unread = torch.cat([torch.full_like(ids[:, :1], self.encoder_.mark), rows], dim=1)
        while rows.shape[1] < ids.shape[1]:
            states, memory = net.step(unread, memory)
            unread = choice.of(self.head_(states[:, -1]).float().cpu(), generator)[:, None].to(ids.device)
            rows = torch.cat([rows, unread], dim=1)
        return rows

    def _of(self, X: Any, number: Callable[[Batch], Tensor]) -> Float[np.ndarray, " n"]:
        return np.concatenate(self._parts(X, lambda batch: number(batch)[:, None]))[:, 0]

    def _parts(self, X: Any, make: Callable[[Batch], Tensor]) -> list[np.ndarray]:
        machine, modules = choose_for_inference(self.device, self.precision), list(self.modules().values())
        return list(embed_parts(make, modules, samples_like_fit(self, X), machine, rows=64))

    def _causal(self, name: str) -> None:
        if self.objective != "next":
            raise ValueError(
                f"{name} needs objective='next', each pixel from those before it; got 'masked'. Fit so."
            )
