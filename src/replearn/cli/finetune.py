"""`replearn finetune RUN DATA`: put the encoder of a run to a task with labels."""

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from replearn.cli.options import Flag, parse
from replearn.cli.samples import TEST_SHARE, DataOptions, load_parts, short_name

if TYPE_CHECKING:
    from replearn.transfer import FineTune

Parts = tuple[tuple[Any, Any], tuple[Any, Any]]  # samples and answers, to learn from and to judge by


@dataclass(kw_only=True)
class FineTuneOptions(DataOptions):
    """Put the encoder of RUN to a task with labels, and judge it on a test part.

    DATA of `classify` is as for `fit`; of `regress` a CSV, TSV or Parquet file, whose column of answers `--target`
    names; of `pair` a table with two columns of texts and one of targets; of `tag` a CoNLL or CoNLL-U file; of `span`
    JSON lines with `text` and `spans`.

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
        resume: go on with the training in that folder.
        trained: what learns of the encoder: `full`, `frozen`, or so many of its last layers.
        fresh_layers: so many of its last layers begin with new random weights.
        encoder_rate: learning rate of the encoder's last layer as a multiple of the head's.
        layer_decay: learning rate of a layer as a multiple of that of the layer above it.
        pooling: of a text's states.
        pairs: how pairs of texts are read.
        length: tokens read of a text at most.
        validation: share of the training labels held out to choose the best epoch.
        patience: epochs without a better score after which training ends.
        epochs: passes over the training part.
        batch_size: samples per step.
        learning_rate: of the head, its peak.
        max_minutes: end after so many minutes.
        random_state: seed of all that is drawn.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    task: Literal["classify", "regress", "pair", "tag", "span"] = "classify"
    to: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    test: Annotated[str | None, tyro.conf.arg(metavar="DATA")] = None
    target: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    a: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    b: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    column: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    resume: Flag = False
    trained: Annotated[str, tyro.conf.arg(metavar="full|frozen|INT")] = "full"
    fresh_layers: int = 0
    encoder_rate: float = 0.05
    layer_decay: float = 1.0
    pooling: Literal["auto", "mean", "first", "last", "mixture"] = "auto"
    pairs: Literal["auto", "joined", "apart"] = "auto"
    length: Annotated[int | None, tyro.conf.arg(metavar="TOKENS")] = None
    validation: float = 0.0
    patience: int = 3
    epochs: int = 10
    batch_size: int = 16
    learning_rate: float = 1e-3
    max_minutes: Annotated[float | None, tyro.conf.arg(metavar="MINUTES")] = None
    random_state: int = 0


def run(args: list[str]) -> None:
    """The command."""
    options = parse(FineTuneOptions, args, command="finetune")
    from replearn.cli.runs import minutes, new_run, shown

    model = make_model(options)
    folder = Path(options.to or f"runs/finetune-{short_name(options.data)}")
    with new_run(folder):
        (X, y), test = read_parts(options)
        began = time.monotonic()
        model.fit(X, y, run=folder, resume=options.resume)
    elapsed = minutes(time.monotonic() - began)
    found = model.scores(*test)
    print(
        f"{options.task} on {options.data}: {len(X):,} samples, {elapsed}; of {len(test[0]):,} test samples:"
    )
    for name, value in found.items():
        print(f"  {name.replace('_', ' '):<18}{value:7.4f}")
    print(f'saved in {shown(folder)}; in Python:\n  replearn.load("{shown(folder)}").predict(...)')


def make_model(options: FineTuneOptions) -> "FineTune":
    """The model with the fields that were given."""
    from replearn.transfer import FineTune

    names = {field.name for field in dataclasses.fields(FineTune)}
    given = {name: value for name, value in vars(options).items() if name in names and name != "trained"}
    trained: Any = int(options.trained) if options.trained.lstrip("-").isdigit() else options.trained
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
        return (train, None), (test, None)
    for name in ("columns", "drop", "groups"):
        if getattr(options, name):
            raise ValueError(f"--{name} is for --task classify; got it for {options.task}. Leave it out.")
    X, y = read_task(options.data, options)
    if options.test is not None:
        return (X, y), read_task(options.test, options)
    from replearn.data.splits import stratified_test

    held = set(stratified_test(_alike(len(X)), test=TEST_SHARE, random_state=0).tolist())
    if not 0 < len(held) < len(X):
        raise ValueError(
            f"DATA must have samples enough for a test part; got {len(X)}. Name one with --test."
        )
    kept = [i for i in range(len(X)) if i not in held]
    return _some(X, y, kept), _some(X, y, sorted(held))


def read_task(path: str, options: FineTuneOptions) -> tuple[Any, list[Any]]:
    """Samples and answers in a file of a task."""
    from replearn.data.tasks import read_pairs, read_spans, read_tags

    if options.task == "pair":
        a, b, y = read_pairs(path, a=options.a, b=options.b, target=options.target)
        return list(zip(a, b, strict=True)), y
    if options.task == "tag":
        column = options.column
        at = int(column) if column is not None and column.lstrip("-").isdigit() else column
        return read_tags(path, column=at)
    if options.task == "span":
        return read_spans(path)
    return read_numbers(path, options)


def read_numbers(path: str, options: FineTuneOptions) -> tuple[Any, list[Any]]:
    """Samples of a table and the numbers in its column of targets."""
    import pandas as pd

    from replearn.data import as_samples
    from replearn.data.tables import is_table_file, read_table

    if options.target is None:
        raise ValueError("--target must name the column of the numbers; got none. Name it.")
    if not Path(path).is_file() or not is_table_file(Path(path)):
        raise ValueError(
            f"DATA of regress must be a CSV, TSV or Parquet file; got {path}. In Python, pass X and y."
        )
    table = read_table(Path(path))
    if options.target not in table.columns:
        named = ", ".join(map(str, table.columns[:10]))
        raise ValueError(f"--target must be a column of {path}; got {options.target!r}. It has {named}.")
    numbers = pd.to_numeric(table[options.target], errors="coerce")
    return as_samples(table.drop(columns=[options.target]), text=options.text), numbers.tolist()


def _alike(n: int) -> Any:
    import numpy as np

    return np.zeros(n, dtype=np.int64)


def _some(X: Any, y: list[Any], index: list[int]) -> tuple[Any, list[Any]]:
    """Samples at some positions."""
    chosen = X.subset(index) if hasattr(X, "subset") else [X[i] for i in index]
    return chosen, [y[i] for i in index]
