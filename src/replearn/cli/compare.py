"""`replearn compare METHOD... --data DATA`: methods on equal terms, one table, one report."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from replearn.cli.commands import kept_command
from replearn.cli.evaluate import JudgeOptions
from replearn.cli.options import Flag, option_names, parse, unknown_option
from replearn.cli.samples import load_parts, shown_data

if TYPE_CHECKING:
    from replearn.methods import Entry

# A method with options of its own, `simclr:temperature=0.2`.
Asked = tuple["Entry", dict[str, str]]


@dataclass(kw_only=True)
class CompareOptions(JudgeOptions):
    """Fit methods on the same samples without their labels, and judge them by the same probes.

    Any option of a method (`replearn fit METHOD --help`) can be given: it goes to every method that has it.
    One for a single method is written behind its name: simclr:temperature=0.2,dim=64. A method can be named
    more than once. Prints the table; writes evaluation.json and report.html beside the methods' run folders.

    Attributes:
        methods: names that `replearn list` shows.
        data: built-in name or path.
        fractions: shares of the training labels that probes are given; if not given, 0.01, 0.1 and 1, or with
            --labelled all that are seen.
        labelled: how many training labels, or below 1 which share of them, methods and probes see; the others are
            hidden. Methods that answer are judged by their own predictions, too (direct).
        seeds: how many seeds each method is fitted with.
        run: folder to write to.
        resume: go on with the runs in that folder.
        choose: also rank the methods by measures that need no labels, and tell how far that agrees with labels.
        scaling: what is done to the columns of a table, the same for every row: standard, range (into [0, 1]) or
            none; auto is standard, range where a method learns from no numbers below 0.
    """

    methods: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="METHOD...")]
    data: Annotated[str, tyro.conf.arg(metavar="DATA")]
    fractions: Annotated[tuple[float, ...], tyro.conf.arg(metavar="SHARE...")] = ()
    labelled: Annotated[float | None, tyro.conf.arg(metavar="INT|SHARE")] = None
    seeds: int = 1
    run: Annotated[str, tyro.conf.arg(metavar="FOLDER")] = "runs/compare"
    resume: Flag = False
    choose: Flag = False
    scaling: Literal["auto", "standard", "range", "none"] = "auto"


def run(args: list[str]) -> None:
    """The command."""
    own, shared = divide(args, set(option_names(CompareOptions)))
    options = parse(CompareOptions, own, command="compare")
    if not options.methods:
        raise ValueError("at least one METHOD must be named; got none. `replearn list` shows them.")
    if options.seeds < 1:
        raise ValueError(f"--seeds must be at least 1; got {options.seeds}.")
    methods = make_methods(options.methods, shared)
    from replearn.cli.evaluations import Judged, print_scores, write_evaluation
    from replearn.cli.runs import new_run, shown
    from replearn.comparison import compare, run_name
    from replearn.engine.run import REPORT
    from replearn.report import print_choice, write_report

    folder = Path(options.run)
    with new_run(folder):
        check_folder(folder, resume=options.resume)
        train, test = load_parts(options.data, options, test=options.test)
        comparison = compare(
            methods,
            train,
            test,
            fractions=options.fractions or None,
            per_class=options.per_class,
            draws=options.draws,
            labelled=options.labelled,
            seeds=range(options.seeds),
            runs=folder,
            resume=options.resume,
            choose=options.choose,
            scaling=options.scaling,
        )
        title = f"{', '.join(methods)} on {shown_data(options.data)}"
        comparison.facts.update(title=title, command=kept_command("compare", args))
        runs = {name: run_name(name, 0) for name in methods}
        write_evaluation(folder, comparison, Judged(options.data, options.test, options), runs)
        written = write_report(folder / REPORT, comparison, title=title)
        print_scores(comparison)
        if options.choose:
            print_choice(comparison.scores)
        print(f"written: {shown(written)}")


def check_folder(folder: Path, *, resume: bool) -> None:
    """Raises ValueError where the folder holds runs that must stay as they are."""
    from replearn.engine.run import EVALUATION, METHOD

    if (folder / METHOD).exists():
        raise ValueError(f"{folder} holds a run, not a comparison. Choose another --run.")
    held = [folder / EVALUATION, *folder.glob(f"*/{METHOD}")]
    if not resume and any(path.exists() for path in held):
        raise ValueError(f"{folder} holds runs already. Go on with them (--resume), or choose another --run.")


def make_methods(asked: tuple[str, ...], shared: list[str]) -> dict[str, Any]:
    """Methods by the name that tables show.

    Args:
        asked: as on the command line, `simclr` or `simclr:temperature=0.2`.
        shared: options for every method that has them.

    Raises:
        ValueError: an unknown method or option, the same method twice with the same options.
    """
    from replearn.cli.fields import field_options, make_method

    found = [split_asked(text) for text in asked]
    known = {name for entry, _ in found for name in option_names(field_options(entry.cls))}
    for name in (arg.partition("=")[0] for arg in shared if arg.startswith("--")):
        if name.replace("_", "-") not in known:
            named = ", ".join(dict.fromkeys(entry.name for entry, _ in found))
            every = sorted({*known, *option_names(CompareOptions)})
            raise ValueError(
                unknown_option(name, every, "compare", owners=f"`replearn compare` or of {named}")
            )
    methods: dict[str, Any] = {}
    for entry, options in found:
        fields = field_options(entry.cls)
        its, _ = divide(shared, set(option_names(fields)))
        names = {f"--{name.replace('_', '-')}" for name in options}
        _, its = divide(its, names | {f"--no-{name[2:]}" for name in names})  # a method's own come first
        given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        parsed = parse(fields, [*its, *_flags(fields, given)], command=f"fit {entry.name}")
        name = entry.cls.__name__
        if sum(other.cls is entry.cls for other, _ in found) > 1:
            name = " ".join([name, *(f"{option}={value}" for option, value in options.items())])
        if name in methods:
            raise ValueError(f"each METHOD must be named once, or with options of its own; got {name} twice.")
        methods[name] = make_method(entry.cls, parsed)
    return methods


def split_asked(text: str) -> Asked:
    """`simclr:temperature=0.2,dim=64` as the method and its options."""
    from replearn.methods import find_method

    name, _, rest = text.partition(":")
    pairs = [pair.partition("=") for pair in rest.split(",") if pair]
    wrong = [option for option, equals, _ in pairs if not equals]
    if wrong:
        raise ValueError(
            f"options of a method must be written {name}:option=value,option=value; got {wrong[0]!r} "
            "without a value. Add it."
        )
    names = [option.replace("-", "_") for option, _, _ in pairs]
    twice = next((option for option in names if names.count(option) > 1), None)
    if twice is not None:
        raise ValueError(f"each option of {name} must be given once; got {twice} twice. Leave one out.")
    return find_method(name), {option.replace("-", "_"): value for option, _, value in pairs}


def divide(args: list[str], mine: set[str]) -> tuple[list[str], list[str]]:
    """Arguments and options named in `mine`, and the other options; values stay with their options.

    An option of others takes one value, if any follows.

    >>> divide(["pca", "--epochs", "3", "--data", "digits", "--compile"], {"--data"})
    (['pca', '--data', 'digits'], ['--epochs', '3', '--compile'])
    """
    own: list[str] = []
    other: list[str] = []
    target = own
    for arg in args:
        if arg.startswith("--"):
            name = arg.partition("=")[0].replace("_", "-")
            target = own if name in mine or name == "--help" else other
            target.append(arg)
            continue
        target.append(arg)
        target = own
    return own, other


def _flags(fields: type[Any], given: list[str]) -> Iterator[str]:
    """`--compile=true` as `--compile`, and `--compile=false` as `--no-compile`."""
    flags = {name for name in option_names(fields) if f"--no-{name[2:]}" in option_names(fields)}
    for arg in given:
        name, _, value = arg.partition("=")
        if name in flags and value.lower() in ("true", "false"):
            yield name if value.lower() == "true" else f"--no-{name[2:]}"
        else:
            yield arg
