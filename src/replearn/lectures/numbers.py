"""The numbers of a chapter: plain assignments in its first cell of code, which become options of the command.

    share = 0.75  # of the patches that are hidden [0.05 to 0.95; small 0.5; full 0.8]

A comment says what the number means and, in brackets at its end, between what it must lie, and what it is where the
book is made at its smallest (`--small`, as tests do) or as the docs show it (`--full`). A whole number stays whole; a
tuple holds several.
"""

import ast
import io
import math
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Value = int | float | tuple[int | float, ...]
Size = Literal["small", "usual", "full"]
NOTE = re.compile(r"^#\s*(?P<meaning>[^\[]*?)\s*(?:\[(?P<rest>[^\]]*)\])?$")
TAKEN = ("chapters", "to", "small", "full", "again", "list", "help")  # options of the command itself


@dataclass(frozen=True)
class Number:
    """A number that a reader may change.

    Attributes:
        name: of the variable, and of the option.
        sizes: its value by the size of the book.
        meaning: what it is, in a few words.
        low, high: between what it must lie; of a tuple, each of its numbers.
    """

    name: str
    sizes: Mapping[Size, Value]
    meaning: str
    low: float = -math.inf
    high: float = math.inf

    @property
    def whole(self) -> bool:
        """Whether it is a whole number, or a tuple of these."""
        return all(isinstance(value, int) for value in _several(self.sizes["usual"]))

    def check(self, value: Value) -> None:
        """Raises ValueError where a value is not within the range."""
        for one in _several(value):
            if not self.low <= one <= self.high:
                raise ValueError(
                    f"{option(self.name)} must lie between {self.low:g} and {self.high:g}; got {one:g}. It is "
                    f"{_of(self.meaning)}."
                )


def option(name: str) -> str:
    """As the command line spells it.

    >>> option("batch_size")
    '--batch-size'
    """
    return f"--{name.replace('_', '-')}"


def read_numbers(source: str) -> dict[str, Number]:
    """The numbers of a cell.

    Raises:
        ValueError: it holds something else, or a note that says nothing.

    >>> read_numbers("k = 20  # centres [1 to 100; small 5]")["k"].sizes
    {'small': 5, 'usual': 20, 'full': 20}
    """
    try:
        lines = ast.parse(source).body
    except SyntaxError as error:
        raise ValueError(f"the first cell of code must be Python; {error.msg}.") from error
    notes = {
        token.start[0]: token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = [_number(line, notes.get(line.end_lineno or 0, "")) for line in lines]
    return {number.name: number for number in found}


def with_values(source: str, values: Mapping[str, Value]) -> str:
    """The first cell of code with these values in place of its own.

    >>> with_values("k = 20  # centres", {"k": 7})
    'k = 7  # centres'
    """
    rows = source.splitlines()
    for line in ast.parse(source).body:
        assert isinstance(line, ast.Assign)  # or there were no numbers
        assert isinstance(line.targets[0], ast.Name)
        row, value = line.value.lineno - 1, line.value
        if line.targets[0].id in values:
            told = repr(values[line.targets[0].id])
            text = rows[row].encode()  # offsets count bytes
            rows[row] = (text[: value.col_offset] + told.encode() + text[value.end_col_offset :]).decode()
    return "\n".join(rows)


def _number(line: ast.stmt, note: str) -> Number:
    target = line.targets[0] if isinstance(line, ast.Assign) and len(line.targets) == 1 else None
    if not isinstance(line, ast.Assign) or not isinstance(target, ast.Name) or line.lineno != line.end_lineno:
        raise ValueError(
            f"the first cell of code must hold numbers, one to a line, `k = 20  # centres [1 to 100]`; got "
            f"{ast.unparse(line)!r}. Begin another cell for it."
        )
    name, usual = target.id, _value(ast.unparse(line.value))
    told = NOTE.match(note)
    if told is None or not told["meaning"] or name in TAKEN:
        raise ValueError(
            f"{name} must have a comment that says what it is, and not be named as one of {TAKEN}."
        )
    low, high, sizes = -math.inf, math.inf, {"small": usual, "usual": usual, "full": usual}
    for part in filter(None, (part.strip() for part in (told["rest"] or "").split(";"))):
        between = re.match(r"^(\S+) to (\S+)$", part)
        size, _, value = part.partition(" ")
        if between:
            low, high = float(between[1]), float(between[2])
        elif size in ("small", "full"):
            sizes[size] = _value(value)
        else:
            raise ValueError(f"{name}: a note must be `A to B`, `small A` or `full A`; got {part!r}.")
    number = Number(name, sizes, told["meaning"], low, high)  # type: ignore[arg-type]
    for one in number.sizes.values():
        number.check(one)
        if isinstance(one, tuple) != isinstance(usual, tuple):
            raise ValueError(
                f"{name} must be one number in every size of the book, or a tuple in all; got {one}."
            )
    return number


def _value(text: str) -> Value:
    try:
        value: Any = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        value = None
    if not _several(value) or any(
        isinstance(v, bool) or not isinstance(v, int | float) for v in _several(value)
    ):
        raise ValueError(f"a chapter's number must be a number, or a tuple of numbers; got {text.strip()!r}.")
    return value  # type: ignore[no-any-return]


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _of(meaning: str) -> str:
    return meaning.rstrip(".")
