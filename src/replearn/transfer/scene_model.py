"""`SceneModel`: what is shared by models that tell what is where in a scene, on an encoder that was trained before."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
import torch
from jaxtyping import Int
from sklearn.exceptions import NotFittedError
from torch import nn

from replearn.data import Batch, Description, Samples
from replearn.data.scene_samples import Scenes
from replearn.encoders import Encoder, make_encoder, meant_by
from replearn.encoders.make import comes_with_weights
from replearn.encoders.modes import evaluating
from replearn.engine.embed import autocast
from replearn.engine.machine import choose_for_inference, random_state_kept
from replearn.engine.run import METHOD, open_run
from replearn.methods import Method, Model
from replearn.methods.checks import samples_like_fit
from replearn.methods.load import fitted
from replearn.methods.started import read_recipe, recipe_of
from replearn.transfer.checks import TRAINED
from replearn.transfer.layer_groups import levels_of, unfreeze_top
from replearn.transfer.surgery import batch_norms, leave_unread, levels_read, measure_statistics
from replearn.views.reframe import Frames, Reframe

log = logging.getLogger("replearn")

ROWS = 32  # scenes at a time
Told = TypeVar("Told")


@dataclass(kw_only=True, eq=False, repr=False)
class SceneModel(Method):
    """A method whose encoder is the backbone of a model of scenes: `fit(X)` takes `Scenes`, of `make_scenes`, of the
    readers of `replearn.data`, or made of arrays.

    Batch normalisations of the encoder keep their statistics: batches of scenes are small. An encoder with random
    weights measures them on the scenes first.

    Attributes:
        encoder: a run folder, a fitted method, a name (`resnet_tiny`, a network of timm, ...) or a module; it is
            copied.
        trained: what learns of the encoder: `full`, `frozen`, or a number: its last layers.
        encoder_rate: the learning rate of the encoder as a multiple of the head's.
        width: channels of the feature pyramid and of the head; a multiple of 8.
        stride: pixels between places of the finest map that is read.
        flip, zoom, shift: how scenes are framed anew each time; see `replearn.views.reframe`. 0 leaves them.
        learning_rate: of the head, its peak.
    """

    family: ClassVar[str] = "labelled"
    needs: ClassVar[tuple[str, ...]] = ("encoder", "pixels")
    why_collapse: ClassVar[str | None] = None  # scenes may well look alike as wholes
    why_not_extended: ClassVar[str] = "since its labels are not among what a run keeps"
    why_not_judged: ClassVar[str] = (
        "since it answers what is where in scenes, on which it was judged when it was fitted: see `replearn report`"
    )
    watched_samples: ClassVar[int] = 8
    main: ClassVar[str]  # the score that counts
    reads_masks: ClassVar[bool] = False  # whether it learns from masks, not from boxes
    usual_told: ClassVar[str]  # what `usual` says, in words
    refused: ClassVar[dict[str, str]] = {
        "accumulate": "by what the loss of a batch is divided is known only when its scenes are framed"
    }

    encoder: str | nn.Module | Model = "auto"  # type: ignore[assignment]
    trained: Literal["full", "frozen"] | int = "full"
    encoder_rate: float = 0.3
    width: int = 64
    stride: int = 4
    flip: float = 0.5
    zoom: float = 0.25
    shift: float = 0.1
    epochs: int = 50
    batch_size: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 0.01

    def given(self, X: Any, y: Any) -> Scenes:
        if not isinstance(X, Scenes) or y is not None:
            raise ValueError(
                f"{type(self).__name__} must be given Scenes, and no y; got {type(X).__name__}. Read them by "
                "read_coco, read_voc or read_masks, make some by make_scenes, or write Scenes(images, boxes=...)."
            )
        self.check_scenes(X)
        return X

    def check_scenes(self, scenes: Scenes) -> None:
        """Raises ValueError where scenes lack what is learned, or scored."""
        raise NotImplementedError

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        if self.trained not in TRAINED and (not isinstance(self.trained, int) or self.trained < 1):
            raise ValueError(
                f"trained must be full, frozen or a number of layers from 1 on; got {self.trained!r}. Try 2."
            )
        if not 0 < self.encoder_rate <= 1:
            raise ValueError(
                f"encoder_rate must lie in (0, 1]; got {self.encoder_rate}. Leave it out for 0.3."
            )
        if self.width < 8 or self.width % 8:
            raise ValueError(f"width must be a multiple of 8; got {self.width}. Try 64.")
        self._frame()
        super().check(samples)

    def idle(self, samples: Samples) -> dict[str, str]:
        why = "it is for layers that learn, and none does where the encoder is frozen"
        return {"encoder_rate": why} if self.trained == "frozen" else {}

    def build(self, samples: Description) -> None:
        spec = meant_by(self.encoder)
        if isinstance(spec, Model):
            spec = getattr(spec, "encoder_", None)
            if not isinstance(spec, Encoder):
                raise ValueError(
                    f"encoder must be a fitted method with an encoder; {type(self.encoder).__name__} has none. Fit it "
                    "first, or take another method."
                )
            self._started = recipe_of(spec)
        self._check_channels(spec, samples)
        self.encoder_ = make_encoder(spec, samples)
        levels = levels_of(self.encoder_)
        if isinstance(self.trained, int) and self.trained > len(levels):
            raise ValueError(
                f"trained must be at most {len(levels)}, the layers of the encoder; got {self.trained}. Lower it."
            )
        top = {"full": None, "frozen": 0}.get(str(self.trained), self.trained)
        self._still = [*unfreeze_top(self.encoder_, levels, top), *batch_norms(self.encoder_)]  # type: ignore[arg-type]
        read = levels_read(self.encoder_, samples, finest=self.stride)
        leave_unread(self.encoder_, samples, read)
        self.graft(read, samples)

    def _check_channels(self, encoder: Any, samples: Description) -> None:
        """Raises ValueError where a method's encoder reads images of another number of channels."""
        recipe = recipe_of(encoder)
        own = samples.shape[:1] if recipe is None else tuple(recipe["samples"]["shape"][:1])
        if own != samples.shape[:1]:
            raise ValueError(
                f"scenes must have as many channels as the images that the encoder was trained on, {own[0]}; got "
                f"{samples.shape[0]}. Take an encoder for such images."
            )

    def graft(self, levels: list[Any], samples: Description) -> None:
        """Make what comes after the encoder."""
        raise NotImplementedError

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        assert isinstance(samples, Scenes)
        if not comes_with_weights(self.encoder):
            number = measure_statistics(self.encoder_, samples)
            if number:
                log.info("statistics of batch normalisations are measured on %d scenes, and stay", number)
        self._lessons = samples
        try:
            super().learn(samples, run=run, resume=resume, loggers=loggers)
        finally:
            del self._lessons

    def seen(self, batch: Batch) -> tuple[Batch, Frames]:
        """The batch in new frames, and these; what does not learn of the encoder is left as it is."""
        for module in self._still:
            module.training = False
        frames = self._frame().draw(batch)
        return frames.images(batch), frames

    def _frame(self) -> Reframe:
        return Reframe(flip=self.flip, zoom=self.zoom, shift=self.shift)

    def rates(self) -> dict[str, float]:
        """The encoder's own learning rate."""
        return {"encoder_": self.encoder_rate}

    def schedule_again(self) -> str | None:
        return None

    def told(self, say: Callable[[Batch], Told], X: Any) -> Iterator[Told]:
        """What `say` says of samples, some at a time."""
        if not self.modules():
            raise NotFittedError(
                f"{type(self).__name__} must be fitted before it answers. Call fit, or {type(self).__name__}.load."
            )
        samples = samples_like_fit(self, X)
        machine = choose_for_inference(self.device, self.precision)
        modules = list(self.modules().values())
        for module in modules:
            module.to(machine.device)
        for start in range(0, len(samples), ROWS):
            index = np.arange(start, min(start + ROWS, len(samples)))
            with evaluating(modules), torch.inference_mode(), random_state_kept(), autocast(machine):
                said = say(samples[index].to(machine.device))
            yield said

    def predict(self, X: Any) -> Any:
        """What is where in each of the samples."""
        raise NotImplementedError

    def usual(self, learned: Scenes, number: int) -> Any:
        """What one would say of so many scenes without a look at them, as `predict` says it.

        Args:
            learned: the scenes that were learned from.
            number: of scenes that are asked about.
        """
        raise NotImplementedError

    def judged(self, found: Any, scenes: Scenes) -> Callable[[Int[np.ndarray, " n"]], dict[str, float]]:
        """Scores, by name, of what was found in the scenes at some positions; NaN where nothing is to be found.

        Raises:
            ValueError: the scenes lack what is scored, or are not as many as answers.
        """
        raise NotImplementedError

    def scores(self, X: Any) -> dict[str, float]:
        """How good answers are, by name: of a `Detector`, COCO's average precision `ap`, `ap50` and `ap75`; of a
        `Segmenter` `miou`, the mean over the classes and the ground, and `accuracy`, of pixels.

        Raises:
            ValueError: X is no `Scenes`, of other classes, or lacks what is scored.
        """
        scenes = self.scored(X)
        return self.judged(self.predict(scenes), scenes)(np.arange(len(scenes)))

    def score(self, X: Any, y: Any = None) -> float:
        """The score that counts: `ap`, or `miou`."""
        return self.scores(X)[self.main]

    @property
    def classes_(self) -> np.ndarray:
        """Names of the classes; the ground is none of them."""
        return np.array(self.samples_.classes)

    def scored(self, X: Any) -> Scenes:
        """Scenes to score by.

        Raises:
            ValueError: they are none, of other classes, or lack what is scored.
        """
        scenes = self.given(X, None)
        if scenes.classes != self.samples_.classes:
            raise ValueError(
                f"scenes must have the classes of fit, {', '.join(self.samples_.classes)}; got "
                f"{', '.join(scenes.classes)}. Read them with classes=."
            )
        return scenes

    @classmethod
    def load(cls, path: str | Path, *, encoder: nn.Module | None = None) -> Any:
        """The fitted model in a run folder; nothing in it is executed.

        Args:
            path: a folder that `fit(run=...)` or `save` wrote.
            encoder: the module that the model was given, where it was given a module.

        Raises:
            ValueError: the folder holds no run of this class, or a broken one.
        """
        folder = open_run(path)
        recipe = read_recipe(folder)
        if recipe["class"] != cls.__name__:
            raise ValueError(
                f"{folder / METHOD} must be of {cls.__name__}; it is of {recipe['class']}. Use replearn.load."
            )
        return fitted(cls, recipe, folder, encoder=encoder)

    def __sklearn_clone__(self) -> "SceneModel":
        # scikit-learn's own would make an unfitted method of a fitted one that is the encoder.
        return type(self)(**{field.name: getattr(self, field.name) for field in fields(self)})
