"""The rows of a comparison: what methods made of samples, and the honest rows *raw input*, *untrained encoder* and, of
images, *bag of visual words*.

Columns of a table have been brought into one unit for every row, by one scaler (see `replearn.methods.columns`);
networks, which standardise columns by themselves, are given them as they come.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import clone

from replearn.comparison.estimators import fit_arrays, stored_arrays
from replearn.comparison.hidden import with_few_labels
from replearn.data import Samples
from replearn.data.kinds import KINDS, PIXELS
from replearn.encoders import comes_with_weights
from replearn.engine.embed import check_finite
from replearn.engine.extension import in_parts
from replearn.engine.history import cut_by_clock
from replearn.engine.machine import random_state_kept
from replearn.methods.arrays import save_arrays
from replearn.methods.base import Encoded
from replearn.methods.classical import BagOfVisualWords
from replearn.methods.columns import Columns, bare, rows_of
from replearn.methods.few import for_few
from replearn.methods.labelled.classifier import labelled_rows
from replearn.methods.labelled.semi_supervised import SemiSupervised
from replearn.methods.model import Model
from replearn.methods.trained import Trained
from replearn.views import default_views

log = logging.getLogger("replearn")

Transform = Callable[[Any, Samples], np.ndarray]

RAW, UNTRAINED, WORDS = "raw input", "untrained encoder", "bag of visual words"
BY_HAND = "hand-made features"  # of samples other than images
GIVEN = "encoder as given"
BEFORE, AFTER = "untrained ", " as given"  # around the names of methods, where there are several networks
OPEN_END = 1000  # times the steps that were made, from which on a plan is not told
NAMED = 3  # methods that a row's name has room for
LEAST_SIDE = 16  # pixels of images that have visual words
VIEWED = 2048  # training samples whose views are compared


@dataclass(frozen=True, eq=False)
class Representation:
    """One row of a comparison: what a method made of the samples.

    Attributes:
        name: as tables show it.
        train, test: representations `(n, d)` of the two parts.
        method: the fitted method, or None for the raw input.
        seconds: time of fitting.
        history: rows of the training (see `replearn.engine.history`), empty where there was none.
        alarms: troubles noticed in training, as sentences.
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    method: Any = None
    seconds: float = 0.0
    history: Sequence[dict[str, float]] = ()
    alarms: Sequence[str] = ()

    @property
    def cut(self) -> str:
        """How far a training came that its minutes ended, `27 of 3,900 steps`; "" of any other."""
        return cut_short(self.history, self.method)

    @property
    def extended(self) -> str:
        """The epochs of a training that went on after it had ended, `40 + 40 epochs`; "" of any other."""
        return extended(self.method)


def raw_input(train: Samples, test: Samples, columns: Columns | None = None) -> Representation:
    """The samples as numbers, the columns of a table in one unit: the row that every method must beat."""
    return Representation(RAW, rows_of(train, columns), rows_of(test, columns))


def before_training(name: str) -> bool:
    """Whether a row of this name shows a network before training.

    >>> before_training("untrained SimCLR"), before_training("SimCLR as given"), before_training("SimCLR")
    (True, True, False)
    """
    return name.startswith(BEFORE) or name.endswith(AFTER)


def is_baseline(name: str) -> bool:
    """Whether a row of this name was there before any method learned."""
    return name in (RAW, WORDS, BY_HAND) or before_training(name)


def transformed(method: Any, samples: Samples) -> np.ndarray:
    """What a fitted method of ours makes of samples."""
    rows: np.ndarray = method.transform(samples)
    return rows


