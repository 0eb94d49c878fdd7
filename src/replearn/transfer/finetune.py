"""`FineTune`: a task with labels, by an encoder that was trained before.

    X --encoder--> layers --pooled or per token--> features --head--> answers --task--> loss, predictions, scores

What learns of the encoder is a choice: all of it, its last layers, or none; then features are computed once.

References: Devlin et al., NAACL 2019, figure 4 (the four tasks). https://arxiv.org/abs/1810.04805
"""

import logging
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from sklearn.utils import ClassifierTags, RegressorTags
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples, alike
from replearn.data.processes import collect, gather
from replearn.engine.batches import steps_of
from replearn.engine.train import train
from replearn.methods.checks import check_batch_size, check_seed, fitting_batches
from replearn.methods.started import encoder_again
from replearn.transfer.checks import check_own_fields, check_reading, idle_fields, layers_read
from replearn.transfer.early_stopping import BestKeeper
from replearn.transfer.features import kept_features
from replearn.transfer.few_labels import steps_enough
from replearn.transfer.head import Head, SpanHead
from replearn.transfer.in_batches import predict_rows
from replearn.transfer.layer_groups import layer_rates, levels_of, reinitialise_top, unfreeze_top
from replearn.transfer.predictor import Predictor
from replearn.transfer.reading import TokenSamples
from replearn.transfer.span import Span
from replearn.transfer.starting_encoder import samples_of, starting_encoder
from replearn.transfer.store import load_run
from replearn.transfer.task_data import (
    KINDS,
    TaskDescription,
    described,
    read_answers,
    read_samples,
)
from replearn.transfer.task_split import TaskSplit, parted
from replearn.transfer.weight_average import WeightAverage
from replearn.views import Split

log = logging.getLogger("replearn")

SCALED_BY = 512  # samples by which features are scaled
SLOW = 0.05  # rate of an encoder that forgets at larger ones, as a multiple of the head's


