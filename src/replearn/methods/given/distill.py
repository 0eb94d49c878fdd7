"""Distill: a small network learns to say of samples what a large one says that has learned already; no labels.

    batch --encoder--> h --regressor--> z --squared distance, or cosine--> loss
          --teacher, as it is, once for all samples--> t --standardised--/

The teacher's numbers are brought to mean 0 and deviation 1, so that none counts for its size. The regressor, which
makes up for other widths, is thrown away after training; the representation is h, and the teacher is needed no more.
With `distance="similarities"` there is no regressor: what h keeps is which samples are near to each other (CompRess).

References: Romero et al., "FitNets: hints for thin deep nets", ICLR 2015, equation 3. https://arxiv.org/abs/1412.6550
    Wei et al., 2022 (features of a teacher, without their scale; what it says of views). https://arxiv.org/abs/2205.14141
    Abbasi Koohpayegani et al., NeurIPS 2020 (similarities). https://arxiv.org/abs/2010.14713
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.encoders import make_encoder
from replearn.methods.base import Method
from replearn.methods.given.teacher import Regressor, Teacher, some_of
from replearn.objectives import negative_cosine, similarity_divergence, squared_error
from replearn.views import Split

ALIKE = "similarities"
DISTANCES = ("squared", "cosine", ALIKE)
FEWEST = 3  # samples of a batch, so that of the others one may be the nearer


@dataclass(kw_only=True, eq=False, repr=False)
class Distill(Method):
    """Features of a teacher, by a smaller network.

    Attributes:
        teacher: a run folder, `hf:FOLDER`, `onnx:FILE`, or `NAME@FILE`, weights for a network of timm or torchvision.
        views: of which student and teacher see the same, so that the teacher is asked at every step; None shows the
            samples as they are, of which it is asked once.
        distance: of the student's answer from the teacher's: `squared` (mean over numbers), `cosine` (1 less it), or
            `similarities` (which other samples of the batch are near, without a map between the two).
        depth: linear layers from h to the teacher's numbers.
        hidden: width of the layers between.
        temperature: of similarities; smaller looks at the nearest samples alone.
    """

    family: ClassVar[str] = "given"
    year: ClassVar[int] = 2015
    paper: ClassVar[str] = "https://arxiv.org/abs/1412.6550"
    split: ClassVar[str] = "single"
    views_optional: ClassVar[bool] = True

    teacher: str = ""
    views: Split | str | None = None
    distance: Literal["squared", "cosine", "similarities"] = "squared"
    depth: int = 1
    hidden: int = 512
    temperature: float = 0.1
    learning_rate: float = 3e-3

    def check(self, samples: Samples) -> None:
        super().check(samples)
        if self.distance not in DISTANCES:
            raise ValueError(f"distance must be one of {', '.join(DISTANCES)}; got {self.distance!r}.")
        if self.depth < 1:
            raise ValueError(f"depth counts linear layers and must be at least 1; got {self.depth}.")
        if self.distance == ALIKE and min(self.batch_size, len(samples)) < FEWEST:
            raise ValueError(f"similarities must have batches of at least {FEWEST}; got fewer. Use squared.")
        self._teacher: Teacher | None = None  # to be opened; a run that is loaded needs none

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        width = 0
        if "_teacher" in self.__dict__:
            self._teacher = Teacher(self.teacher, samples, self.device)
            width = self._teacher.width
            if self.views is not None:
                self._teacher.check_views()
        depth = 0 if self.distance == ALIKE else self.depth
        self.regressor_ = Regressor(self.encoder_.dim, self.hidden, depth=depth, width=width)

    def asked(self, batch: Batch) -> Float[Tensor, "n t"]:
        """What the teacher says, standardised."""
        if self.__dict__.get("_teacher") is None:
            self._teacher = Teacher(self.teacher, self.samples_, self.device)
        assert self._teacher is not None
        return self.regressor_.standardise(self._teacher(batch))

    def idle(self, samples: Samples) -> Mapping[str, str]:
        if self.distance == ALIKE:
            return dict.fromkeys(("depth", "hidden"), "similarities need no regressor")
        found = {"temperature": f"it is of similarities, and distance is {self.distance}"}
        return (
            found if self.depth > 1 else found | {"hidden": "one linear layer (depth=1) has no hidden ones"}
        )

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        """Ask the teacher, then train."""
        teacher = self._teacher
        assert teacher is not None
        self._scale = teacher.ask_all(samples) if self.views is None else teacher.asked(some_of(samples))
        self.regressor_.learn_scale(self._scale)
        super().learn(samples, run=run, resume=resume, loggers=loggers)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        if (scale := self.__dict__.pop("_scale", None)) is not None:  # a resumed run has its own by now
            self.regressor_.check_same(scale)
        views = (batch,) if self.views is None else self.views_(batch)
        return torch.stack([self.away(view) for view in views]).mean()

    def away(self, batch: Batch) -> Float[Tensor, ""]:
        """How far a student is from its teacher, of samples as both see them."""
        h, t = self.encoder_(batch), self.asked(batch)  # (n, d), (n, t)
        if self.distance == ALIKE:
            return similarity_divergence(gather(h), gather(t), temperature=self.temperature)
        z = self.regressor_(h)  # (n, t)
        if self.distance == "cosine":
            return 1 + negative_cosine(z, t)
        return squared_error(z, t) / self.regressor_.varying

    def embed(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n d"] | None:
        """What is compared with others of a batch, at a temperature."""
        return h if self.distance == ALIKE else None

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """`explained`: the share of the variance of the teacher's numbers that the student tells."""
        if self.distance != "squared":
            return {}
        t = self.asked(batch)
        error = (self.regressor_(self.represent(batch)) - t).square().sum()
        return {"explained": 1 - error / (t - t.mean(0)).square().sum()}

    def loss_at_collapse(self) -> float | None:
        return None if self.distance == ALIKE else 1.0

    def forget(self) -> None:
        for name in ("_teacher", "_scale"):
            self.__dict__.pop(name, None)