def untrained_encoders(
    methods: Mapping[str, Any], train: Samples, test: Samples, *, transform: Transform = transformed
) -> Iterator[Representation]:
    """The representation by each network as it is before training: one row for methods whose networks are alike.

    A row is named *untrained encoder*; *encoder as given* where the method was given a module, a folder or a file,
    whose weights may have learned elsewhere: the gap to the method's row is what this training added. Where networks
    differ each row is named after its methods, *untrained SimCLR*.

    Args:
        methods: by the name of their rows; those that are not trained have no such row.
        train, test: the samples.
        transform: what gives the rows of samples by a method: `Reuse.transform`, say.
    """
    alike: dict[Any, list[str]] = {}
    for name, method in methods.items():
        if isinstance(method, Trained):
            alike.setdefault(_network(method, untrained(method, train)), []).append(name)
    for names in alike.values():
        method = methods[names[0]]
        blank = untrained(method, train)
        given = begins_with_weights(method)
        title = GIVEN if given else UNTRAINED
        if len(alike) > 1:
            after = _in_row(names)
            title = f"{after}{AFTER}" if given else f"{BEFORE}{after}"
        if len(names) > (NAMED if len(alike) > 1 else 1):
            log.info("%s: the network of %s", title, ", ".join(names))
        yield Representation(title, transform(blank, train), transform(blank, test), blank)


def untrained(method: Trained, train: Samples) -> Trained:
    """The method with its networks as they are before training, also on fewer samples than a batch holds."""
    blank: Trained = clone(method).set_params(batch_size=min(method.batch_size, len(train)))
    if isinstance(method, SemiSupervised) and len(labelled_rows(train)) == len(train):
        train = with_few_labels(train, len(set(train.labels)), seed=0)  # type: ignore[arg-type]  # no weight depends on them
    with unheard():
        return blank.prepare(train)  # type: ignore[return-value]


def begins_with_weights(method: Trained) -> bool:
    """Whether its network may have learned elsewhere: it has an encoder that was given with weights."""
    return isinstance(method, Encoded) and comes_with_weights(method.encoder)


@contextmanager
def unheard(name: str = "replearn", level: int = logging.WARNING) -> Iterator[None]:
    """While entered, a logger passes on this level and above alone: what a fit says will be said by the fit."""
    own = logging.getLogger(name)
    before = own.level
    own.setLevel(level)
    try:
        yield
    finally:
        own.setLevel(before)


def _network(method: Trained, blank: Trained) -> Any:
    """What two methods must share for their untrained networks to be one: modules and sizes, and given weights."""
    encoder = getattr(blank, "encoder_", None) or torch.nn.ModuleDict(blank.modules())
    sizes = tuple((name, tuple(value.shape)) for name, value in encoder.state_dict().items())
    given = method.encoder if begins_with_weights(method) else ""
    return (
        str(encoder),
        sizes,
        blank.representation_dim,
        method.sees,
        given if isinstance(given, str) else id(given),
    )


