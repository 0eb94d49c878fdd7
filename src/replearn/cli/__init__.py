"""The command line, `replearn COMMAND ...`: one file for each command, imported when it is chosen.

Nothing heavy is imported here, so that `replearn --help` answers at once.
"""

import difflib
import sys
from collections.abc import Sequence

# Name, file of this package, arguments, what it does.
COMMANDS = {
    "demo": ("demo", "", "learn digits without labels, judge, report"),
    "list": ("list_methods", "", "every method: family, kinds of data, year, paper"),
    "data": ("list_data", "", "the built-in data sets, with licence"),
    "fit": ("fit", "METHOD DATA", "learn a representation"),
    "embed": ("embed", "RUN DATA", "write the representation of data to a file"),
    "evaluate": ("evaluate", "RUN DATA", "what a representation is good for"),
    "finetune": ("finetune", "RUN DATA", "put an encoder to a task with labels"),
    "predict": ("predict", "RUN DATA", "what a fine-tuned run says of each sample"),
    "transfer": ("transfer", "RUN DATA", "an encoder on labelled data, in every way"),
    "zeroshot": ("zeroshot", "RUN DATA", "classify by names of classes, without labels"),
    "auto": ("auto", "DATA", "choose a representation within some minutes"),
    "compare": ("compare", "METHOD... --data DATA", "methods on equal terms: a table and a report"),
    "scale": ("scale", "METHOD DATA", "what more data, time and width are worth"),
    "lectures": ("lectures", "[CHAPTER...]", "the lectures as a book that runs"),
    "report": ("report", "RUN", "write the report of a run again"),
    "curate": ("curate", "DATA", "copies, outliers, wrong labels: what to keep"),
    "index": ("index", "RUN DATA", "a table of representations, to be searched"),
    "search": ("search", "INDEX QUERY", "the nearest samples to a file, text or sample"),
    "explore": ("explore", "RUN DATA | INDEX", "a map in the browser; labels by clicking"),
    "serve": ("serve", "RUN", "a model behind HTTP"),
    "export": ("export", "RUN", "a model for other programs: ONNX, torch, timm"),
}

HEAD = """replearn: representations from data without labels, judged honestly.

usage: replearn COMMAND ...
"""

EPILOGUE = """
METHOD is a name that `replearn list` shows. DATA is a built-in name, a folder
or zip of images or of .txt files, or a .npy, .npz, .csv, .tsv, .parquet,
.jsonl or .txt file. RUN is a folder that `fit` or `demo` wrote, or a method's
folder in one that `compare` wrote (runs/compare/SimCLR); `report` takes a
comparison's own folder, too.

options:
  -h, --help    show this, or after a command its options:
                replearn embed --help, replearn fit simclr --help
  --version     show the version

Exit codes: 0; 2 for a wrong command line or bad input; 1 for a failure of
replearn; 130 and 143 when stopped by Ctrl-C or SIGTERM."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit code.

    >>> main(["--version"])
    replearn ...
    0
    """
    args = list(sys.argv[1:] if argv is None else argv)
    from replearn.cli.failures import guarded

    if not args or args[0] in ("-h", "--help", "help"):
        return guarded(lambda: print(help_text()), args)
    if args[0] == "--version":
        return guarded(_print_version, args)
    return guarded(lambda: _run(args[0], args[1:]), args)


def help_text() -> str:
    """What `replearn --help` shows."""
    lines = [
        f"  {f'{name} {arguments}'.rstrip():<30}{what}" for name, (_, arguments, what) in COMMANDS.items()
    ]
    return "\n".join([HEAD, *lines, EPILOGUE])


def _run(command: str, args: list[str]) -> None:
    if command not in COMMANDS:
        near = difflib.get_close_matches(command, COMMANDS, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]!r}?" if near else "See `replearn --help`."
        raise ValueError(f"the command must be one of {', '.join(COMMANDS)}; got {command!r}. {hint}")
    from importlib import import_module

    import_module(f"replearn.cli.{COMMANDS[command][0]}").run(args)


def _print_version() -> None:
    from replearn import __version__

    print(f"replearn {__version__}")
