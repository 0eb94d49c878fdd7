"""What more samples, longer training and larger networks are worth: one thing grows, the rest stays, a law is fitted.

    settings: the method as it is asked for, and around it
              fewer samples (for as many steps), fewer epochs, networks of other widths and depths
    each one: fit --> linear probe and kNN on the test part --> error
    each axis: error = floor + scale · x^(-exponent), see `replearn.evaluate.power_law`

The probes are always given all labels: what grows is what the representation is learned from.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from replearn.comparison.checks import check_methods
from replearn.comparison.compare import run_name
from replearn.comparison.copies import together_in_training
from replearn.comparison.rows import (
    Representation,
    fit_and_represent,
    raw_input,
    untrained_encoders,
    with_seed,
)
from replearn.comparison.settings import Setting, configured, planned, with_views
from replearn.comparison.trials import begun, keep
from replearn.data import Samples
from replearn.evaluate import PowerLaw, knn_probe, linear_probe, power_law
from replearn.evaluate.power_law import POINTS
from replearn.methods.columns import learn_columns, scaling_for
from replearn.methods.trained import Trained

log = logging.getLogger("replearn")

FILE = "scale.json"
BEYOND = 2  # times the largest that was measured: a law is not asked further


@dataclass(frozen=True)
class Measured:
    """What came of a training.

    Attributes:
        samples, epochs, encoder: its setting.
        seed: of the training, and of which samples were drawn.
        error: of a linear probe with all labels, the share of test samples that it gets wrong.
        knn_error: of kNN.
        parameters: of the encoder.
        seconds: of training.
    """

    samples: int
    epochs: int
    encoder: str
    seed: int
    error: float
    knn_error: float
    parameters: int
    seconds: float

    @property
    def setting(self) -> Setting:
        return Setting(self.samples, self.epochs, self.encoder)


@dataclass(frozen=True)
class Doubled:
    """What twice as much of one thing is worth.

    Attributes:
        error: what the law expects at twice what was asked for; `low`, `high` its 95 % interval.
        cost: by how much longer training takes.
    """

    error: float
    low: float
    high: float
    cost: float


@dataclass(frozen=True, eq=False)
class Axis:
    """One thing that was made larger.

    Attributes:
        name: one of `AXES`.
        x: what was spent (n,): samples, epochs, width, depth; of encoders their parameters.
        rows: what came of it, row by row.
        law: fitted to `error`, or None with less than three values.
        base: the x of the setting that was asked for.
    """

    name: str
    x: Sequence[float]
    rows: Sequence[Measured]
    law: PowerLaw | None
    base: float

    def doubled(self) -> Doubled | None:
        """What twice of what was asked for is worth; None where no law was fitted, or none that falls."""
        if self.law is None or not self.law.falls():
            return None
        return Doubled(*self.law.at(2 * self.base), 2 ** self.dearer())

    def dearer(self) -> float:
        """The exponent by which the seconds of training grow with x."""
        seconds = [max(row.seconds, 1e-3) for row in self.rows]
        return float(np.polyfit(np.log(self.x), np.log(seconds), 1)[0])

    def within(self, minutes: float) -> tuple[float, Doubled] | None:
        """The x up to which a training lasts these minutes, and what the law expects there; None: there is none."""
        if self.law is None or not self.law.falls() or self.dearer() < 0.1:
            return None
        seconds = float(
            np.mean([row.seconds for x, row in zip(self.x, self.rows, strict=True) if x == self.base])
        )
        x = self.base * (60 * minutes / seconds) ** (1 / self.dearer())
        x = min(x, BEYOND * max(self.x))
        return x, Doubled(*self.law.at(x), (x / self.base) ** self.dearer())


@dataclass(frozen=True, eq=False)
class Scaling:
    """What `scale` found.

    Attributes:
        method: the name of its class.
        base: what was asked for.
        axes: what was made larger, one by one.
        before: the error of a linear probe of what was there before training, by name: raw input, the network
            untrained.
        tested: labelled test samples.
    """

    method: str
    base: Setting
    axes: Sequence[Axis]
    before: Mapping[str, float]
    tested: int


def scale(
    method: Any,
    train: Samples,
    test: Samples,
    *,
    by: Sequence[str],
    folder: Path,
    values: Sequence[str] = (),
    seeds: Sequence[int] = (0,),
    on_row: Callable[[Measured], None] = lambda row: None,
) -> Scaling:
    """Fit a method at several sizes, and laws to the error of a linear probe.

    Killed, the same call goes on: what was measured lies in `folder/scale.json`, each training in a folder beside it.

    Args:
        method: as it is asked for; one that does not learn in epochs can grow by `samples` alone.
        train: samples, of which the smaller sets are drawn; their labels are for probes (and for methods that learn by
            them).
        test: samples to judge by.
        by: of `AXES`, what is made larger, each alone. With fewer samples epochs are more: all learn for as many steps.
        folder: where runs go.
        values: of the one axis in `by`; none: `SHARES` of what is asked for. Of `encoder` names.
        seeds: of the trainings, each of which is made once for each.
        on_row: is told each measurement as soon as it is known, those of an earlier call, too.

    Raises:
        ValueError: an axis that the method has not, values that can't be, samples without labels; another call began in
            this folder.
    """
    for part, name in ((train, "training"), (test, "test")):
        if part.labels is None or len({*np.asarray(part.labels).tolist()} - {-1}) < 2:
            raise ValueError(
                f"scale judges by labels of at least two classes; the {name} samples have none. Add them."
            )
    method = with_views(method, train)
    base, plan = planned(method, train, by, values)
    wanted = list(dict.fromkeys([base, *(setting for axis in plan.values() for _, setting in axis)]))
    for setting in wanted:
        check_methods({setting.name: configured(method, setting)}, _drawn(train, setting, seeds[0]))
    asked = {"train": train.fingerprint(), "test": test.fingerprint(), "method": repr(method)}
    known = begun(folder / FILE, asked, Measured, command="scale")
    rows: dict[tuple[Setting, int], Measured] = {(row.setting, row.seed): row for row in known}
    for seed in seeds:
        for setting in wanted:
            if (setting, seed) not in rows:
                rows[setting, seed] = _measure(method, train, test, setting, seed, folder)
                keep(folder / FILE, asked, list(rows.values()))
            on_row(rows[setting, seed])
    tested = int((np.asarray(test.labels) >= 0).sum())
    return Scaling(
        type(method).__name__,
        base,
        [_axis(name, plan[name], base, rows, seeds, tested) for name in plan],
        {row.name: _errors(row, train, test)[0] for row in _before(method, base, train, test)},
        tested,
    )


def _measure(
    method: Any, train: Samples, test: Samples, setting: Setting, seed: int, folder: Path
) -> Measured:
    """Fit one setting, or go on with it, and judge it."""
    log.info("fitting %s, seed %d", setting.name, seed)
    row = fit_and_represent(
        type(method).__name__,
        with_seed(configured(method, setting), seed),
        train,
        test,
        columns=learn_columns(scaling_for("auto", train, [method]), train),
        run=folder / run_name(setting.name, seed),
        resume=True,
        learned_from=_drawn(train, setting, seed),
    )
    network = getattr(row.method, "encoder_", None)
    error, by_neighbours = _errors(row, train, test)
    return Measured(
        setting.samples,
        setting.epochs,
        setting.encoder,
        seed,
        error,
        by_neighbours,
        sum(p.numel() for p in network.parameters()) if isinstance(network, nn.Module) else 0,
        row.seconds,
    )


def _drawn(train: Samples, setting: Setting, seed: int) -> Samples:
    """What a setting learns from: of one seed, smaller sets lie within larger ones."""
    if setting.samples == len(train):
        return train
    order = np.random.default_rng(seed).permutation(len(train))
    return train.subset(np.sort(order[: setting.samples]))


def _errors(row: Representation, train: Samples, test: Samples) -> tuple[float, float]:
    """The errors of a linear probe and of kNN."""
    labels, asked = np.asarray(train.labels), np.asarray(test.labels)
    probe = linear_probe(row.train, labels, row.test, asked, groups=together_in_training(train))
    return 1 - probe.accuracy, 1 - knn_probe(row.train, labels, row.test, asked)


def _before(method: Any, base: Setting, train: Samples, test: Samples) -> Iterator[Representation]:
    """Raw input, and the network untrained."""
    yield raw_input(train, test, learn_columns(scaling_for("auto", train, [method]), train))
    if isinstance(method, Trained):
        yield from untrained_encoders({type(method).__name__: configured(method, base)}, train, test)


def _axis(
    name: str,
    plan: Sequence[tuple[float, Setting]],
    base: Setting,
    rows: Mapping[tuple[Setting, int], Measured],
    seeds: Sequence[int],
    tested: int,
) -> Axis:
    """An axis of what was measured, with its law, for which an error of 0 counts as half a test sample."""
    found = [
        (value or float(rows[setting, seed].parameters), rows[setting, seed])
        for value, setting in plan
        for seed in seeds
    ]
    x = [value for value, _ in found]
    base_x = next(value for value, row in found if row.setting == base)
    errors = [max(row.error, 0.5 / tested) for _, row in found]
    law = power_law(np.array(x), np.array(errors)) if len({*x}) >= POINTS else None
    return Axis(name, x, [row for _, row in found], law, base_x)