def _in_row(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def hand_made(
    train: Samples, test: Samples, *, random_state: int = 0, beside: Iterable[Any] = ()
) -> Representation | None:
    """What features made by hand are worth: of images `BagOfVisualWords`, of others what their kind computes.

    None of samples in which there are none, and where one of the methods `beside` is the same.
    """
    if PIXELS not in KINDS[train.kind].offers:
        rows = [KINDS[train.kind].features(part) for part in (train, test)]
        return None if rows[0] is None or rows[1] is None else Representation(BY_HAND, rows[0], rows[1])
    if min(train.shape[1:]) < LEAST_SIDE:
        return None
    method = BagOfVisualWords(random_state=random_state)
    if any(_same(method, other) for other in beside):
        return None
    try:
        return fit_and_represent(WORDS, method, train, test)
    except ValueError as error:  # few or flat images: no reason to compare nothing
        log.info("no row %s: %s", WORDS, error)
        return None


def _same(method: Any, other: Any) -> bool:
    """Whether a method has the class and the fields of another, its seed and device aside."""
    free = {"random_state", "device", "precision"}
    fields = [{n: v for n, v in m.get_params(deep=False).items() if n not in free} for m in (method, other)]
    return type(method) is type(other) and fields[0] == fields[1]


def fit_and_represent(
    name: str,
    method: Any,
    train: Samples,
    test: Samples,
    *,
    columns: Columns | None = None,
    run: Path | None = None,
    resume: bool = False,
    learned_from: Samples | None = None,
) -> Representation:
    """Fit a clone of `method` on `train` and represent both parts.

    Args:
        name: of the row.
        method: of ours or of scikit-learn; one that places only the samples it is fitted on is fitted on both
            parts.
        train, test: the samples.
        columns: what brings columns of a table into one unit for scikit-learn's estimators, or None.
        run: a folder to keep the fitted method in, or None.
        resume: go on with the run that lies there, or take it as it is if it has ended.
        learned_from: fit on these instead of `train`.
    """
    method = clone(method)
    began = time.monotonic()
    own = train if learned_from is None else learned_from
    if not isinstance(method, Model):
        method = for_few(method, len(own) + (0 if hasattr(method, "transform") else len(test)))
    if isinstance(method, Model):
        method.fit(own, run=run, resume=resume)
        history, alarms = training_of(method)
        seconds = history[-1]["seconds"] if history else time.monotonic() - began
        return Representation(name, *represent(method, train, test), method, seconds, history, alarms)
    stored = stored_arrays(method, own, run, columns) if run is not None and resume else None
    if stored is not None:
        return Representation(name, *represent(stored, train, test), stored)
    parts = (own,) if hasattr(method, "transform") else (own, test)
    method = fit_arrays(method, *parts, columns=columns)
    seconds = time.monotonic() - began
    if run is not None:
        save_arrays(method, own, run)
    return Representation(name, *represent(method, train, test), method, seconds)


def of_two_views(method: Any, samples: Samples, seed: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The representations of two views of some samples, or None of a method that can place no other samples.

    The views are the default ones for such samples, the same for all methods.
    """
    if not hasattr(method, "transform"):
        return None
    rows = np.unique(np.linspace(0, len(samples) - 1, num=min(len(samples), VIEWED)).astype(np.int64))
    with random_state_kept():
        torch.manual_seed(seed)
        seen = [KINDS[samples.kind].of_batch(view, samples) for view in default_views(samples)(samples[rows])]
    a, b = (method.transform(part if isinstance(method, Model) else part.flat()) for part in seen)
    return a, b


def represent(
    method: Any, train: Samples, test: Samples, *, transform: Transform = transformed
) -> tuple[np.ndarray, np.ndarray]:
    """What a fitted method makes of both parts; `transform` gives the rows of samples by a method of ours."""
    if isinstance(method, Model):
        return transform(method, train), transform(method, test)
    if hasattr(method, "transform"):
        rows = method.transform(train.flat()), method.transform(test.flat())
        for part in rows:
            check_finite(part)
        return rows
    placed = bare(method).embedding_
    return placed[: len(train)], placed[len(train) :]


def training_of(method: Any) -> tuple[Sequence[dict[str, float]], list[str]]:
    """The rows of a method's training and its alarms, where it was trained by the engine (here or before)."""
    history = getattr(method, "history_", None)
    return (history.rows, [str(alarm) for alarm in history.alarms]) if history else ([], [])


def cut_short(history: Sequence[dict[str, float]], method: Any) -> str:
    """How far a training came that its `max_minutes` ended, `27 of 3,900 steps`; "" of any other."""
    last = history[-1] if history else {}
    cut = cut_by_clock(last, getattr(method, "max_minutes", None))
    if not cut:
        return ""
    # Where minutes alone were to end it, as in `auto`, the plan is a number without meaning.
    planned = f" of {last['planned']:,.0f}" if last["planned"] < OPEN_END * last["step"] else ""
    return f"{last['step']:,.0f}{planned} steps"


def extended(method: Any) -> str:
    """The epochs of a training that went on after it had ended, `40 + 40 epochs`; "" of any other."""
    epochs = getattr(method, "epochs", None) or 0
    last = next(reversed(training_of(method)[0]), {})
    if cut_by_clock(last, getattr(method, "max_minutes", None)):
        epochs = round(epochs * last["step"] / last["planned"], 3)
    return in_parts(getattr(method, "extensions_", []), epochs)


def with_seed(method: Any, seed: int) -> Any:
    """A clone of `method` whose `random_state`, if it has one, is `seed`."""
    method = clone(method)
    return method.set_params(random_state=seed) if "random_state" in method.get_params() else method