@dataclass(kw_only=True, eq=False, repr=False)
class FineTune(Predictor):
    """An encoder put to a task: `fit(X, y)` takes samples as the task has them, and their answers, or the samples' own
    labels.

    >>> rows, labels = np.eye(4, dtype=np.float32).repeat(8, 0), np.arange(4).repeat(8)
    >>> model = FineTune(encoder="linear", trained="frozen", epochs=30, learning_rate=0.1)
    >>> model.fit(rows, labels).score(rows, labels)
    1.0
    """

    family: ClassVar[str] = "labelled"
    year: ClassVar[int] = 2018
    paper: ClassVar[str] = "https://arxiv.org/abs/1810.04805"
    why_collapse: ClassVar[str | None] = None  # states of texts lie close together before they are scaled
    refused: ClassVar[Mapping[str, str]] = {"fsdp": "it is validated along the way, by whole weights"}
    why_not_extended: ClassVar[str] = "since it keeps the weights of its best epoch"
    watched_samples: ClassVar[int] = 8  # of the many looks at a short training each takes its time

    def given(self, X: Any, y: Any) -> Samples:
        for name in ("keeper_", "average_"):
            self.__dict__.pop(name, None)  # of a training that was interrupted
        samples, before = read_samples(self.task, X), samples_of(self.encoder)
        if before is not None:
            samples = alike(samples, before, convert=False)
        check_own_fields(self)
        check_seed(self.random_state)
        kind, self._answers = read_answers(self.task, y, samples)
        self.task_ = KINDS[kind].learned(self._answers)
        learned, held = self._parted = parted(
            self.task_, self._answers, samples, share=self.validation, random_state=self.random_state
        )
        return samples.learned_on(learned) if len(held) else samples

    def forget(self) -> None:
        del self._answers, self._parted

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        if self.trained == "frozen" and (self.slice_size is not None or self.compile):
            raise ValueError(
                "slice_size and compile must be left out for trained='frozen', since the encoder is read once, before "
                f"the training; got {self.slice_size} and {self.compile}."
            )
        super().check(samples)

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return idle_fields(self, samples.kind)

    def build(self, samples: Description) -> None:
        known = samples if isinstance(samples, TaskDescription) else None  # of a run that is loaded
        recipe = known.recipe if known is not None else None
        if recipe is not None:
            self.encoder_ = encoder_again(recipe, whole=self.asks_rows)
        else:
            self.encoder_, recipe = starting_encoder(self.encoder, samples, whole=self.asks_rows)
            self._started = None  # since it is told among the samples
        self.levels_ = levels_of(self.encoder_)
        check_reading(self, self.encoder_, self.levels_)
        apart = self._set_reading() if known is None else self._set_reading() and known.apart
        if known is None:
            reinitialise_top(self.encoder_, self.levels_, self.fresh_layers)
            self.samples_ = described(samples, self.task_, self._answers, recipe=recipe, apart=apart)
        top = {"full": None, "frozen": 0}.get(str(self.trained), self.trained)
        self._still = unfreeze_top(self.encoder_, self.levels_, top)  # type: ignore[arg-type]
        head = SpanHead if isinstance(self.task_, Span) else Head
        layers = layers_read(self, self.encoder_, samples)
        self.head_ = head(self.encoder_.dim, self.task_.outputs, layers=layers, apart=apart)

    @property
    def asks_rows(self) -> bool:
        return self.trained == "frozen"

    def _set_reading(self) -> bool:
        """Make the encoder read as asked; whether it reads texts of a pair apart."""
        self.encoder_.read_as(self.pooling, self.length)
        if not self.encoder_.sequential:
            return False
        alone = self.pairs == "apart" or (self.pairs == "auto" and not self.encoder_.tells_parts)
        return self.task == "pair" and alone

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        """Train head and encoder, or the head on features that are computed once."""
        learned, held = self._parted
        check_batch_size(self, len(learned))
        inputs = self.inputs(samples)
        targets = self.task_.targets(self._answers, inputs)
        seen = self._kept(inputs) if self.trained == "frozen" else inputs
        self._split = TaskSplit(seen, inputs, targets, self._answers, learned, held)
        self._scale(self._split)
        self.head_.begin_at(self.task_.prior(self._answers, inputs))
        modules = self.modules()
        if len(held):
            self.keeper_ = BestKeeper(modules, patience=self.patience)
        if self.momentum:
            self.average_ = WeightAverage(modules, momentum=self.momentum)
        with fitting_batches(self, len(learned)), steps_enough(self, len(learned)):
            self.history_ = train(self, seen.subset(learned), run=run, resume=resume, loggers=loggers)
            self.steps_ = (
                int(self.history_.rows[-1]["step"]),
                steps_of(self, len(learned)),
            )  # done, and planned
            if len(held):
                self._take_best()
            elif self.momentum:
                self.average_.put()
        self.__dict__.pop("average_", None)
        del self._split

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        for module in self._still:
            module.training = False  # no dropout and no batch statistics where nothing learns
        seen = self.views_(batch)[0] if self.views is not None else batch
        logits = self.head_(self._features(seen))
        sums, counts = self.task_.loss(logits, self._split.targets_of(batch).to(logits.device))
        return gather(sums).sum() / collect(counts).sum().clamp_min(1.0)

    def loss_count(self, batch: Batch) -> float:
        """Answers that are known: of samples, words, or ends of spans."""
        return float(self.task_.counts(self._split.targets_of(batch)).sum())

    def schedule_again(self) -> None:
        """None: see `why_not_extended`."""
        return

    def rates(self) -> dict[str, float]:
        """Learning rates of the encoder's layers."""
        rate = self.encoder_rate
        if rate is None:
            rate = SLOW if self.encoder_.forgets else 1.0
        return layer_rates(self.levels_, rate=rate, decay=self.layer_decay)

    def after_step(self, progress: float) -> None:
        """Average the weights; at the end of an epoch, look at the samples that are held out."""
        if hasattr(self, "average_"):
            self.average_.follow()
        if (
            hasattr(self, "keeper_")
            and self.keeper_.step() % self._split.steps(self.batch_size * self.accumulate) == 0
        ):
            self._look()

    def should_stop(self) -> bool:
        """Whether `patience` epochs have brought nothing."""
        return hasattr(self, "keeper_") and self.keeper_.should_stop()

    def _look(self) -> None:
        with self.average_.answering() if self.momentum else nullcontext():
            self._look_at_held()

    def _look_at_held(self) -> None:
        split = self._split
        told = predict_rows(self._outputs, self._parts(), split.seen, self._machine(), index=split.held)
        found = self.task_.answers(told, split.inputs, split.held)
        score = self.task_.scores(split.truth(), found)[self.task_.main]
        self.keeper_.see(score, split.loss_of(self.task_, told))
        log.info("epoch %d: validation %s %.4f", self.keeper_.epoch, self.task_.main, score)

    def _take_best(self) -> None:
        if self.keeper_.steps % self._split.steps(self.batch_size * self.accumulate):
            self._look()  # the clock ended the training within an epoch
        self.keeper_.put_back()
        self.best_epoch_, self.validation_score_ = self.keeper_.best_epoch, self.keeper_.best_score
        del self.keeper_

    def _kept(self, inputs: Samples) -> Samples:
        """The features of samples, for an encoder that learns no more."""
        every = np.arange(len(inputs))
        rows = predict_rows(
            lambda batch: self._features(batch).x, [self.encoder_], inputs, self._machine(), index=every
        )
        lengths = inputs.lengths if self.task_.tokenwise and isinstance(inputs, TokenSamples) else None
        return kept_features(rows, lengths, kind=inputs.kind)

    def _scale(self, split: TaskSplit) -> None:
        chosen = split.learned[:: max(1, len(split.learned) // SCALED_BY)]
        rows = predict_rows(self._read, self._parts(), split.seen, self._machine(), index=chosen)
        self.head_.scale_by(split.rows_there(rows, chosen, tokenwise=self.task_.tokenwise))

    @classmethod
    def load(
        cls, path: str | Path, *, encoder: nn.Module | None = None, views: Split | None = None
    ) -> "FineTune":
        """The fitted model in a run folder; nothing in it is executed.

        Args:
            path: a folder that `fit(run=...)` or `save` wrote.
            encoder: the module that the model was given, where it was given a module.
            views: the views of one's own that it was given, which are not stored.

        Raises:
            ValueError: the folder holds no such run, or a broken one.
        """
        return load_run(cls, path, encoder=encoder, views=views)  # type: ignore[no-any-return]

    def __sklearn_clone__(self) -> "FineTune":
        # scikit-learn's own would make an unfitted method of a fitted one that is the encoder.
        return type(self)(**{field.name: getattr(self, field.name) for field in fields(self)})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.task == "classify":
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        if self.task == "regress":
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        return tags
