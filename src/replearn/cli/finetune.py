"""`replearn finetune RUN DATA`: put the encoder of a run to a task with labels."""

import dataclasses
import logging
import math
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from replearn.cli.options import Flag, parse
from replearn.cli.samples import TEST_SHARE, DataOptions, all_of, load_parts, short_name, shown_data
from replearn.cli.scores import print_beside

if TYPE_CHECKING:
    import numpy as np

    from replearn.transfer import FineTune

log = logging.getLogger("replearn")

# Tasks that read an option; other options are of all tasks.
OWNERS = {
    "labels": ("classify",),
    "text": ("classify", "regress"),
    "image_size": ("classify",),
    "kind": ("classify",),
    "labelled": ("classify",),
    "target": ("regress", "pair"),
    "a": ("pair",),
    "b": ("pair",),
    "column": ("tag",),
    "pairs": ("pair",),
}
SCENE_TASKS = ("detect", "segment")
Parts = tuple[tuple[Any, Any], tuple[Any, Any]]  # samples and answers, to learn from and to judge by


@dataclass(kw_only=True)
class FineTuneOptions(DataOptions):
    """Put the encoder of RUN to a task with labels, and judge it on a test part.

    DATA of `classify` is as for `fit`; of `regress` a CSV, TSV, JSON-lines or Parquet file, whose column of answers
    `--target` names; of `pair` such a file with two columns of texts and one of targets; of `tag` a CoNLL or CoNLL-U
    file; of `span` JSON lines with `text` and `spans`. Boxes and masks in scenes, `detect` and `segment`, have options
    of their own: `replearn finetune --task detect --help`.

    Attributes:
        run: folder that `fit` wrote, hf:FOLDER, or the name of an encoder.
        data: built-in name or path.
        task: what is asked for.
        to: folder for the result; runs/finetune-DATA if not given.
        test: test part, if not the fixed one of built-in data or a fifth of DATA, drawn at random.
        target: column of the answers of regress and pair.
        a: column of the first text of a pair.
        b: column of the second text of a pair.
        column: column of the tags, a name or a number.
        labelled: how many training labels, or below 1 which share of them, are learned from, of each class its share;
            the others are hidden.
        resume: go on with the training in that folder.
        trained: what learns of the encoder: `full`, `frozen`, or so many of its last layers.
        fresh_layers: so many of its last layers begin with new random weights.
        encoder_rate: learning rate of the encoder's last layer as a multiple of the head's; if not given, 0.05
            of what reads texts and of `hf:FOLDER`, 1 of other networks.
        layer_decay: learning rate of a layer as a multiple of that of the layer above it.
        pooling: of a text's states; `mixture` of all layers, also of other samples where all are as wide.
        pairs: how pairs of texts are read.
        length: tokens read of a text at most.
        views: how samples are seen while layers learn: the name of a preset, auto, or written out, Pair(Flip()); if
            not given, as they are.
        momentum: of the average of weights that answers; 0: the last weights answer.
        least_steps: of a training whose epochs are not given.
        validation: share of the training labels held out to choose the best epoch.
        patience: epochs without a better score after which training ends.
        epochs: passes over the training part, if not 10 or as many as make enough steps.
        batch_size: samples per step.
        learning_rate: of the head, its peak.
        max_minutes: end after so many minutes.
        random_state: seed of all that is drawn.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    task: Literal["classify", "regress", "pair", "tag", "span", "detect", "segment"] = "classify"
    to: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    test: Annotated[str | None, tyro.conf.arg(metavar="DATA")] = None
    target: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    a: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    b: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    column: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    labelled: Annotated[float | None, tyro.conf.arg(metavar="INT|SHARE")] = None
    resume: Flag = False
    trained: Annotated[str, tyro.conf.arg(metavar="full|frozen|INT")] = "full"
    fresh_layers: int = 0
    encoder_rate: Annotated[float | None, tyro.conf.arg(metavar="FLOAT")] = None
    layer_decay: float = 1.0
    pooling: Literal["auto", "mean", "first", "last", "mixture"] = "auto"
    pairs: Literal["auto", "joined", "apart"] = "auto"
    length: Annotated[int | None, tyro.conf.arg(metavar="TOKENS")] = None
    views: Annotated[str | None, tyro.conf.arg(metavar="VIEWS")] = None
    momentum: float = 0.0
    least_steps: int = 500
    validation: float = 0.0
    patience: int = 3
    epochs: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    batch_size: int = 16
    learning_rate: float = 1e-3
    max_minutes: Annotated[float | None, tyro.conf.arg(metavar="MINUTES")] = None
    random_state: int = 0


def run(args: list[str]) -> None:
    """The command."""
    task = asked_task(args)
    if task in SCENE_TASKS:
        from replearn.cli.scenes import run_scenes

        run_scenes(args, task)
        return
    options = parse(FineTuneOptions, args, command="finetune")
    check_options(options)
    from replearn.cli.commands import next_command
    from replearn.cli.runs import minutes, new_run, shown
    from replearn.transfer.baselines import answered
    from replearn.transfer.parts import check_parts

    model = make_model(options)
    folder = Path(options.to or f"runs/finetune-{short_name(options.data)}")
    with new_run(folder):
        train, test = read_parts(options)
        for line in check_parts(options.task, train, test):
            log.warning("%s", line)
        began = time.monotonic()
        model.fit(*train, run=folder, resume=options.resume)
    elapsed = minutes(time.monotonic() - began)
    known, there = answered(model, train), len(train[0])
    of = f"{known:,} of {there:,}" if known < there else f"{there:,}"
    print(f"{options.task} on {shown_data(options.data)}: {of} samples{_steps(model)}, {elapsed}")
    print_scores(model, train, test)
    if options.task in ("classify", "regress"):
        print(f"saved in {shown(folder)}; what it says of each sample:")
        print(f"  {next_command('predict', shown(folder), all_of(options.data), options=options)}")
    else:
        print(f'saved in {shown(folder)}; in Python:\n  replearn.load("{shown(folder)}").predict(...)')


def asked_task(args: list[str]) -> str:
    """What is given for `--task`; "" where it is not.

    >>> asked_task(["run", "scenes", "--task", "detect"]), asked_task(["--task=segment"]), asked_task(["run", "x"])
    ('detect', 'segment', '')
    """
    after = [arg for before, arg in pairwise(args) if before == "--task"]
    joined = [arg.partition("=")[2] for arg in args if arg.startswith("--task=")]
    return next(iter([*after, *joined]), "")


def check_options(options: FineTuneOptions) -> None:
    """Raises ValueError where an option is given that this task, or this way to train, does not read."""
    defaults = {field.name: field.default for field in dataclasses.fields(FineTuneOptions)}
    given = [name for name, value in vars(options).items() if name in OWNERS and value != defaults[name]]
    for name in given:
        if options.task not in OWNERS[name]:
            raise ValueError(
                f"--{name.replace('_', '-')} is for --task {' or '.join(OWNERS[name])}; got it for {options.task}. "
                "Leave it out."
            )
    if options.validation == 0 and options.patience != defaults["patience"]:
        raise ValueError(
            "--patience waits for a better validation score; got no --validation. Set it, to 0.1 say."
        )
    for name in ("encoder_rate", "layer_decay", "views"):
        if options.trained == "frozen" and getattr(options, name) != defaults[name]:
            raise ValueError(
                f"--{name.replace('_', '-')} is for layers that learn; got --trained frozen. Leave it out."
            )


def print_scores(model: "FineTune", train: Any, test: Any) -> None:
    """Print in 80 columns the scores on the test part, how sure they are, and what they must beat."""
    from replearn.transfer.baselines import answered, baseline_scores, score_intervals

    found, sure = model.scores(*test), score_intervals(model, test)
    others, known, all_of_them = baseline_scores(model, train, test), answered(model, test), len(test[0])
    print_beside(f"of {known:,} test samples", found, sure, others, main=model.task_.main)
    if known < all_of_them:
        print(f"{all_of_them - known:,} more test samples have no answer to compare with")


def _steps(model: "FineTune") -> str:
    """How much of the schedule was done, where a training was."""
    if not hasattr(model, "steps_"):
        return ""
    done, planned = model.steps_
    return f", {done:,} steps" if done >= planned else f", stopped at {done:,} of {planned:,} steps"


def make_model(options: FineTuneOptions) -> "FineTune":
    """The model with the fields that were given."""
    from replearn.transfer import FineTune

    names = {field.name for field in dataclasses.fields(FineTune)}
    given = {name: value for name, value in vars(options).items() if name in names and name != "trained"}
    trained: Any = int(options.trained) if options.trained.lstrip("-").isdecimal() else options.trained
    return FineTune(encoder=options.run, **given).set_params(trained=trained)  # type: ignore[no-any-return]


def read_parts(options: FineTuneOptions) -> Parts:
    """Training and test part.

    Raises:
        ValueError: the data are not as the task needs them.
    """
    if options.task == "classify":
        from replearn.cli.runs import described
        from replearn.engine.run import METHOD

        like = described(options.run) if (Path(options.run).expanduser() / METHOD).is_file() else None
        train, test = load_parts(options.data, options, test=options.test, like=like)
        if options.labelled is not None:
            import numpy as np

            from replearn.comparison.hidden import with_few_labels

            few = with_few_labels(train, options.labelled, seed=options.random_state)
            seen, known = (int(np.sum(np.asarray(part.labels) >= 0)) for part in (few, train))
            log.info("%d of %d training labels are learned from, drawn by the seed", seen, known)
            train = few
        return (train, None), (test, None)
    for name in ("columns", "drop", "groups"):
        if getattr(options, name):
            raise ValueError(f"--{name} is for --task classify; got it for {options.task}. Leave it out.")
    X, y = read_task(options.data, options)
    if options.test is not None:
        return (X, y), read_task(options.test, options)
    from replearn.data import Samples
    from replearn.transfer.parts import split_at

    kept, held = split_at(options.task, X, test=TEST_SHARE)
    X = X.learned_on(kept) if isinstance(X, Samples) else X
    return _some(X, y, kept), _some(X, y, held)


def read_task(path: str, options: FineTuneOptions) -> tuple[Any, list[Any]]:
    """Samples and answers in a file of a task."""
    from replearn.data.tasks import read_pairs, read_spans, read_tags

    if options.task == "pair":
        a, b, y = read_pairs(path, a=options.a, b=options.b, target=options.target)
        return list(zip(a, b, strict=True)), y
    if options.task == "tag":
        column = options.column
        at = int(column) if column is not None and column.lstrip("-").isdecimal() else column
        return read_tags(path, column=at)
    if options.task == "span":
        return read_spans(path)
    return read_numbers(path, options)


def read_numbers(path: str, options: FineTuneOptions) -> tuple[Any, list[Any]]:
    """Samples of a table and the numbers in its column of targets."""
    from replearn.data import as_samples
    from replearn.data.records import is_record_file, records
    from replearn.data.remote import local_path
    from replearn.data.table_files import read_table
    from replearn.data.text_tables import text_column

    if options.target is None:
        raise ValueError("--target must name the column of the numbers; got none. Name it.")
    file = local_path(path)
    if not file.exists() or not is_record_file(file):
        raise ValueError(
            f"DATA of regress must be a CSV, TSV, JSON-lines or Parquet file; got {path}. In Python, pass X and y."
        )
    rows = list(records(file, [options.target]))
    numbers = _numbers(path, options.target, [(place, value) for place, (value,) in rows])
    column = text_column(file, options.text)
    if column == options.target:
        raise ValueError(f"--target must be another column than that of the texts; got {column!r} for both.")
    if column is not None:
        return as_samples(str(file), text=column), numbers
    table = read_table(file)
    if len(table) != len(numbers):
        raise ValueError(
            f"{path} must hold a number for each row; it has {len(table):,} rows, and {len(numbers):,} numbers in "
            f"{options.target!r}. Are there blank lines?"
        )
    return as_samples(table.drop(columns=[options.target])), numbers


def _numbers(path: str, target: str, rows: list[tuple[str, Any]]) -> list[float | None]:
    """A column of numbers, None where a cell is empty.

    Raises:
        ValueError: something else is in it; how often, and where first.
    """
    from replearn.data.records import GAPS, as_number

    found: list[float | None] = []
    wrong = []
    for place, value in rows:
        gap = value is None or str(value).strip() in GAPS
        number = None if gap or isinstance(value, bool | list | dict) else as_number(str(value))
        if not gap and (number is None or not math.isfinite(number)):
            wrong.append(f"{place}: {str(value)[:30]!r}")
        found.append(None if number is None else float(number))
    if wrong:
        raise ValueError(
            f"{path} must hold numbers in column {target!r}; {len(wrong):,} of {len(rows):,} rows hold others "
            f"({', '.join(wrong[:3])}). Correct them, or leave the cells empty."
        )
    return found


def _some(X: Any, y: list[Any], index: "np.ndarray") -> tuple[Any, list[Any]]:
    """Samples at some positions."""
    return X.subset(index) if hasattr(X, "subset") else [X[i] for i in index], [y[i] for i in index]
