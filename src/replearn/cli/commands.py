"""Commands that are printed to be pasted: every option that they need, names quoted as a shell reads them."""

import dataclasses
import shlex
from collections.abc import Sequence
from typing import Any

from replearn.cli.samples import DataOptions, shown_data

KEPT = ("columns", "drop")  # a run keeps what it reads of a table


def kept_command(command: str, args: Sequence[str]) -> list[str]:
    """A command as files keep it: as it was typed, without what may be secret in addresses."""
    return ["replearn", command, *map(shown_data, args)]


def next_command(command: str, *words: Any, options: DataOptions | None = None) -> str:
    """`replearn COMMAND WORDS...`, and the options by which the data were read.

    >>> next_command("evaluate", "runs/my run", "photos/", options=DataOptions(labels="who is who.csv"))
    "replearn evaluate 'runs/my run' photos/ --labels 'who is who.csv'"
    """
    given = ["replearn", command, *map(str, words)]
    fields = () if options is None else dataclasses.fields(DataOptions)
    for field in fields:
        value = getattr(options, field.name)
        if value == field.default or field.name in KEPT:
            continue
        given += [
            f"--{field.name.replace('_', '-')}",
            *map(str, value if isinstance(value, tuple) else [value]),
        ]
    return shlex.join(given)
