"""`replearn fit METHOD DATA`: learn a representation into a run folder."""

import dataclasses
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from replearn.cli.options import Flag, parse
from replearn.cli.samples import (
    DataOptions,
    all_of,
    is_builtin,
    load_parts,
    load_samples,
    short_name,
    shown_data,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replearn.data import Samples
    from replearn.methods import Entry

log = logging.getLogger("replearn")

USAGE = """usage: replearn fit METHOD DATA [--run FOLDER] [--resume] [options]

Learn a representation from data without labels, into runs/METHOD-DATA.

  METHOD    a name that `replearn list` shows
  DATA      a built-in name (of which the training part is taken), a folder or
            zip of images, a .npy, .npz, .csv, .tsv or .parquet file; of texts
            a .txt file, a folder or zip of them, or a .csv, .tsv, .jsonl or
            .parquet file with a column of texts (--text)

The options are the method's own: `replearn fit METHOD --help` shows them all.

examples:
  replearn fit simclr digits --epochs 20
  replearn fit simclr digits --epochs 20 --resume
  replearn fit simclr digits --epochs 40 --resume   (20 more, a new schedule)
  replearn fit autoencoder photos/ --image-size 32 --dim 16 --run runs/small
  replearn fit pca table.csv --n-components 8
  replearn fit gpt notes.txt --epochs 5
  torchrun --nproc-per-node 2 -m -- replearn fit simclr digits"""


@dataclass(kw_only=True)
class FitOptions(DataOptions):
    """Where to learn from, and where to.

    Attributes:
        run: folder for weights, history and checkpoints; runs/METHOD-DATA if not given.
        resume: go on with the run in that folder, with its own fields where none are given; one that has ended goes on
            with a new schedule if it is given more epochs.
        tensorboard: write TensorBoard's files into the run folder, too.
        split: what to learn from: train, which evaluate and finetune spare (80 %, or as built-in data have it),
            test (of built-in data) or all. If not given: train of built-in data, and for methods that look at labels.
        targets: columns, of a table or of the file that --labels names, of several things to predict, classes and
            numbers, with empty cells where unknown: for multitask.
        scaling: what is done to the columns of a table before a method of scikit-learn sees them: standard, range
            (into [0, 1]) or none; auto is standard, range for methods that learn from no numbers below 0.
    """

    run: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    resume: Flag = False
    tensorboard: Flag = False
    split: Literal["train", "test", "all"] | None = None
    targets: Annotated[tuple[str, ...], tyro.conf.arg(metavar="COLUMN...")] = ()
    scaling: Literal["auto", "standard", "range", "none"] = "auto"


def run(args: list[str]) -> None:
    """The command."""
    if args[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return
    if not args:
        raise ValueError("METHOD and DATA must be given; got neither. See `replearn fit --help`.")
    if args[0].startswith("-"):
        raise ValueError(f"METHOD must come first; got {args[0]}. Write `replearn fit METHOD DATA ...`.")
    from replearn.methods import find_method

    entry = find_method(args[0])
    options, method = parse_fit(entry, args[1:])
    folder = run_folder(entry, options)
    fit(method, options, folder)


def parse_fit(entry: "Entry", args: list[str]) -> tuple[Any, Any]:
    """The command's options, and the method with its fields.

    A run that is resumed brings its fields; those on the command line must be the same, which `fit` checks.
    """
    from replearn.cli.fields import field_options, make_method, stored_fields

    command = f"fit {entry.name}"
    about = f"{(entry.cls.__doc__ or '').strip().splitlines()[0]}\n\n{entry.paper}"
    options: Any = parse(
        with_fields(field_options(entry.cls), FitOptions), args, command=command, about=about
    )
    stored = stored_fields(entry, run_folder(entry, options)) if options.resume else {}
    if stored:
        options = parse(
            with_fields(field_options(entry.cls, stored), FitOptions), args, command=command, about=about
        )
    return options, make_method(entry.cls, options.options, stored)


def run_folder(entry: "Entry", options: Any) -> Path:
    """Where the run goes."""
    return Path(options.run or f"runs/{entry.name}-{short_name(options.data)}")


def fit(method: Any, options: Any, folder: Path) -> None:
    """Learn, save, and say what came of it."""
    from replearn.cli.runs import minutes, new_run, shown
    from replearn.comparison import cut_short, extended, fit_arrays, stored_arrays, training_of
    from replearn.data.kinds import KINDS
    from replearn.engine.run import METHOD
    from replearn.methods import Model
    from replearn.methods.arrays import save_arrays
    from replearn.methods.columns import IN_WORDS, learn_columns, scaling_for, scaling_of
    from replearn.methods.few import for_few

    if options.tensorboard and not hasattr(method, "epochs"):
        raise ValueError(
            f"--tensorboard is for methods that learn in steps; {type(method).__name__} does not. Leave it out."
        )
    if options.targets and not hasattr(method, "tasks"):
        raise ValueError(
            f"--targets is for methods that learn several targets, multitask; {type(method).__name__} does not. Leave "
            "it out; --drop keeps columns of a table from being learned."
        )
    if options.resume and not (folder / METHOD).is_file():
        log.info("no run to resume in %s: a new one begins", folder)
    with new_run(folder):  # it must be writable: better known before the data are read
        samples = samples_of(method, options)
        began = time.monotonic()
        if isinstance(method, Model):
            if options.scaling != "auto":
                raise ValueError(
                    f"--scaling is for methods of scikit-learn; {type(method).__name__} standardises columns by "
                    "itself. Leave it out."
                )
            loggers = [_tensorboard(folder)] if options.tensorboard else []
            method.fit(samples, run=folder, resume=options.resume, loggers=loggers)
        else:
            method = for_few(method, len(samples))
            columns = learn_columns(scaling_for(options.scaling, samples, [method]), samples)
            if not (options.resume and stored_arrays(method, samples, folder, columns)):
                save_arrays(fit_arrays(method, samples, columns=columns), samples, folder)
            if KINDS[samples.kind].scaled:
                log.info("%s", IN_WORDS[scaling_of(columns)])
    told = _speed(method, minutes(time.monotonic() - began))
    print(f"{type(method).__name__} on {shown_data(options.data)}: {len(samples):,} samples, {told}")
    if cut := cut_short(*training_of(method)[:1], method):
        print(f"ended by max_minutes after {cut}; the learning rate's schedule was shortened to fit")
    if longer := extended(method):
        print(f"extended: {longer}, each with a schedule of its own")
    if samples.labels is not None and saw_all(method, options):
        print("learned from all of DATA; --split train keeps a part of it to judge by")
    print(f"saved in {shown(folder)}; next:")
    for line in _next(method, options, shown(folder)):
        print(f"  {line}")


def saw_all(method: Any, options: Any) -> bool:
    """Whether a run has learned from samples by which `evaluate` would judge it."""
    if options.split is not None or is_builtin(str(options.data)):
        return bool(options.split == "all")
    return not getattr(method, "needs_labels", False)


def _next(method: Any, options: Any, folder: str) -> "Iterator[str]":
    """Commands that the run is good for."""
    from replearn.cli.commands import next_command

    if options.targets:  # of which `embed` needs none
        options = dataclasses.replace(options, labels=None)
    elif hasattr(method, "transform"):
        yield next_command("evaluate", folder, all_of(options.data), options=options)
    yield next_command("embed", folder, options.data, options=options)
    if hasattr(method, "predict_proba"):
        yield next_command("predict", folder, all_of(options.data), options=options)
    if hasattr(method, "classify"):
        yield f"{next_command('zeroshot', folder, 'DATA')} --classes NAME NAME ..."


def samples_of(method: Any, options: Any) -> "Samples":
    """What to learn from: DATA, or the part of it that is chosen."""
    data = str(options.data)
    if is_builtin(data):
        part = options.split or "train"
        return load_samples(data if part == "all" or ":" in data else f"{data}:{part}", options)
    if options.split == "test":
        raise ValueError(
            f"--split test is for built-in data; got {data}. Name the part's own folder or file."
        )
    looks_at_labels = getattr(method, "needs_labels", False)
    if options.split == "train" or (looks_at_labels and options.split is None):
        train, held = load_parts(data, options)
        why = ", since labels are looked at" if looks_at_labels else ""
        log.info("the %d test samples are not learned from%s (--split all takes all)", len(held), why)
        return train
    return load_samples(data, options)


def with_fields(fields: type[Any], options: type[Any]) -> type[Any]:
    """The options of a command, and the fields of a method among them."""
    data = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="DATA", help="built-in name or path.")]
    lent = Annotated[fields, tyro.conf.arg(name="")]  # type: ignore[valid-type]
    members: list[Any] = [("data", data), ("options", lent, dataclasses.field(default_factory=fields))]
    return dataclasses.make_dataclass(options.__name__, members, bases=(options,), kw_only=True)


def _speed(method: Any, elapsed: str) -> str:
    """Loss, samples per second (where there are batches of them) and time of a training."""
    rows = method.history_.rows if hasattr(method, "history_") else []
    if not rows:
        return elapsed
    from replearn.cli.runs import minutes
    from replearn.engine.pace import speed

    last = rows[-1]
    loss, time = f"loss {last['loss']:.4f}", minutes(last["seconds"])
    if not hasattr(method, "batch_size"):  # vectors of words are learned by no batches
        return f"{loss}, {time}"
    return f"{loss}, {speed(last['samples_per_second'])}, {time}"


def _tensorboard(folder: Path) -> Any:
    from replearn.data.needed import check_installed

    check_installed("--tensorboard needs", "tensorboard")
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger

    return TensorBoardLogger(root_dir=folder, name="tensorboard", version="")
